"""The shape of the table `candidates`, one row per eligible (opportunity, offer), and how such rows become arrays.

``opportunity_id, customer_id, slot, offer_id, value``, the resources, and columns of the opportunity that limits may be
about. Rows are sorted by opportunity, or by customer and opportunity: those of an opportunity follow each other.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opportune.domain import BadInput, Candidates, Finding

KEYS = ("opportunity_id", "customer_id", "slot")
NAMES = (*KEYS, "offer_id")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of a ``source`` are resources, and which are attributes of the opportunity: all others."""

    source: str
    resources: tuple[str, ...]
    columns: tuple[str, ...]
    currency: str

    @property
    def names(self) -> list[str]:
        """All columns."""
        return [*NAMES, "value", *self.resources, *self.columns]

    def dense(self, rows: pa.Table, starts: np.ndarray, offer_ids: tuple[str, ...]) -> Candidates:
        """Return whole opportunities, each beginning at one of ``starts`` (opportunities + 1,), as arrays."""
        count, offers = len(starts) - 1, len(offer_ids)
        row = np.repeat(np.arange(count), np.diff(starts))
        offer = _codes(rows["offer_id"], offer_ids)
        at = row * offers + offer
        eligible = np.zeros(count * offers, dtype=bool)
        eligible[at] = True
        if int(eligible.sum()) != len(at):
            raise BadInput([self.finding("offer_id", "stands twice for one opportunity: expected each offer once")])
        one = rows.take(pa.array(starts[:-1]))
        return Candidates(
            opportunity_id=_texts(one["opportunity_id"]),
            customer_id=_texts(one["customer_id"]),
            slot=_texts(one["slot"]),
            offer_ids=offer_ids,
            eligible=eligible.reshape(count, offers),
            value=_filled(rows["value"], at, count, offers),
            uses={name: _filled(rows[name], at, count, offers) for name in self.resources},
            currency=self.currency,
            attributes=self.attributes(rows, starts),
        )

    def attributes(self, rows: pa.Table, starts: np.ndarray) -> dict[str, np.ndarray]:
        """Return the attributes of whole opportunities."""
        one = rows.take(pa.array(starts[:-1]))
        return {name: _values(one[name]) for name in self.columns}

    def finding(self, subject: str, message: str) -> Finding:
        """Return what is wrong with a column or an opportunity (OP509)."""
        step = "bring it into the shape of the table `candidates`"
        return Finding(code="OP509", source=self.source, subject=subject, message=message, next_step=step)

    def refuse_nameless(self, rows: pa.Table, before: int) -> None:
        """Raise BadInput where a row lacks one of its ids, after so many rows."""
        for name in NAMES:
            if rows[name].null_count:
                row = before + int(np.argmax(rows[name].is_null().to_numpy())) + 1
                raise BadInput([self.finding(name, f"is missing in row {row}: expected a text in every row")])

    def refuse_differing(self, rows: pa.Table, starts: np.ndarray, before: int) -> None:
        """Raise BadInput where rows of one opportunity differ in what is the opportunity's, after so many rows."""
        inside = np.ones(max(rows.num_rows - 1, 0), dtype=bool)
        inside[starts[1:-1] - 1] = False
        for name in (*KEYS[1:], *self.columns):
            if len(differ := np.flatnonzero(inside & _changes(rows[name]))):
                at = int(differ[0])
                one, other = (rows[name][row].as_py() for row in (at, at + 1))
                where = f"row {before + at + 2} ({rows['opportunity_id'][at].as_py()})"
                message = f"is {other!r} in {where} and {one!r} in the row before: expected one {name} per opportunity"
                raise BadInput([self.finding(name, message)])

    def orders(self, ids: np.ndarray, owners: np.ndarray, orders: list[int]) -> list[int]:
        """Return which of some orders opportunities are in: 0 by id, 1 by customer and id. BadInput where in none."""
        later = ids[1:] > ids[:-1]
        kept = (later, (owners[1:] > owners[:-1]) | (owners[1:] == owners[:-1]) & later)
        if left := [order for order in orders if kept[order].all()]:
            return left
        back = max(int(np.argmin(kept[order])) for order in orders)
        message = (
            f"comes after {ids[back]}: expected rows sorted by opportunity_id, or by customer_id and opportunity_id"
        )
        raise BadInput([self.finding(str(ids[back + 1]), message)])


def shape_of(source: str, names: Sequence[str], resources: Sequence[str], currency: str) -> Shape:
    """Return the shape of a table with columns of these names. BadInput (OP509) for a column that is missing."""
    others = tuple(name for name in names if name not in (*NAMES, "value", *resources))
    shape = Shape(source=source, resources=tuple(resources), columns=others, currency=currency)
    missing = [name for name in (*NAMES, "value", *resources) if name not in names]
    if missing:
        raise BadInput([shape.finding(name, "is missing: expected this column") for name in missing])
    return shape


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return a column of names as codes of its texts."""
    return column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()


def begins(ids: pa.ChunkedArray) -> np.ndarray:
    """Return where each run of equal ids begins; the last run may go on in the next batch."""
    codes = np.asarray(pa.chunked_array(ids).unify_dictionaries().combine_chunks().indices)
    return np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])


def offers_in(column: pa.ChunkedArray) -> set[str]:
    """Return the offers that occur in a column."""
    return set(pc.unique(column.drop_null()).to_pylist())


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
