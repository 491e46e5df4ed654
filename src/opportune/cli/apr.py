"""`opportune apr`."""

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import number, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opportune.domain import Finding
    from opportune.economics import Apr, Fee, UnitPeriod
    from opportune.economics.apr import Flow
    from opportune.economics.fees import Charges, FeeKind

NAME = "apr"
FLOW = re.compile(r"(\d{4}-\d{2}-\d{2}):([0-9.eE+-]+)(?::(\d+)x(\w+))?")
FEE = re.compile(r"([a-z_]+):([0-9.eE+-]+)(:financed)?")
SHOWN = 10
PERIODS = {
    "day": ("day", 1), "week": ("day", 7), "2week": ("day", 14), "4week": ("day", 28), "semimonth": ("semimonth", 1),
    "month": ("month", 1), "2month": ("month", 2), "quarter": ("month", 3), "year": ("month", 12),
}  # fmt: skip
File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Contracts, Parquet or CSV: columns contract, side, date, amount."),
]
Advances = Annotated[
    list[str] | None, typer.Option("--advance", metavar="DATE:AMOUNT", help="Money lent; can be repeated.")
]
Payments = Annotated[
    list[str] | None,
    typer.Option(
        "--payment", metavar="DATE:AMOUNT[:COUNTxPERIOD]", help=f"Money paid back. PERIOD: {', '.join(PERIODS)}."
    ),
]
Fees = Annotated[
    list[str] | None,
    typer.Option("--fee", metavar="KIND:AMOUNT[:financed]", help="A fee beside the interest; can be repeated."),
]
Include = Annotated[
    str, typer.Option("--include", metavar="LIST", help="Fees that are finance charge: tila, mapr, or kinds by comma.")
]
Disclosed = Annotated[
    float | None, typer.Option("--disclosed", metavar="RATE", help="Is this rate, such as 0.0969, accurate?")
]
MethodOption = Annotated[
    Literal["actuarial", "effective", "us_rule"],
    typer.Option("--method", help="Regulation Z, the yearly rate of EU and UK, or the United States Rule."),
]
CountOption = Annotated[
    Literal["days", "months", "weeks"], typer.Option("--count", help="How the effective rate counts time.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Where the folder `apr` of a file goes.")]


def command(
    file: File = None,
    advance: Advances = None,
    payment: Payments = None,
    fee: Fees = None,
    include: Include = "tila",
    disclosed: Disclosed = None,
    method: MethodOption = "actuarial",
    count: CountOption = "days",
    out: OutOption = Path("out"),
    as_json: Json = False,
) -> None:
    """Tell the annual percentage rate of one contract, or of each in a file, from dated advances and payments."""
    from opportune.domain import BadInput
    from opportune.economics import apr

    findings: list[Finding] = []
    fees, charges = _fees(fee or [], findings), _charges(include, findings)
    advances, payments = _flows("--advance", advance or [], findings), _flows("--payment", payment or [], findings)
    if file is not None and (advance or payment or disclosed is not None):
        findings.append(_unread("FILE", str(file), "expected a file, or --advance, --payment and --disclosed"))
    if findings:
        raise BadInput(findings)
    if file is not None:
        _tell_file(file, out, method, count, fees, charges, as_json)
        return
    found = apr(advances, payments, method, count=count, fees=fees, include=charges)
    accurate = _accurate(found, disclosed)
    _tell(found, accurate, include == "mapr", as_json)
    if accurate is False:
        raise typer.Exit(1)


def _tell(found: "Apr", accurate: bool | None, mapr: bool, as_json: bool) -> None:
    from opportune.economics import MAPR_CAP, within_mapr_cap

    solved = found.status == "converged"
    within_cap = within_mapr_cap(found.value) if mapr and solved else None
    if as_json:
        print_json({
            "apr": found.value if solved else None, "status": found.status, "unit_period": found.unit_period,
            "finance_charge": found.finance_charge, "amount_financed": found.amount_financed,
            "residual": found.residual if solved else None, "irregular": found.irregular, "accurate": accurate,
            "within_cap": within_cap,
        })  # fmt: skip
        return
    rate = f"{100 * found.value:.4f} %" if solved else found.status.replace("_", " ")
    rows = [[rate, found.unit_period, number(found.finance_charge), number(found.amount_financed)]]
    print_table("Annual percentage rate", ["APR", "unit-period", "finance charge", "amount financed"], rows)
    if within_cap is not None:
        print(f"\n{'Within' if within_cap else 'Above'} the cap of {100 * MAPR_CAP:g} % on military rates.")
    if accurate is not None:
        bound = "1/4 of a point, irregular" if found.irregular else "1/8 of a point, regular"
        print(f"\nThe disclosed rate is {'accurate' if accurate else 'not accurate'} ({bound}).")


def _tell_file(
    file: Path, out: Path, method: Literal["actuarial", "effective", "us_rule"],
    count: Literal["days", "months", "weeks"], fees: "Sequence[Fee]", charges: "Charges | frozenset[FeeKind]",
    as_json: bool,
) -> None:  # fmt: skip
    from opportune.workflow.apr_file import apr_file

    found = apr_file(file, out, method, count, fees, charges)
    if as_json:
        print_json(found)
        return
    rows = [[status.replace("_", " "), f"{contracts:,}"] for status, contracts in found.statuses.items() if contracts]
    print_table(f"Annual percentage rates of {found.contracts:,} contracts", ["status", "contracts"], rows)
    for finding in found.findings[:SHOWN]:
        print(finding.text())
    print(f"\nrates {out / 'apr' / 'aprs.parquet'}")


def _accurate(found: "Apr", disclosed: float | None) -> bool | None:
    """Return whether a disclosed rate is within its tolerance; nothing where none is given or there is no rate."""
    from opportune.economics import within_tolerance

    if disclosed is None or found.status != "converged":
        return None
    return within_tolerance(disclosed, found.value, regular=not found.irregular)


def _fees(texts: list[str], findings: "list[Finding]") -> "list[Fee]":
    """Return the fees that an option's texts describe, and a finding (OP411) for each that cannot be read."""
    from opportune.economics import Fee

    fees = []
    for text in texts:
        read = FEE.fullmatch(text)
        try:
            if read is None:
                raise ValueError("expected KIND:AMOUNT or KIND:AMOUNT:financed")
            kind, amount = read[1], float(read[2])
            fees.append(Fee(name=kind, amount=amount, financed=bool(read[3]), kind=kind))  # type: ignore[arg-type]
        except ValueError as error:
            findings.append(_unread("--fee", text, str(error), "write it as origination:30"))
    return fees


def _charges(include: str, findings: "list[Finding]") -> "Charges | frozenset[FeeKind]":
    """Return the named list, or the kinds, that are finance charge; a finding (OP411) for a name that is neither."""
    from opportune.economics import FINANCE_CHARGES
    from opportune.economics.fees import KINDS

    if include in FINANCE_CHARGES:
        return include
    kinds = [kind for kind in include.split(",") if kind]
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        expected = f"expected {', '.join(FINANCE_CHARGES)}, or kinds among {', '.join(KINDS)}"
        findings.append(_unread("--include", include, expected, "name a list, or kinds by comma"))
    return frozenset(kinds)  # type: ignore[arg-type]


def _flows(option: str, texts: list[str], findings: "list[Finding]") -> "list[Flow]":
    """Return the dated amounts that an option's texts describe, by date, and a finding (OP411) for each unreadable."""
    flows = []
    for text in texts:
        try:
            flows += _read(text)
        except ValueError as error:
            findings.append(_unread(option, text, str(error)))
    return sorted(flows)


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
    count = int(read[3])
    if count < 1:
        raise ValueError(f"{count} payments are none: expected a count of 1 or more")
    try:
        return [(day, amount) for day in repeated(first, count, _period(read[4]))]
    except (OverflowError, ValueError):
        raise ValueError(f"{count} of them end after the year 9999: expected a lower count") from None


def _period(name: str) -> "UnitPeriod":
    from opportune.economics import UnitPeriod

    kind, length = PERIODS[name]
    return UnitPeriod(kind, length)  # type: ignore[arg-type]  # the table above holds its kinds


def _unread(option: str, text: str, expected: str, step: str = "write it as 1978-02-10:230:24xmonth") -> "Finding":
    from opportune.domain import Finding

    return Finding(code="OP411", source=option, subject="", message=f"is {text!r}: {expected}", next_step=step)
