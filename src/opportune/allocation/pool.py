"""The opportunities as the solver holds them: one array of scaled values and uses, walked in blocks."""

from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np


class Block(msgspec.Struct, frozen=True):
    """A run of opportunities: ``offers`` (b, 1 + R, K), the scaled value (-inf: not eligible) and uses by resource;
    ``cell`` and ``copies`` (b,); ``first`` (customers + 1,) where the opportunities of each customer begin.
    """

    offers: np.ndarray
    cell: np.ndarray
    copies: np.ndarray
    first: np.ndarray


class Pool(Protocol):
    """All opportunities, in blocks that split no customer.

    ``cell`` (n,), ``copies`` (n,) and ``first`` (customers + 1,) are held for all; offers are read when asked for.
    """

    @property
    def cell(self) -> np.ndarray:
        """The cell (n,) of each opportunity."""
        ...

    @property
    def copies(self) -> np.ndarray:
        """How many identical opportunities each (n,) stands for."""
        ...

    @property
    def first(self) -> np.ndarray:
        """Where the opportunities of each customer begin (customers + 1,)."""
        ...

    def blocks(self) -> Iterator[tuple[slice, Block]]:
        """Yield every block with the rows it covers, in order."""
        ...

    def offers_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the values and uses (q, 1 + R, K) of some opportunities (q,)."""
        ...

    def worth(self, factor: float) -> "Pool":
        """Return the same opportunities with the value of every eligible offer times a factor."""
        ...


class InMemory(msgspec.Struct, frozen=True):
    """Opportunities of which everything is in memory: one block."""

    offers: np.ndarray
    cell: np.ndarray
    copies: np.ndarray
    first: np.ndarray

    def blocks(self) -> Iterator[tuple[slice, Block]]:
        """Yield the one block."""
        yield slice(0, len(self.cell)), Block(self.offers, self.cell, self.copies, self.first)

    def offers_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the values and uses (q, 1 + R, K) of some opportunities (q,)."""
        return np.asarray(self.offers[rows])

    def worth(self, factor: float) -> "InMemory":
        """Return the same opportunities with the value of every eligible offer times a factor."""
        offers = self.offers.copy()
        offers[:, 0] = times(offers[:, 0], factor)
        return msgspec.structs.replace(self, offers=offers)


def times(values: np.ndarray, factor: float) -> np.ndarray:
    """Return scaled values times a factor, -inf as before where not eligible."""
    eligible = np.isfinite(values)
    return np.asarray(np.multiply(values, factor, out=values.copy(), where=eligible))


def largest_value(pool: Pool) -> float:
    """Return the largest magnitude of a scaled value."""
    found = 0.0
    for _, block in pool.blocks():
        values = block.offers[:, 0]
        found = max(found, float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values))))
    return found


def rows_of_customers(first: np.ndarray, customers: np.ndarray) -> np.ndarray:
    """Return the opportunities of some customers, given where those of each begin (customers + 1,)."""
    counts = first[customers + 1] - first[customers]
    ends = np.cumsum(counts)
    return np.asarray(np.repeat(first[customers] - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0))


def part_of(pool: Pool, customers: np.ndarray) -> InMemory:
    """Return the opportunities of some customers in memory."""
    rows = rows_of_customers(pool.first, customers)
    counts = pool.first[customers + 1] - pool.first[customers]
    first = np.concatenate([[0], np.cumsum(counts)])
    return InMemory(pool.offers_of(rows), pool.cell[rows], pool.copies[rows], first)


def customers_of(first: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the customer of each of some opportunities, given where those of each customer begin."""
    return np.asarray(np.searchsorted(first, rows, side="right") - 1)
