"""A file of loans to lifetime lines per loan, totals per cohort, and a picture; a million rows at a time."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import RLTC_LINES, Curves, LifetimeAssumptions, read_loans, value
from opportune.tables import replace_directory, write_json, write_text
from opportune.workflow.lines_file import LinesFile, lines_table, refuse_twice
from opportune.workflow.loans_file import loan_blocks, no_rows
from opportune.workflow.value_totals import Sums, Totals

if TYPE_CHECKING:
    import pyarrow as pa


class ValuedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was valued: the sums of all loans and of each cohort, and what was left out and why."""

    currency: str
    scenario: str
    total: Totals
    cohorts: tuple[Totals, ...]
    left_out: int
    findings: tuple[Finding, ...]


def value_file(
    path: Path, curves: Curves, by: tuple[str, ...], given: LifetimeAssumptions, out: Path, cohort: str | None
) -> ValuedFile:
    """Value a Parquet or CSV file of loans; write ``value/lines.parquet``, ``totals.json``, ``findings.json`` and
    ``waterfall.svg`` below ``out``. BadInput when no row can be valued, or an id stands twice (OP453).
    """
    held: list[ValuedFile] = []

    def build(directory: Path) -> None:
        held.append(_valued(path, curves, by, given, directory, cohort))

    replace_directory(out / "value", build)
    return held[0]


def _valued(
    path: Path, curves: Curves, by: tuple[str, ...], given: LifetimeAssumptions, directory: Path, cohort: str | None
) -> ValuedFile:
    sums, findings, left_out = Sums(given.in_scenario.volume), list[Finding](), 0
    with LinesFile(directory / "lines.parquet") as lines:
        for start, table in loan_blocks(path):
            read = read_loans(table, curves.segments, by=by, constants=given.terms, currency=given.currency)
            findings += [_shifted(finding, start) for finding in read.findings]
            left_out += table.num_rows - len(read.loans)
            if len(read.loans):
                valued = value(read.loans, curves, given)
                names = _cohorts(table, read.rows, cohort)
                lines.write(lines_table(read.loans.loan_id, names, valued))
                sums.add(names, read.loans.principal, valued)
    if not sums.loans:
        raise BadInput(findings or [no_rows(path)])
    refuse_twice(directory / "lines.parquet", lines.blocks, path)
    told = ValuedFile(
        currency=given.currency, scenario=given.in_scenario.name, total=sums.totals(None, "all"),
        cohorts=tuple(sums.totals(name, name) for name in sorted(sums.loans)) if cohort else (),
        left_out=left_out, findings=tuple(findings),
    )  # fmt: skip
    _write_told(directory, told)
    return told


def _write_told(directory: Path, told: ValuedFile) -> None:
    from opportune.reports import waterfall_chart

    write_json(directory / "totals.json", {"total": told.total, "cohorts": told.cohorts, "scenario": told.scenario,
                                           "currency": told.currency, "left_out": told.left_out})  # fmt: skip
    write_json(directory / "findings.json", told.findings)
    steps = {name: told.total.lines[name] for name in RLTC_LINES}
    write_text(directory / "waterfall.svg", waterfall_chart(steps, "RLTC", told.currency))


def _shifted(finding: Finding, start: int) -> Finding:
    """Return the finding with the row's number in the file instead of in the block."""
    if not start or not finding.subject.startswith("row "):
        return finding
    number, rest = finding.subject.removeprefix("row ").split(" ", 1)
    return msgspec.structs.replace(finding, subject=f"row {int(number) + start} {rest}")


def _cohorts(table: "pa.Table", rows: np.ndarray, cohort: str | None) -> np.ndarray:
    """Return the cohort of each valued row, as text."""
    if cohort is None:
        return np.full(len(rows), "all", dtype=object)
    if cohort not in table.column_names:
        message = f"is no column: expected one of {', '.join(table.column_names)}"
        raise BadInput(
            [Finding(code="OP450", source="--cohort", subject=cohort, message=message, next_step="name one")]
        )
    return np.array([str(each) for each in table[cohort].take(rows).to_pylist()], dtype=object)
