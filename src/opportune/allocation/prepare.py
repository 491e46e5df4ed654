"""Prepare: from the lender's candidates to the pool that the solver works on, and back to whole choices.

Opportunities are put in the order of their customers where a customer gets only so many offers, numbered by cell (those
that the same rows are about), and identical ones are merged into one that stands for many.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation._kernels import best_values, fill, hashes
from opportune.allocation.pool import InMemory, Pool, largest_value
from opportune.allocation.problem import SAMPLE, Problem, build_problem
from opportune.domain import Candidates, Limit, LimitRow, Places, Reserved, limit_rows, places_of

WORTH_MERGING = 0.02
"""Share of a sample that must be repetitions before all are compared."""
UNEVEN = 1e3
"""Times the mean best value up to which penalties on passed rows are worth more than any offer."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with what limits say of it.

    ``place_of_cell`` (C, limits) is the place of each cell in each limit; ``row_of`` (n,) the row of the pool that
    stands for each of the lender's opportunities; ``most`` the offers that one customer may get,
    None where every opportunity stands alone.
    """

    pool: Pool
    opportunity_id: np.ndarray
    places: tuple[Places, ...]
    place_of_cell: np.ndarray
    resources: tuple[str, ...]
    value_scale: float
    row_of: np.ndarray
    most: int | None

    def problem(self, limits: Sequence[Limit], reserved: Mapping[str, Reserved]) -> Problem:
        """Return the problem under limits that differ in their bounds alone from those prepared for."""
        rows = limit_rows(self.places_of(limits), reserved)
        about = np.array([self._about(row) for row in rows]).reshape(len(rows), len(self.place_of_cell))
        return build_problem(self.pool, rows, about, self.resources, self.value_scale, self.most or 1)

    def places_of(self, limits: Sequence[Limit]) -> tuple[Places, ...]:
        """Return the places with limits that differ in their bounds alone from those prepared for."""
        return tuple(msgspec.structs.replace(p, limit=limit) for p, limit in zip(self.places, limits, strict=True))

    def by_largest(self) -> "Prepared | None":
        """Return the same with values scaled by the largest magnitude; None where that is hardly another scale."""
        largest = largest_value(self.pool)
        if largest <= UNEVEN:
            return None
        return msgspec.structs.replace(
            self, pool=self.pool.worth(1.0 / largest), value_scale=self.value_scale * largest
        )  # fmt: skip

    def _about(self, row: LimitRow) -> np.ndarray:
        return np.asarray(row.multiplier(self.place_of_cell[:, row.source]))

    def expanded(self, choice: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the choice (n,) of each of the lender's opportunities from whole choices in the pool.

        ``pairs`` are rows of the pool, offers and whole amounts: of the opportunities that such a row stands for, the
        first get its first offer, and so on; those that are left get none.
        """
        whole = np.asarray(choice[self.row_of])
        open_rows, offers, amounts = pairs
        if not len(open_rows):
            return whole
        members = np.argsort(self.row_of, kind="stable")
        begins = np.searchsorted(self.row_of[members], open_rows)
        taken: dict[int, int] = {}
        for row, begin, offer, amount in zip(open_rows, begins, offers, np.rint(amounts).astype(np.int64), strict=True):
            at = begin + taken.get(int(row), 0)
            whole[members[at : at + amount]] = offer
            taken[int(row)] = taken.get(int(row), 0) + int(amount)
        return whole


def prepare(candidates: Candidates, limits: Sequence[Limit], most: int | None) -> Prepared:
    """Return candidates in memory prepared for limits. Only the resources that limits name are looked at.

    ``most`` is the number of offers that one customer may get over all of its opportunities, None for no such cap.
    """
    places = places_of(limits, [candidates.attributes])
    cell, place_of_cell = cells_of(codes_of(places, candidates))
    order, first = by_customer(candidates.customer_id, most)
    resources, scale = resources_of(places), value_scale(candidates)
    offers = np.empty((len(candidates), 1 + len(resources), len(candidates.offer_ids)))
    write_offers(offers, candidates, resources, order, scale)
    pool = InMemory(offers, cell[order], np.ones(len(order)), first)
    row_of = np.empty_like(order)
    row_of[order] = np.arange(len(order))
    if len(first) == len(order) + 1:
        pool, row_of = merged(pool, row_of)
    return Prepared(
        pool=pool,
        opportunity_id=candidates.opportunity_id,
        places=places,
        place_of_cell=place_of_cell,
        resources=resources,
        value_scale=scale,
        row_of=row_of,
        most=most,
    )


def resources_of(places: Sequence[Places]) -> tuple[str, ...]:
    """Return the resources that limits name, in order."""
    return tuple(sorted({name for row in limit_rows(places) for name in (row.uses, row.per) if name is not None}))


def codes_of(places: Sequence[Places], candidates: Candidates) -> np.ndarray:
    """Return the place of each opportunity in each limit (n, limits), -1 where a limit is not about it."""
    codes = np.zeros((len(candidates), len(places)), dtype=np.int32)
    for column, each in enumerate(places):
        if (found := each.codes(candidates.attributes)) is not None:
            codes[:, column] = found
    return codes


def cells_of(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell (n,) of each opportunity from its places (n, limits), and the places of each cell (C, limits)."""
    cell = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        if len(column) and column.any():
            cell = np.unique(cell * (int(column.max()) + 2) + column + 1, return_inverse=True)[1]
    one_of = np.unique(cell, return_index=True)[1]
    return cell, codes[one_of] if len(codes) else np.zeros((1, codes.shape[1]), dtype=np.int32)


def by_customer(customer_id: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the order (n,) that keeps customers together, and where the opportunities of each begin (customers + 1,).

    Without a cap every opportunity stands for a customer of its own.
    """
    if most is None:
        return np.arange(len(customer_id)), np.arange(len(customer_id) + 1)
    places: dict[object, int] = {}
    codes = np.fromiter((places.setdefault(each, len(places)) for each in customer_id), np.int64, len(customer_id))
    return np.argsort(codes, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)


def value_scale(candidates: Candidates) -> float:
    """Return the mean best value of an opportunity; where no offer is worth anything, the largest magnitude, or 1."""
    best, largest = best_values(candidates.value, candidates.eligible)
    return float(best.sum()) / max(len(candidates), 1) or float(largest.max()) or 1.0


def write_offers(
    into: np.ndarray, candidates: Candidates, resources: Sequence[str], order: np.ndarray, scale: float
) -> None:
    """Write scaled values and uses of candidates into (n, 1 + R, K), in an order (n,)."""
    fill(into, 0, candidates.value, candidates.eligible, order, 1.0 / scale, -np.inf)
    for layer, name in enumerate(resources, 1):
        fill(into, layer, candidates.uses[name], candidates.eligible, order, 1.0, 0.0)


def merged(pool: InMemory, row_of: np.ndarray) -> tuple[InMemory, np.ndarray]:
    """Return the pool with identical opportunities as one, and the row of each of the lender's opportunities.

    Rows with equal hashes are compared bit by bit: where two differ after all, nothing is merged.
    """
    if not _repeats(pool):
        return pool, row_of
    _, kept, group = np.unique(hashes(pool.offers, pool.cell), return_index=True, return_inverse=True)
    same = np.array_equal(pool.offers[kept[group]], pool.offers) and np.array_equal(pool.cell[kept[group]], pool.cell)
    if not same:
        return pool, row_of
    one = InMemory(pool.offers[kept], pool.cell[kept], np.bincount(group).astype(np.float64), np.arange(len(kept) + 1))
    return one, group[row_of]


def _repeats(pool: InMemory) -> bool:
    """Return whether opportunities repeat often enough in a sample for merging to pay."""
    if not len(pool.cell):
        return False
    rows = np.unique(np.linspace(0, len(pool.cell) - 1, SAMPLE).astype(np.int64))
    return len(np.unique(hashes(pool.offers[rows], pool.cell[rows]))) < (1.0 - WORTH_MERGING) * len(rows)
