"""A file of dated flows, one row per advance or payment of a contract, and what is wrong with its rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import Flows

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
    table = _table(path)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        message = f"is missing: expected the columns {', '.join(COLUMNS)}; there are {', '.join(table.column_names)}"
        raise BadInput([_finding(path, ", ".join(missing), message, "name the columns so")])
    ids, names = _contracts(table["contract"])
    day, amount, side = _days(table["date"]), _numbers(table["amount"]), _text(table["side"])
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
    findings = tuple(_row_findings(path, table, faults))
    return FlowsRead(contracts=names, advances=advances, payments=payments, findings=findings)


def _table(path: Path) -> "pa.Table":
    import pyarrow as pa

    try:
        if path.suffix.lower() == ".csv":
            import pyarrow.csv

            return pyarrow.csv.read_csv(path)
        import pyarrow.parquet as pq

        return pq.read_table(path)
    except FileNotFoundError as error:
        message, step = "is missing: expected a Parquet or CSV file of flows", "name a file that is there"
        raise BadInput([_finding(path, "", message, step)]) from error
    except pa.ArrowInvalid as error:
        message = f"cannot be read as {path.suffix or 'Parquet'}: {str(error).splitlines()[0]}"
        raise BadInput([_finding(path, "", message, "name a file that ends with .parquet or .csv")]) from error


def _contracts(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's contract (-1 where it has none) and the contracts' ids."""
    import pyarrow.compute as pc

    text = column.cast("string").combine_chunks()
    coded = pc.if_else(pc.equal(text, ""), None, text).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, np.array(coded.dictionary.to_pylist(), dtype=object)


def _text(column: Any) -> np.ndarray:
    return np.array(column.cast("string").fill_null("").to_numpy(), dtype=str)


def _numbers(column: Any) -> np.ndarray:
    """Return numbers (n,), NaN where a cell is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type):
        is_number = pc.match_substring_regex(column, r"^\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$")
        column = pc.utf8_trim_whitespace(pc.if_else(is_number, column, None))
    return np.array(column.cast("float64").fill_null(np.nan).to_numpy(), dtype=np.float64)


def _days(column: Any) -> np.ndarray:
    """Return dates (n,), NaT where a cell is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type):
        column = pc.strptime(column, format="%Y-%m-%d", unit="s", error_is_null=True)
    return np.array(column.cast("date32").to_numpy(), dtype="datetime64[D]")


EXPECTED = {
    "contract": "a contract's id", "side": f"one of {', '.join(SIDES)}", "date": "a date such as 2024-01-31",
    "amount": "money above zero",
}  # fmt: skip


def _row_findings(path: Path, table: "pa.Table", faults: dict[str, np.ndarray]) -> Iterator[Finding]:
    for name, wrong in faults.items():
        rows = np.flatnonzero(wrong)
        for row in rows[:SHOWN]:
            given, contract = (table[column][int(row)].as_py() for column in (name, "contract"))
            message = f"is {'empty' if given in (None, '') else given}: expected {EXPECTED[name]}"
            yield _finding(path, f"row {row + 1} ({contract or 'no contract'}), {name}", message, "correct it")
        yield from rest(path, len(rows), f"rows have no {name} that can be read")


def rest(path: Path, count: int, words: str) -> Iterator[Finding]:
    """Yield a finding that counts what is not told one by one."""
    if count > SHOWN:
        yield _finding(path, "", f"{count - SHOWN:,} more {words}", "correct those above first")


def _finding(path: Path, subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP415", source=path.name, subject=subject, message=message, next_step=step)
