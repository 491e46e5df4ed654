"""Segments: which group of loans a row belongs to, and which coarser group is its parent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.economics.curves import Curves

if TYPE_CHECKING:
    import pyarrow as pa


def segment_name(key: Sequence[str]) -> str:
    """Return a segment's name: its values, joined; ``all`` where nothing tells loans apart."""
    return "/".join(key) or "all"


def segment_codes(curves: Curves, loans: Any, *, by: Sequence[str]) -> np.ndarray:
    """Return the place in the curves (n,) of each row of a table with the columns ``by`` that they were fitted by.

    BadInput (OP433) for segments that have no curves.
    """
    import pyarrow as pa

    keys, segment = segment_keys(pa.table(loans), by)
    return np.asarray(curves.codes(np.array([segment_name(key) for key in keys]))[segment])


def segment_keys(table: "pa.Table", by: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the segments of a table, sorted: their values (S, L) as text, and each row's place among them (n,)."""
    columns = [table.column(name).combine_chunks().dictionary_encode() for name in by]
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for column in columns:
        codes = codes * max(len(column.dictionary), 1) + column.indices.to_numpy(zero_copy_only=False)
    _, first, segment = np.unique(codes, return_index=True, return_inverse=True)
    if not by:
        return np.empty((1, 0), dtype=str), segment
    keys = np.stack([np.array([str(value) for value in column.take(first).to_pylist()]) for column in columns], axis=1)
    order = np.lexsort(keys.T[::-1])
    return keys[order], np.argsort(order)[segment]


def prefix_groups(keys: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of segments that share their first ``depth`` values: a member and each segment's group.

    At full depth the groups are the segments in their own order.
    """
    if depth == keys.shape[1]:
        return np.arange(len(keys)), np.arange(len(keys))
    _, first, group = np.unique(keys[:, :depth], axis=0, return_index=True, return_inverse=True)
    return first, group.reshape(-1)
