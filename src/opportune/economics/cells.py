"""The cells of a column that a file brought: numbers, days, or text, whatever the type that they were stored in."""

from typing import Any

import numpy as np


def plain(column: Any) -> Any:
    """Return numbers, days, true and false as they are, and everything else as text.

    ArrowException for what no text stands for.
    """
    import pyarrow as pa

    kind = column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    day = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    if number or day or pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return column
    return column.cast("string")


def float64(column: Any) -> np.ndarray:
    """Return a column of numbers, or of text that is all numbers, as float64, NaN where a cell is empty."""
    return np.asarray(column.cast("float64", safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def days_of(text: Any) -> Any:
    """Return text as dates, null where it is none. A day that no month has would roll on into the next: it is none."""
    import pyarrow.compute as pc

    found = pc.strptime(text, format="%Y-%m-%d", unit="s", error_is_null=True)
    return pc.if_else(pc.equal(pc.strftime(found, "%Y-%m-%d"), text), found, None).cast("date32")
