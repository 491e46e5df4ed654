"""A CSV file read as text, and its rows that have too few or too many cells: they cost themselves, not the file."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import pyarrow.csv as pacsv

BLOCK = 1 << 26
"""Bytes of a CSV file that are read at a time."""


class ShortRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row (``number`` from 1, the header not counted) whose cells are not as many as the columns, and its text."""

    number: int
    cells: int
    columns: int
    text: str

    @property
    def message(self) -> str:
        """What is wrong with it, in words."""
        return f"has {self.cells} cells: expected {self.columns}, one per column"


def csv_reader(path: Path, short: list[ShortRow]) -> "pacsv.CSVStreamingReader":
    """Open a file with every cell as text; rows of another length are left out and appended to ``short``.

    A word in a column of numbers is then a matter of its row, and ids keep their zeros.
    """
    import pyarrow as pa
    import pyarrow.csv

    # On several threads Arrow does not know the number of a row.
    read = pyarrow.csv.ReadOptions(block_size=BLOCK, use_threads=False)
    aside = pyarrow.csv.ParseOptions(invalid_row_handler=lambda row: "skip")
    with pyarrow.csv.open_csv(path, read_options=read, parse_options=aside) as opened:
        names = opened.schema.names
    as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), null_values=[""],
                                         strings_can_be_null=True)  # fmt: skip

    def put_aside(row: "pacsv.InvalidRow") -> str:
        columns, cells = row.expected_columns, row.actual_columns
        short.append(ShortRow(number=row.number - 1, cells=cells, columns=columns, text=row.text))
        return "skip"

    parse = pyarrow.csv.ParseOptions(invalid_row_handler=put_aside)
    return pyarrow.csv.open_csv(path, read_options=read, parse_options=parse, convert_options=as_text)
