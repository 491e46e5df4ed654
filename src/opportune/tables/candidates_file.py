"""A Parquet file of candidates, one row per eligible (opportunity, offer), read in blocks as dense arrays."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from opportune.domain import Candidates
from opportune.tables.candidate_rows import NAMES, begins, encoded, offers_in, shape_of

ROWS = 1_048_576


class CandidatesFile:
    """Candidates in a Parquet file that may be larger than memory.

    ``resources`` are the columns that offers use; every other column beyond the keys and the value is an attribute of
    the opportunity, the same in all of its rows. BadInput (OP509) for a column that is missing, for an opportunity
    whose rows are apart or differ in customer, slot or an attribute, and for an offer that stands twice for one.
    """

    def __init__(self, path: Path, resources: Sequence[str], currency: str) -> None:
        self.path = path
        self._shape = shape_of(path.name, pq.read_schema(path).names, resources, currency)

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of what offers use."""
        return self._shape.resources

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the attributes of opportunities."""
        return self._shape.columns

    @cached_property
    def offer_ids(self) -> tuple[str, ...]:
        """The offers that occur, sorted."""
        found: set[str] = set()
        for batch in self._batches(["offer_id"]):
            found |= offers_in(batch["offer_id"])
        return tuple(sorted(found))

    @cached_property
    def _count(self) -> int:
        return sum(len(starts) - 1 for _, starts in self._opportunities(["opportunity_id"]))

    def __len__(self) -> int:
        return self._count

    def blocks(self) -> Iterator[Candidates]:
        """Yield the candidates of successive opportunities; each call begins anew."""
        ids, owners, orders = np.zeros(0, dtype=object), np.zeros(0, dtype=object), [0, 1]
        before = 0
        for rows, starts in self._opportunities(self._shape.names):
            self._shape.refuse_nameless(rows, before)
            self._shape.refuse_differing(rows, starts, before)
            before += rows.num_rows
            block = self._shape.dense(rows, starts, self.offer_ids)
            ids, owners = np.append(ids[-1:], block.opportunity_id), np.append(owners[-1:], block.customer_id)
            orders = self._shape.orders(ids, owners, orders)
            yield block

    def attribute_blocks(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield the attributes of successive opportunities, without their offers."""
        for rows, starts in self._opportunities(["opportunity_id", *self.columns]):
            yield self._shape.attributes(rows, starts)

    def _batches(self, names: list[str]) -> Iterator[pa.Table]:
        # With buffers read ahead, all pages of the file stay in memory until the last batch.
        file = pq.ParquetFile(self.path, pre_buffer=False, read_dictionary=[n for n in NAMES if n in names])
        for batch in file.iter_batches(ROWS, columns=names):
            columns = [encoded(batch[name]) if name in NAMES else batch[name] for name in names]
            yield pa.table(columns, names=names)

    def _opportunities(self, names: list[str]) -> Iterator[tuple[pa.Table, np.ndarray]]:
        """Yield rows that hold whole opportunities, and where each begins (opportunities + 1,)."""
        left: pa.Table | None = None
        for batch in self._batches(names):
            rows = batch if left is None else pa.concat_tables([left, batch], promote_options="permissive")
            starts = begins(rows["opportunity_id"])
            whole = int(starts[-1])
            if len(starts) > 1:
                yield rows.slice(0, whole), starts
            left = _alone(rows.slice(whole))
        if left is not None and left.num_rows:
            yield left, np.array([0, left.num_rows])


def _alone(rows: pa.Table) -> pa.Table:
    """Return a copy of a few rows: a slice would keep the memory of the whole batch that it was cut from."""
    every = pa.array(np.arange(rows.num_rows))
    columns = [
        column.cast(column.type.value_type).take(every).combine_chunks().dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column.take(every)
        for column in rows.columns
    ]
    return pa.table(columns, names=rows.column_names)
