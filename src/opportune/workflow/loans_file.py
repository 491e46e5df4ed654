"""A file of loans, read a million rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from opportune.domain import BadInput, Finding
from opportune.economics.lifetime import BLOCK

if TYPE_CHECKING:
    import pyarrow as pa

CSV_BLOCK = 1 << 26
"""Bytes of a CSV file that are read at a time."""


def loan_blocks(path: Path) -> Iterator[tuple[int, "pa.Table"]]:
    """Yield the rows of a file with the place of the first, a million at a time."""
    import pyarrow as pa

    start = 0
    for batch in _batches(path):
        table = pa.Table.from_batches([batch])
        yield start, table
        start += table.num_rows


def _batches(path: Path) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa

    try:
        if path.suffix.lower() == ".csv":
            yield from _csv_batches(path)
        else:
            import pyarrow.parquet as pq

            yield from pq.ParquetFile(path).iter_batches(BLOCK)
    except FileNotFoundError as error:
        raise BadInput([_unread(path, "is missing: expected a Parquet or CSV file of loans")]) from error
    except pa.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise BadInput([_unread(path, f"cannot be read as {path.suffix or 'Parquet'}: {first}")]) from error


def _csv_batches(path: Path) -> Iterator["pa.RecordBatch"]:
    """Yield the rows with every cell as text: a word in a column of numbers is a finding about its row, no end."""
    import pyarrow as pa
    import pyarrow.csv

    large = pyarrow.csv.ReadOptions(block_size=CSV_BLOCK)
    with pyarrow.csv.open_csv(path, read_options=large) as opened:
        names = opened.schema.names
    as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), null_values=[""],
                                         strings_can_be_null=True)  # fmt: skip
    yield from pyarrow.csv.open_csv(path, read_options=large, convert_options=as_text)


def _unread(path: Path, message: str) -> Finding:
    step = "name a file that ends with .parquet or .csv"
    return Finding(code="OP458", source=path.name, subject="", message=message, next_step=step)


def no_rows(path: Path) -> Finding:
    """Return the finding of a file without loans."""
    return Finding(code="OP458", source=path.name, subject="", message="has no rows: expected loans", next_step="")
