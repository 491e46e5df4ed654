"""`opportune apr`."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import number, print_json, print_table

if TYPE_CHECKING:
    from opportune.domain import Finding
    from opportune.economics import UnitPeriod
    from opportune.economics.apr import Flow

NAME = "apr"
FLOW = re.compile(r"(\d{4}-\d{2}-\d{2}):([0-9.eE+-]+)(?::(\d+)x(\w+))?")
PERIODS = {
    "day": ("day", 1), "week": ("day", 7), "2week": ("day", 14), "4week": ("day", 28), "semimonth": ("semimonth", 1),
    "month": ("month", 1), "2month": ("month", 2), "quarter": ("month", 3), "year": ("month", 12),
}  # fmt: skip
Advances = Annotated[list[str], typer.Option("--advance", metavar="DATE:AMOUNT", help="Money lent; can be repeated.")]
Payments = Annotated[
    list[str],
    typer.Option(
        "--payment", metavar="DATE:AMOUNT[:COUNTxPERIOD]", help=f"Money paid back. PERIOD: {', '.join(PERIODS)}."
    ),
]
MethodOption = Annotated[
    Literal["actuarial", "effective"], typer.Option("--method", help="Regulation Z, or the yearly rate of EU and UK.")
]


def command(advance: Advances, payment: Payments, method: MethodOption = "actuarial", as_json: Json = False) -> None:
    """Tell the annual percentage rate of one contract from its dated advances and payments."""
    from opportune.domain import BadInput
    from opportune.economics import apr

    findings: list[Finding] = []
    advances, payments = _flows("--advance", advance, findings), _flows("--payment", payment, findings)
    if findings:
        raise BadInput(findings)
    found = apr(advances, payments, method)
    solved = found.status == "converged"
    told = {
        "apr": found.value if solved else None,
        "status": found.status,
        "unit_period": found.unit_period,
        "finance_charge": found.finance_charge,
        "amount_financed": found.amount_financed,
    }
    if as_json:
        print_json(told)
        return
    rate = f"{100 * found.value:.4f} %" if solved else found.status.replace("_", " ")
    rows = [[rate, found.unit_period, number(found.finance_charge), number(found.amount_financed)]]
    print_table("Annual percentage rate", ["APR", "unit-period", "finance charge", "amount financed"], rows)


def _flows(option: str, texts: list[str], findings: "list[Finding]") -> "list[Flow]":
    """Return the dated amounts that an option's texts describe, and a finding (OP411) for each that cannot be read."""
    flows = []
    for text in texts:
        try:
            flows += _read(text)
        except ValueError as error:
            findings.append(_unread(option, text, str(error)))
    return flows


def _read(text: str) -> "list[Flow]":
    from opportune.economics import repeated

    read = FLOW.fullmatch(text)
    if read is None:
        raise ValueError("expected DATE:AMOUNT or DATE:AMOUNT:COUNTxPERIOD")
    first, amount = date.fromisoformat(read[1]), float(read[2])
    if read[3] is None:
        return [(first, amount)]
    if read[4] not in PERIODS:
        raise ValueError(f"expected a period among {', '.join(PERIODS)}")
    return [(day, amount) for day in repeated(first, int(read[3]), _period(read[4]))]


def _period(name: str) -> "UnitPeriod":
    from opportune.economics import UnitPeriod

    kind, length = PERIODS[name]
    return UnitPeriod(kind, length)  # type: ignore[arg-type]  # the table above holds its kinds


def _unread(option: str, text: str, expected: str) -> "Finding":
    from opportune.domain import Finding

    step = "write it as 1978-02-10:230:24xmonth"
    return Finding(code="OP411", source=option, subject="", message=f"is {text!r}: {expected}", next_step=step)
