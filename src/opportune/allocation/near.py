"""The few customers whose choice prices leave open: a problem of their own beside all others, whose choice is fixed."""

from collections.abc import Callable

import msgspec
import numpy as np

from opportune.allocation.dual import NEAR_RADIUS, descend
from opportune.allocation.inner import Inner, inner
from opportune.allocation.pool import customers_of, part_of, rows_of_customers
from opportune.allocation.problem import SMALL, Problem
from opportune.allocation.shares import sums_of_pairs

LEAST_NEAR, NEAR_SHARE = 5_000, 0.05
CENTRES = 30
REACH, NEARER, FARTHER = 2.0, 0.25, 2.0
FEW, ENOUGH = 10, 1e-10
"""It is settled once so few customers beside the near ones want another choice, or the bound moves by such a share."""
SHARPEST, SHARPER, OPEN = 1e-3, 0.1, 100
"""Temperatures fall by this factor until softmax leaves about so many customers open."""


def settled_prices(
    problem: Problem, prices: np.ndarray, note: Callable[[np.ndarray], None] = lambda prices: None
) -> tuple[np.ndarray, Inner]:
    """Return prices (m,) near the optimum of all and the best choice there, from those of a sample or a neighbour.

    One pass over all finds the near customers, whose best choice leads by least. Their smoothed dual, the others fixed,
    is cheap enough to be sharpened much further. It is true of all only near the prices that chose them: no price goes
    farther than ``REACH`` leads of the last of them, and prices count only if they lower the bound over all.
    """
    found = inner(problem, prices)
    count = len(problem.pool.cell)
    if len(problem.b) == 0 or count <= SMALL:
        return prices, found
    reach = REACH
    for _ in range(CENTRES):
        near = closest(problem, found.margin, max(LEAST_NEAR, int(NEAR_SHARE * count)))
        within = reach * float(np.max(found.margin[near]))
        there = descend(beside(problem, found, near), prices, _ladder(count), NEAR_RADIUS, note, within)
        best = inner(problem, there, found.choice)
        lower = found.bound - best.bound
        if lower > 0.0:
            prices, found, reach = there, best, FARTHER * reach
            wanting = np.count_nonzero(best.gain > 0.0) - np.count_nonzero(best.gain[near] > 0.0)
        else:
            reach *= NEARER
        if (lower > 0.0 and wanting <= FEW) or abs(lower) <= ENOUGH * abs(found.bound):
            break
    return prices, found


def _ladder(count: int) -> tuple[float, ...]:
    rungs = max(1, 1 + int(np.floor(np.log10(SHARPEST * count / OPEN))))
    return tuple(SHARPEST * SHARPER**rung for rung in range(rungs))


def beside(problem: Problem, found: Inner, rows: np.ndarray) -> Problem:
    """Return the problem of some rows (whole customers) with what all others use at their best choice taken off."""
    pool = part_of(problem.pool, np.unique(customers_of(problem.pool.first, rows)))
    chosen = np.flatnonzero(found.choice[rows] >= 0)
    own = pool.offers[chosen, :, found.choice[rows[chosen]]] * pool.copies[chosen, None]
    rest = found.sums - sums_of_pairs(problem, rows[chosen], own)
    left = problem.b - problem.rows_of_cells(rest[:, 1:]) / max(problem.size, 1.0)
    return msgspec.structs.replace(problem, pool=pool, b=left)


def closest(problem: Problem, margin: np.ndarray, size: int) -> np.ndarray:
    """Return the ``size`` opportunities whose best choice leads by least, of equal ones the first, customers whole."""
    if size >= len(margin):
        return np.arange(len(margin))
    limit = np.partition(margin, size - 1)[size - 1]
    below, equal = np.flatnonzero(margin < limit), np.flatnonzero(margin == limit)
    return whole_customers(problem, np.concatenate([below, equal[: size - len(below)]]))


def whole_customers(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Return all opportunities, in order, of the customers that some rows belong to."""
    first = problem.pool.first
    return rows_of_customers(first, np.unique(customers_of(first, rows)))
