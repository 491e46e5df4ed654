"""`opportune value`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import number, print_json, print_table

if TYPE_CHECKING:
    from opportune.workflow.value_file import ValuedFile

NAME = "value"
SHOWN = 10
File = Annotated[Path, typer.Argument(metavar="FILE", help="Loans, Parquet or CSV: one row per loan.")]
AssumptionsOption = Annotated[Path, typer.Option("--assumptions", help="TOML: what money and serving cost.")]
CurvesOption = Annotated[Path, typer.Option("--curves", help="JSON: default, prepayment and recovery by segment.")]
CohortOption = Annotated[str | None, typer.Option("--cohort", metavar="COLUMN", help="Totals for each value of it.")]
InScenario = Annotated[str | None, typer.Option("--scenario", help="A [[scenario]] of the assumptions.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where the folder `value` goes.")]


def command(
    file: File,
    assumptions: AssumptionsOption,
    curves: CurvesOption,
    cohort: CohortOption = None,
    scenario: InScenario = None,
    out: OutOption = Path("out"),
    as_json: Json = False,
) -> None:
    """Tell what each loan of a file is worth over its life, line by line."""
    from opportune.workflow.curves_file import read_curves
    from opportune.workflow.value_file import value_file
    from opportune.workflow.value_settings import read_lifetime_assumptions

    given = read_lifetime_assumptions(assumptions, scenario)
    known, by = read_curves(curves)
    found = value_file(file, known, by, given, out, cohort)
    if as_json:
        print_json(found)
    else:
        _print(found, out)


def _print(found: "ValuedFile", out: Path) -> None:
    total = found.total
    names = [*total.lines, "rltc", "contribution", "objective"]
    amounts = {**total.lines, "rltc": total.rltc, "contribution": total.contribution, "objective": total.objective}
    rows = [[name, number(amounts[name]), _share(amounts[name], total.gmv)] for name in names]
    title = f"Lifetime value of {total.loans:,} loans, {found.currency}, {found.scenario}"
    print_table(title, ["line", "total", "% of gmv"], rows)
    if found.cohorts:
        header = ["cohort", "loans", "principal", "rltc", "contribution", "% of gmv"]
        print_table("By cohort", header, [
            [each.cohort, f"{each.loans:,}", number(each.principal, 0), number(each.rltc, 0),
             number(each.contribution, 0), _share(each.contribution, each.gmv)] for each in found.cohorts
        ])  # fmt: skip
    if found.findings:
        print(f"\n{found.left_out:,} rows are left out:")
        for finding in found.findings[:SHOWN]:
            print(finding.text())
    print(f"\nlines   {out / 'value' / 'lines.parquet'}\npicture {out / 'value' / 'waterfall.svg'}")


def _share(amount: float, gmv: float) -> str:
    return f"{100.0 * amount / gmv:.2f}" if gmv else "-"
