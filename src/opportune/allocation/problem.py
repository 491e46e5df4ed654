"""Limits as rows of numbers, and the scaled problem that the solver works on.

Each row reads ``sum a_ik x_ik <= b``: ``at_most`` as it is, ``at_least`` with both sides negated, a ratio as
``uses - bound x per`` against zero. Scaling divides a row by |b| (or by its natural size when b = 0) and values by
the mean best value, so that prices are of order one whatever the units of money; it is undone by ``prices_of``.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.sparse import csr_matrix

from opportune.allocation.pool import Pool, part_of
from opportune.domain import LimitRow

SAMPLE = 20_000
SCALED_BY = 2_000
NEXT_TO_NOTHING = 1e-9
"""A right side below this share of what one offer uses is zero: to divide by it would make rounding look large."""
SMALL = 1_000
"""Lists of so few opportunities are one core, and need no prices to start from."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The scaled problem: maximise mean(value x) with mean(a x) <= b over ``size`` opportunities.

    A row uses one of a few mixes of resources, ``mixes`` (T, R), ``mix`` (m,) says which. ``about`` (m, C) is what it
    multiplies the uses of a cell by, 0 where it is not about it, so that ``a = about x mixes x uses``: however many
    rows there are, prices become charges per cell and resource. ``b`` and ``cap`` (m,), the scaled soft price of each
    row. A customer gets at most ``most`` offers.
    """

    rows: tuple[LimitRow, ...]
    pool: Pool
    resources: tuple[str, ...]
    size: float
    mixes: np.ndarray
    mix: np.ndarray
    about: np.ndarray
    b: np.ndarray
    cap: np.ndarray
    row_scale: np.ndarray
    value_scale: float
    most: int

    def charges(self, prices: np.ndarray) -> np.ndarray:
        """Return the charge per cell and unit of each resource (C, R) that scaled prices (m,) amount to.

        No BLAS here and below: its bits may change.
        """
        return np.ascontiguousarray(np.einsum("m,mc,mr->cr", prices, self.about, self.mixes[self.mix]))

    def rows_of_cells(self, sums: np.ndarray) -> np.ndarray:
        """Return the scaled rows (m,) of uses by cell and resource (C, R)."""
        return np.asarray(np.einsum("mc,mr,cr->m", self.about, self.mixes[self.mix], sums))

    def rows_of_offers(self, cell: np.ndarray, uses: np.ndarray) -> csr_matrix:
        """Return the scaled coefficients (m, q) of offers (q,) to opportunities of some cells, from uses (q, R)."""
        found = csr_matrix(csr_matrix(self.about)[:, cell])
        by_mix = np.einsum("tr,qr->tq", self.mixes, uses)
        mix = np.repeat(self.mix, np.diff(found.indptr))
        return csr_matrix((found.data * by_mix[mix, found.indices], found.indices, found.indptr), found.shape)

    def spread(self, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of rows (m, m) from that of resources by cell (C, R, R)."""
        # One cell at a time: the rows about it are few even where there are many rows.
        total = np.zeros((len(self.rows), len(self.rows)))
        for cell, of_resources in enumerate(covariance):
            rows = np.flatnonzero(self.about[:, cell])
            weights = self.about[rows, cell, None] * self.mixes[self.mix[rows]]
            total[np.ix_(rows, rows)] += np.einsum("mr,rq,nq->mn", weights, of_resources, weights)
        return total

    def prices_of(self, scaled: np.ndarray) -> np.ndarray:
        """Return prices in value per unit of each row's left side, from prices of the scaled problem."""
        return np.asarray(scaled * self.size * self.value_scale / self.row_scale)

    def scaled_prices(self, prices: np.ndarray) -> np.ndarray:
        """Return prices of the scaled problem (m,), undoing ``prices_of``."""
        return np.asarray(prices * self.row_scale / (self.size * self.value_scale))

    def part(self, customers: np.ndarray) -> "Problem":
        """Return the problem of a sample of customers, each mean now over the sample."""
        pool = part_of(self.pool, customers)
        return msgspec.structs.replace(self, pool=pool, size=float(pool.copies.sum()))


def build_problem(
    pool: Pool, rows: Sequence[LimitRow], about: np.ndarray, resources: Sequence[str], value_scale: float, most: int
) -> Problem:
    """Return the scaled problem of a pool under rows; ``about`` (m, C) is what a row multiplies uses of a cell by."""
    size = float(pool.copies.sum())
    of_rows = np.array([_mix(row, resources) for row in rows]).reshape(len(rows), len(resources))
    mixes, mix = np.unique(of_rows, axis=0, return_inverse=True) if len(rows) else (of_rows, np.zeros(0, np.int64))
    row_scale = _row_scales(pool, rows, about, of_rows, size)
    soft = np.array([np.inf if row.soft_price is None else row.soft_price for row in rows])
    return Problem(
        rows=tuple(rows),
        pool=pool,
        resources=tuple(resources),
        size=size,
        mixes=mixes,
        mix=mix.reshape(-1),
        about=about * (size / row_scale)[:, None],
        b=np.array([row.sign * row.right for row in rows]) / row_scale,
        cap=soft * row_scale / (size * value_scale),
        row_scale=row_scale,
        value_scale=value_scale,
        most=most,
    )


def _mix(row: LimitRow, resources: Sequence[str]) -> np.ndarray:
    """Return the coefficient of each resource (R,) in a row that reads <=."""
    weights = np.zeros(len(resources))
    weights[resources.index(row.uses)] += row.sign
    if row.per is not None:
        weights[resources.index(row.per)] -= row.sign * row.bound
    return weights


def _row_scales(
    pool: Pool, rows: Sequence[LimitRow], about: np.ndarray, of_rows: np.ndarray, size: float
) -> np.ndarray:
    """Return |right side| of each row, or where that is next to nothing the size of its coefficients: mean times n.

    A small sample of customers tells the size: a scale need not be exact.
    """
    right = np.abs([row.right for row in rows]).reshape(len(rows))
    if not len(rows) or not len(pool.cell):
        return np.where(right == 0.0, 1.0, right)
    customers = np.unique(np.linspace(0, len(pool.first) - 2, SCALED_BY).astype(np.int64))
    sample = part_of(pool, customers)
    uses = [np.einsum("r,nrk->nk", each, sample.offers[:, 1:]) for each in of_rows]
    mean = np.array([np.mean(np.abs(use * about[r, sample.cell, None])) for r, use in enumerate(uses)])
    return np.where(right > NEXT_TO_NOTHING * mean, right, np.where(mean > 0.0, size * mean, 1.0))
