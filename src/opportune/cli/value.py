"""`opportune value`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import number, print_json, print_table

if TYPE_CHECKING:
    from opportune.workflow.value_file import ValuedFile
    from opportune.workflow.value_totals import Totals

NAME = "value"
SHOWN = 10
MEASURES = ("rltc", "contribution", "economic_profit")
File = Annotated[Path, typer.Argument(metavar="FILE", help="Loans, Parquet or CSV: one row per loan.")]
AssumptionsOption = Annotated[Path, typer.Option("--assumptions", help="TOML: what money and serving cost.")]
CurvesOption = Annotated[Path, typer.Option("--curves", help="JSON: default, prepayment and recovery by segment.")]
CohortOption = Annotated[str | None, typer.Option("--cohort", metavar="COLUMN", help="Totals for each value of it.")]
InScenario = Annotated[str | None, typer.Option("--scenario", help="A [[scenario]] of the assumptions.")]
DrawsOption = Annotated[int, typer.Option("--draws", min=0, help="Of assumptions that have a low and a high.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where the folder `value` goes.")]


def command(
    file: File,
    assumptions: AssumptionsOption,
    curves: CurvesOption,
    cohort: CohortOption = None,
    scenario: InScenario = None,
    draws: DrawsOption = 200,
    out: OutOption = Path("out"),
    as_json: Json = False,
) -> None:
    """Tell what each loan of a file is worth over its life, line by line."""
    from opportune.workflow.curves_file import read_curves
    from opportune.workflow.value_file import value_file
    from opportune.workflow.value_settings import read_lifetime_assumptions

    given = read_lifetime_assumptions(assumptions, scenario)
    found = value_file(file, read_curves(curves), given, out, cohort, draws)
    if as_json:
        print_json(found)
    else:
        _print(found, out)


def _print(found: "ValuedFile", out: Path) -> None:
    total = found.total
    amounts = {**total.lines, **{name: getattr(total, name) for name in MEASURES}}
    rows = [
        [name, number(amount), _share(amount, total.gmv), *_range(found, total, name)]
        for name, amount in amounts.items()
    ]
    title = f"Lifetime value of {total.loans:,} loans, {found.currency}, {found.scenario}"
    print_table(title, ["line", "total", "% of gmv", *_header(found)], rows)
    if found.cohorts:
        header = ["cohort", "loans", "principal", "rltc", "contribution", "% of gmv", *_header(found)]
        print_table("By cohort", header, [
            [each.cohort, f"{each.loans:,}", number(each.principal, 0), number(each.rltc, 0),
             number(each.contribution, 0), _share(each.contribution, each.gmv), *_range(found, each, "contribution")]
            for each in found.cohorts
        ])  # fmt: skip
    if found.draws:
        print(f"\nIntervals: {found.draws} draws of curves and assumptions; chance in single loans is not in them.")
    _print_findings(found)
    print(f"\nlines   {out / 'value' / 'lines.parquet'}\npicture {out / 'value' / 'waterfall.svg'}")


def _print_findings(found: "ValuedFile") -> None:
    asked = [finding for finding in found.findings if finding.severity != "error"]
    refused = [finding for finding in found.findings if finding.severity == "error"]
    for title, findings in ((f"{found.left_out:,} rows are left out:", refused), ("Valued, but look again:", asked)):
        if findings:
            print(f"\n{title}")
            for finding in findings[:SHOWN]:
                print(finding.text())
            if len(findings) > SHOWN:
                print(f"and {len(findings) - SHOWN:,} more findings: see findings.json")


def _header(found: "ValuedFile") -> list[str]:
    return ["95 % interval"] if found.draws else []


def _range(found: "ValuedFile", total: "Totals", name: str) -> list[str]:
    return [f"{number(total.low[name], 0)} to {number(total.high[name], 0)}"] if found.draws else []


def _share(amount: float, gmv: float) -> str:
    return f"{100.0 * amount / gmv:.2f}" if gmv else "-"
