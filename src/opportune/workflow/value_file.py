"""A file of loans to lifetime lines per loan, totals per cohort, and a picture; a million rows at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import RLTC_LINES, Curves, LifetimeAssumptions, read_loans, value
from opportune.economics.uncertain import Draw, paired
from opportune.tables import replace_directory, write_json, write_text
from opportune.workflow.curves_file import CurvesRead
from opportune.workflow.lines_file import LinesFile, lines_table, refuse_twice
from opportune.workflow.loans_file import loan_blocks, no_rows
from opportune.workflow.output_folder import check_replaced
from opportune.workflow.value_totals import DrawnSums, Sums, Totals

if TYPE_CHECKING:
    import pyarrow as pa


SEED = 0
WRITTEN = ("lines.parquet", "totals.json", "findings.json", "waterfall.svg")
"""Of the draws of assumptions: the same file gives the same intervals."""


class ValuedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was valued: the sums of all loans and of each cohort, what was left out and why, and what is asked about.

    ``draws``: draws of curves and assumptions that the intervals come from; 0 where nothing has a range.
    """

    currency: str
    scenario: str
    total: Totals
    cohorts: tuple[Totals, ...]
    left_out: int
    draws: int
    findings: tuple[Finding, ...]


def value_file(
    path: Path, curves: CurvesRead, given: LifetimeAssumptions, out: Path, cohort: str | None, draws: int
) -> ValuedFile:
    """Value a Parquet or CSV file of loans; write ``value/lines.parquet``, ``totals.json``, ``findings.json`` and
    ``waterfall.svg`` below ``out``. ``draws``: how many of the assumptions where some have a range and the curves have
    no draws of their own. BadInput when no row can be valued, or an id stands twice (OP453).
    """
    held: list[ValuedFile] = []

    def build(directory: Path) -> None:
        held.append(_valued(path, curves, given, directory, cohort, _draws(curves, given, draws)))

    check_replaced(out / "value", WRITTEN)
    replace_directory(out / "value", build)
    return held[0]


def _draws(curves: CurvesRead, given: LifetimeAssumptions, draws: int) -> list[Draw]:
    drawn: Sequence[Curves] = curves.draws or ([curves.curves] * draws if given.has_ranges else [])
    return list(paired(drawn, given, SEED))


def _valued(
    path: Path, curves: CurvesRead, given: LifetimeAssumptions, directory: Path, cohort: str | None, draws: list[Draw]
) -> ValuedFile:
    sums, drawn, findings, left_out = Sums(), DrawnSums(draws), [*curves.findings], 0
    with LinesFile(directory / "lines.parquet") as lines:
        for block in loan_blocks(path):
            table = block.table
            read = read_loans(table, curves.curves, by=curves.by, constants=given.terms, currency=given.currency)
            findings += [*block.findings, *(_numbered(finding, block.number) for finding in read.findings)]
            left_out += len(block.findings) + table.num_rows - len(read.loans)
            if len(read.loans):
                valued = value(read.loans, curves.curves, given)
                names = _cohorts(table, read.rows, cohort)
                lines.write(lines_table(read.loans.loan_id, names, valued))
                sums.add(names, given.in_scenario.volume * read.loans.principal, valued)
                drawn.add(names, read.loans)
    if not sums.loans:
        raise BadInput(findings or [no_rows(path)])
    refuse_twice(directory / "lines.parquet", lines.blocks, path)
    told = ValuedFile(
        currency=given.currency, scenario=given.in_scenario.name, total=drawn.told(sums.totals(None, "all"), None),
        cohorts=tuple(drawn.told(sums.totals(name, name), name) for name in sorted(sums.loans)) if cohort else (),
        left_out=left_out, draws=len(draws), findings=tuple(findings),
    )  # fmt: skip
    _write_told(directory, told)
    return told


def _write_told(directory: Path, told: ValuedFile) -> None:
    from opportune.reports import waterfall_chart

    write_json(
        directory / "totals.json",
        {"total": told.total, "cohorts": told.cohorts, "scenario": told.scenario, "currency": told.currency,
         "left_out": told.left_out, "draws": told.draws},
    )  # fmt: skip
    write_json(directory / "findings.json", told.findings)
    steps = {name: told.total.lines[name] for name in RLTC_LINES}
    write_text(directory / "waterfall.svg", waterfall_chart(steps, "RLTC", told.currency))


def _numbered(finding: Finding, number: np.ndarray) -> Finding:
    """Return the finding with the row's number in the file instead of in the block."""
    if not finding.subject.startswith("row "):
        return finding
    place, rest = finding.subject.removeprefix("row ").split(" ", 1)
    return msgspec.structs.replace(finding, subject=f"row {number[int(place) - 1]} {rest}")


def _cohorts(table: "pa.Table", rows: np.ndarray, cohort: str | None) -> np.ndarray:
    """Return the cohort of each valued row, as text."""
    if cohort is None:
        return np.full(len(rows), "all", dtype=object)
    if table.column_names.count(cohort) != 1:
        given = "stands in two columns" if cohort in table.column_names else "is no column"
        message = f"{given}: expected one of {', '.join(table.column_names)}"
        raise BadInput(
            [Finding(code="OP450", source="--cohort", subject=cohort, message=message, next_step="name one")]
        )
    return np.array([str(each) for each in table[cohort].take(rows).to_pylist()], dtype=object)
