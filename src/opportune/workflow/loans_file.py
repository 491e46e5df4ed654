"""A file of loans, read a million rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.lifetime import BLOCK
from opportune.workflow.csv_text import ShortRow, csv_reader

if TYPE_CHECKING:
    import pyarrow as pa


class LoanBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a file, and the number (n,) of each in it. ``findings``: one per row of another length before them."""

    table: "pa.Table"
    number: np.ndarray
    findings: tuple[Finding, ...]


def loan_blocks(path: Path) -> Iterator[LoanBlock]:
    """Yield the rows of a file, a million at a time."""
    import pyarrow as pa

    start, told, short = 0, 0, list[ShortRow]()
    for batch in _batches(path, short):
        number = _numbers(start, batch.num_rows, short)
        findings = tuple(_short(path, row) for row in short[told:])
        yield LoanBlock(table=pa.Table.from_batches([batch]), number=number, findings=findings)
        start, told = start + batch.num_rows, len(short)


def _numbers(start: int, count: int, short: list[ShortRow]) -> np.ndarray:
    """Return the number in the file of ``count`` rows, before which ``start`` were read and others put aside."""
    read_before = [row.number - 1 - i for i, row in enumerate(short)]
    place = np.arange(start, start + count)
    return np.asarray(place + 1 + np.searchsorted(np.array(read_before, dtype=np.int64), place, side="right"))


def _batches(path: Path, short: list[ShortRow]) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa

    try:
        if path.suffix.lower() == ".csv":
            yield from csv_reader(path, short)
        else:
            import pyarrow.parquet as pq

            yield from pq.ParquetFile(path).iter_batches(BLOCK)
    except FileNotFoundError as error:
        raise BadInput([_unread(path, "is missing: expected a Parquet or CSV file of loans")]) from error
    except pa.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise BadInput([_unread(path, f"cannot be read as {path.suffix or 'Parquet'}: {first}")]) from error


def _short(path: Path, row: ShortRow) -> Finding:
    step = "correct it, or the separators of the file; the other rows are valued"
    return Finding(code="OP458", source=path.name, subject=f"row {row.number}", message=row.message, next_step=step)


def _unread(path: Path, message: str) -> Finding:
    step = "name a file that ends with .parquet or .csv"
    return Finding(code="OP458", source=path.name, subject="", message=message, next_step=step)


def no_rows(path: Path) -> Finding:
    """Return the finding of a file without loans."""
    return Finding(code="OP458", source=path.name, subject="", message="has no rows: expected loans", next_step="")
