"""Columns of Arrow tables as arrays: the only module of the room that touches Arrow, and only when given a table."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.domain import BadInput, Finding

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 3


def arrow_table(given: Any, needed: Sequence[str], source: str) -> "pa.Table":
    """Return an Arrow table with the needed columns. BadInput (OP611) naming those that are missing."""
    import pyarrow as pa

    table = pa.table(given)
    missing = [name for name in dict.fromkeys(needed) if name not in table.column_names]
    message = f"is missing: expected it among {', '.join(table.column_names)}"
    step = "give or rename the column"
    raise_all([Finding(code="OP611", source=source, subject=name, message=message, next_step=step) for name in missing])
    return table


def column_ids(table: "pa.Table", name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=object)


def column_numbers(table: "pa.Table", name: str) -> np.ndarray:
    """Return a column as numbers, NaN where it is null. BadInput (OP628) where it holds something else."""
    import pyarrow as pa

    try:
        return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput([_of_type(table, name, "numbers")]) from error


def column_times(table: "pa.Table", name: str) -> np.ndarray:
    """Return a column as datetime64, NaT where it is null. BadInput (OP628) where it holds something else."""
    import pyarrow as pa

    kind = table[name].type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_null(kind)):
        raise BadInput([_of_type(table, name, "times")])
    return np.asarray(table[name].to_numpy()).astype("datetime64[us]")


def column_lists(table: "pa.Table", name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each entry (m,) of a column of lists, and its row (m,). BadInput (OP628) where it holds something else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = table[name].combine_chunks()
    if not (pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)):
        raise BadInput([_of_type(table, name, "lists of offer ids, or a second table of them")])
    return np.array(pc.list_flatten(lists).to_pylist(), dtype=object), np.asarray(pc.list_parent_indices(lists))


def _of_type(table: "pa.Table", name: str, expected: str) -> Finding:
    message = f"is of type {table[name].type}: expected {expected}"
    return Finding(code="OP628", source="tables", subject=name, message=message, next_step="convert the column")


def null_findings(table: "pa.Table", names: Sequence[str], source: str) -> Iterator[Finding]:
    for name in dict.fromkeys(names):
        count = table[name].null_count
        if count:
            message = f"is null in {count} of {table.num_rows} rows: expected a value in each"
            step = "give the value, or leave the decision out and say so"
            yield Finding(code="OP612", source=source, subject=name, message=message, next_step=step)


def counted(code: str, source: str, subject: str, ids: np.ndarray, says: str, step: str) -> Finding:
    some = ", ".join(map(str, ids[:SHOWN]))
    return Finding(
        code=code, source=source, subject=subject, message=f"{len(ids)} rows ({some}) {says}", next_step=step
    )


def raise_all(findings: list[Finding]) -> None:
    if findings:
        raise BadInput(findings)


def offer_codes(names: Sequence[Any] | np.ndarray, offer_ids: tuple[str, ...]) -> np.ndarray:
    index = {offer: k for k, offer in enumerate(offer_ids)}
    return np.array([index.get(each, -1) for each in names], dtype=np.int64)


def filled(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    filled, placed = np.zeros(shape), (rows >= 0) & (columns >= 0)
    filled[rows[placed], columns[placed]] = values[placed]
    return filled
