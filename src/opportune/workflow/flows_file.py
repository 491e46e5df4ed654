"""A file of dated flows, one row per advance or payment of a contract, and what is wrong with its rows."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import Flows
from opportune.economics.cells import days_of
from opportune.workflow.csv_text import ShortRow, csv_reader

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("contract", "side", "date", "amount")
SIDES = ("advance", "payment")
SHOWN = 20
"""Findings of one kind that are told one by one; the rest are counted."""


class FlowsRead(msgspec.Struct, frozen=True, kw_only=True):
    """Advances and payments of ``contracts`` (ids, in the order of the file), and findings.

    A row that cannot be read has an amount that is not a number, so that its contract has no rate.
    """

    contracts: np.ndarray
    advances: Flows
    payments: Flows
    findings: tuple[Finding, ...]


def read_flows(path: Path) -> FlowsRead:
    """Read a Parquet or CSV file with the columns of ``COLUMNS``. BadInput (OP415) for a missing file or column."""
    short: list[ShortRow] = []
    table = _in_place(_table(path, short), short)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        message = f"is missing: expected the columns {', '.join(COLUMNS)}; there are {', '.join(table.column_names)}"
        raise BadInput([_finding(path, ", ".join(missing), message, "name the columns so")])
    text = _text(path, table)
    ids, names = _contracts(text["contract"])
    day, amount, side = _days(text["date"]), _numbers(text["amount"]), _sides(text["side"])
    lent = np.array(side == "advance")
    faults = {
        "contract": ids < 0, "side": ~np.isin(side, SIDES), "date": np.isnat(day), "amount": ~(amount > 0.0),
    }  # fmt: skip
    wrong = np.any(list(faults.values()), axis=0)
    amount, day = np.where(wrong, np.nan, amount), np.where(np.isnat(day), np.datetime64("1970-01-01"), day)
    advances, payments = (
        Flows(contract=ids[rows], day=day[rows], amount=amount[rows])
        for rows in (lent & (ids >= 0), ~lent & (ids >= 0))
    )
    of_another_length = np.isin(np.arange(len(ids)) + 1, [row.number for row in short])
    told = {name: fault & ~of_another_length for name, fault in faults.items()}
    findings = (*_short_findings(path, short), *_row_findings(path, text, told))
    return FlowsRead(contracts=names, advances=advances, payments=payments, findings=findings)


def _table(path: Path, short: list[ShortRow]) -> "pa.Table":
    import pyarrow as pa

    try:
        if path.suffix.lower() == ".csv":
            return csv_reader(path, short).read_all()
        import pyarrow.parquet as pq

        return pq.read_table(path)
    except FileNotFoundError as error:
        message, step = "is missing: expected a Parquet or CSV file of flows", "name a file that is there"
        raise BadInput([_finding(path, "", message, step)]) from error
    except pa.ArrowInvalid as error:
        message = f"cannot be read as {path.suffix or 'Parquet'}: {str(error).splitlines()[0]}"
        raise BadInput([_finding(path, "", message, "name a file that ends with .parquet or .csv")]) from error


def _in_place(table: "pa.Table", short: list[ShortRow]) -> "pa.Table":
    """Return the table with the rows of another length where they stood, their contract alone known.

    Without them a contract would have the rate of the flows that are left.
    """
    if not short:
        return table
    import pyarrow as pa

    cells = [dict(zip(table.column_names, next(csv.reader([row.text])), strict=False)) for row in short]
    known = pa.Table.from_pylist([{"contract": each.get("contract")} for each in cells], table.schema)
    before = [row.number - 1 - i for i, row in enumerate(short)]
    order = np.insert(np.arange(table.num_rows), before, table.num_rows + np.arange(len(short)))
    return pa.concat_tables([table, known]).take(order)


def _text(path: Path, table: "pa.Table") -> dict[str, Any]:
    """Return the columns as text. BadInput for one that stands twice, or whose type no text stands for."""
    import pyarrow as pa

    made, findings = dict[str, Any](), []
    for name in COLUMNS:
        if table.column_names.count(name) > 1:
            findings.append(_finding(path, name, "stands in two columns: expected one", "rename or remove the other"))
            continue
        column = table[name].combine_chunks()
        try:
            is_time = pa.types.is_timestamp(column.type)
            made[name] = (column.cast("date32", safe=False) if is_time else column).cast("string")
        except pa.ArrowException as error:
            message = f"is of type {column.type}, which cannot be read ({str(error).splitlines()[0]})"
            findings.append(_finding(path, name, f"{message}: expected {EXPECTED[name]}", "write it as plain cells"))
    if findings:
        raise BadInput(findings)
    return made


def _contracts(text: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's contract (-1 where it has none) and the contracts' ids."""
    import pyarrow.compute as pc

    coded = pc.if_else(pc.equal(text, ""), None, text).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, np.array(coded.dictionary.to_pylist(), dtype=object)


def _sides(text: Any) -> np.ndarray:
    return np.array(text.fill_null("").to_numpy(zero_copy_only=False), dtype=str)


def _numbers(text: Any) -> np.ndarray:
    """Return numbers (n,), NaN where a cell is none."""
    import pyarrow.compute as pc

    is_number = pc.match_substring_regex(text, r"^\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$")
    plain = pc.utf8_trim_whitespace(pc.if_else(is_number, text, None))
    return np.array(plain.cast("float64").fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def _days(text: Any) -> np.ndarray:
    """Return dates (n,), NaT where a cell is none."""
    return np.array(days_of(text).to_numpy(zero_copy_only=False), dtype="datetime64[D]")


EXPECTED = {
    "contract": "a contract's id", "side": f"one of {', '.join(SIDES)}", "date": "a date such as 2024-01-31",
    "amount": "money above zero",
}  # fmt: skip


def _short_findings(path: Path, short: list[ShortRow]) -> Iterator[Finding]:
    for row in short[:SHOWN]:
        yield _finding(path, f"row {row.number}", row.message, "correct it, or the separators of the file")
    yield from rest(path, len(short), "rows have another number of cells")


def _row_findings(path: Path, text: dict[str, Any], faults: dict[str, np.ndarray]) -> Iterator[Finding]:
    for name, wrong in faults.items():
        rows = np.flatnonzero(wrong)
        for row in rows[:SHOWN]:
            given, contract = (text[column][int(row)].as_py() for column in (name, "contract"))
            message = f"is {'empty' if given in (None, '') else given}: expected {EXPECTED[name]}"
            yield _finding(path, f"row {row + 1} ({contract or 'no contract'}), {name}", message, "correct it")
        yield from rest(path, len(rows), f"rows have no {name} that can be read")


def rest(path: Path, count: int, words: str) -> Iterator[Finding]:
    """Yield a finding that counts what is not told one by one."""
    if count > SHOWN:
        yield _finding(path, "", f"{count - SHOWN:,} more {words}", "correct those above first")


def _finding(path: Path, subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP415", source=path.name, subject=subject, message=message, next_step=step)
