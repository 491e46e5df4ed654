"""A Parquet file of candidates, one row per eligible (opportunity, offer), read in blocks as dense arrays.

The shape is that of the table `candidates`: ``opportunity_id, customer_id, slot, offer_id, value``, the resources, and
columns of the opportunity that limits may be about. The file is sorted by opportunity, or by customer and
opportunity: the rows of an opportunity follow each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opportune.domain import BadInput, Candidates, Finding

KEYS = ("opportunity_id", "customer_id", "slot")
ROWS = 1_048_576


class CandidatesFile:
    """Candidates in a Parquet file that may be larger than memory.

    ``resources`` are the columns that offers use; every other column beyond the keys and the value is an attribute of
    the opportunity, the same in all of its rows. BadInput (OP509) for a column that is missing, for an opportunity
    whose rows are apart or differ in customer, slot or an attribute, and for an offer that stands twice for one.
    """

    def __init__(self, path: Path, resources: Sequence[str], currency: str) -> None:
        self.path = path
        self.resources = tuple(resources)
        self.currency = currency
        names = pq.read_schema(path).names
        missing = [name for name in (*KEYS, "offer_id", "value", *self.resources) if name not in names]
        if missing:
            raise BadInput([self._finding(name, "is missing: expected this column") for name in missing])
        self.columns = tuple(n for n in names if n not in (*KEYS, "offer_id", "value", *self.resources))

    @cached_property
    def offer_ids(self) -> tuple[str, ...]:
        """The offers that occur, sorted."""
        found: set[str] = set()
        for batch in self._batches(["offer_id"]):
            found.update(pc.unique(batch["offer_id"]).to_pylist())
        return tuple(sorted(found))

    @cached_property
    def _count(self) -> int:
        return sum(len(starts) - 1 for _, starts in self._opportunities(["opportunity_id"]))

    def __len__(self) -> int:
        return self._count

    def blocks(self) -> Iterator[Candidates]:
        """Yield the candidates of successive opportunities; each call begins anew."""
        names = [*KEYS, "offer_id", "value", *self.resources, *self.columns]
        ids, owners, orders = np.zeros(0, dtype=object), np.zeros(0, dtype=object), [0, 1]
        before = 0
        for rows, starts in self._opportunities(names):
            self._refuse_differing(rows, starts, before)
            before += rows.num_rows
            block = self._dense(rows, starts)
            ids, owners = np.append(ids[-1:], block.opportunity_id), np.append(owners[-1:], block.customer_id)
            orders = self._orders(ids, owners, orders)
            yield block

    def _refuse_differing(self, rows: pa.Table, starts: np.ndarray, before: int) -> None:
        """Raise BadInput where rows of one opportunity differ in what is the opportunity's, after so many rows."""
        inside = np.ones(rows.num_rows - 1, dtype=bool)
        inside[starts[1:-1] - 1] = False
        for name in (*KEYS[1:], *self.columns):
            if len(differ := np.flatnonzero(inside & _changes(rows[name]))):
                at = int(differ[0])
                one, other = (rows[name][row].as_py() for row in (at, at + 1))
                where = f"row {before + at + 2} ({rows['opportunity_id'][at].as_py()})"
                message = f"is {other!r} in {where} and {one!r} in the row before: expected one {name} per opportunity"
                raise BadInput([self._finding(name, message)])

    def _orders(self, ids: np.ndarray, owners: np.ndarray, orders: list[int]) -> list[int]:
        """Return which of some orders opportunities are in: 0 by id, 1 by customer and id. BadInput where in none."""
        later = ids[1:] > ids[:-1]
        kept = (later, (owners[1:] > owners[:-1]) | (owners[1:] == owners[:-1]) & later)
        if left := [order for order in orders if kept[order].all()]:
            return left
        back = max(int(np.argmin(kept[order])) for order in orders)
        message = (
            f"comes after {ids[back]}: expected rows sorted by opportunity_id, or by customer_id and opportunity_id"
        )
        raise BadInput([self._finding(str(ids[back + 1]), message)])

    def attribute_blocks(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield the attributes of successive opportunities, without their offers."""
        for rows, starts in self._opportunities(["opportunity_id", *self.columns]):
            yield self._attributes(rows, starts)

    def _batches(self, names: list[str]) -> Iterator[pa.Table]:
        # With buffers read ahead, all pages of the file stay in memory until the last batch.
        file = pq.ParquetFile(
            self.path, pre_buffer=False, read_dictionary=[n for n in (*KEYS, "offer_id") if n in names]
        )
        for batch in file.iter_batches(ROWS, columns=names):
            columns = [_encoded(batch[name]) if name in (*KEYS, "offer_id") else batch[name] for name in names]
            yield pa.table(columns, names=names)

    def _opportunities(self, names: list[str]) -> Iterator[tuple[pa.Table, np.ndarray]]:
        """Yield rows that hold whole opportunities, and where each begins (opportunities + 1,)."""
        left: pa.Table | None = None
        for batch in self._batches(names):
            rows = batch if left is None else pa.concat_tables([left, batch], promote_options="permissive")
            starts = _begins(rows["opportunity_id"])
            whole = int(starts[-1])
            if len(starts) > 1:
                yield rows.slice(0, whole), starts
            left = _alone(rows.slice(whole))
        if left is not None and left.num_rows:
            yield left, np.array([0, left.num_rows])

    def _dense(self, rows: pa.Table, starts: np.ndarray) -> Candidates:
        count, offers = len(starts) - 1, len(self.offer_ids)
        row = np.repeat(np.arange(count), np.diff(starts))
        offer = _codes(rows["offer_id"], self.offer_ids)
        at = row * offers + offer
        eligible = np.zeros(count * offers, dtype=bool)
        eligible[at] = True
        if int(eligible.sum()) != len(at):
            raise BadInput([self._finding("offer_id", "stands twice for one opportunity: expected each offer once")])
        one = rows.take(pa.array(starts[:-1]))
        return Candidates(
            opportunity_id=_texts(one["opportunity_id"]),
            customer_id=_texts(one["customer_id"]),
            slot=_texts(one["slot"]),
            offer_ids=self.offer_ids,
            eligible=eligible.reshape(count, offers),
            value=_filled(rows["value"], at, count, offers),
            uses={name: _filled(rows[name], at, count, offers) for name in self.resources},
            currency=self.currency,
            attributes=self._attributes(rows, starts),
        )

    def _attributes(self, rows: pa.Table, starts: np.ndarray) -> dict[str, np.ndarray]:
        one = rows.take(pa.array(starts[:-1]))
        return {name: _values(one[name]) for name in self.columns}

    def _finding(self, subject: str, message: str) -> Finding:
        step = "write the file in the shape of the table `candidates`"
        return Finding(code="OP509", source=self.path.name, subject=subject, message=message, next_step=step)


def _encoded(column: pa.Array) -> pa.Array:
    """Return a column of names as codes of its texts."""
    return column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()


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


def _begins(ids: pa.ChunkedArray) -> np.ndarray:
    """Return where each run of equal ids begins; the last run may go on in the next batch."""
    codes = np.asarray(pa.chunked_array(ids).unify_dictionaries().combine_chunks().indices)
    return np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])


def _changes(column: pa.ChunkedArray) -> np.ndarray:
    """Return which values (n - 1,) differ from the one before; missing ones do not differ."""
    known = column.null_count == 0 and pa.types.is_primitive(column.type)
    if known and not pa.types.is_floating(column.type):
        values = column.to_numpy()
    elif pa.types.is_dictionary(column.type):
        values = column.unify_dictionaries().combine_chunks().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    else:
        values = column.combine_chunks().dictionary_encode("encode").indices.to_numpy()
    return np.asarray(values[1:] != values[:-1])


def _codes(offers: pa.ChunkedArray, known: tuple[str, ...]) -> np.ndarray:
    column = offers.unify_dictionaries().combine_chunks()
    place = {offer: k for k, offer in enumerate(known)}
    of_code = np.array([place[offer] for offer in column.dictionary.to_pylist()], dtype=np.int64)
    return np.asarray(of_code[np.asarray(column.indices)])


def _filled(column: pa.ChunkedArray, at: np.ndarray, count: int, offers: int) -> np.ndarray:
    dense = np.zeros(count * offers)
    dense[at] = column.to_numpy()
    return dense.reshape(count, offers)


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.string()).to_numpy(zero_copy_only=False), dtype=object)


def _values(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return np.asarray(column.to_numpy()).astype("datetime64[us]")
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        return _texts(column)
    return np.asarray(column.to_numpy())
