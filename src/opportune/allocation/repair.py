"""Repair: from the linear optimum to whole choices, by exchanges and by an exact programme over few customers."""

import numpy as np

from opportune.allocation._highs import TOLERANCE
from opportune.allocation.core import LinearPlan, opened, programme, shares_of, with_pairs
from opportune.allocation.exchange import exchanged, neighbour
from opportune.allocation.inner import inner
from opportune.allocation.near import closest, whole_customers
from opportune.allocation.problem import Problem
from opportune.allocation.shares import WHOLE, Shares, use_of, value_of

NEARLY = 0.99
"""Exchanges aim at half the gap, and this share of it will do; the rest is for the rounding of float64 sums."""
NEAR = 400
KICKS = 6
FIRST_FREE = 300
LARGEST_FREE = 9_000
FEW = 200
NODES, NODES_OF_SMALL = 100, 3_000
"""A bound on nodes and not on seconds, so that the same problem always gives the same plan."""
TIGHTENINGS = 5
PUSHES, PUSH, LEAST_PRICE = 40, (0.01, 0.5), 0.02
ROUNDING = 1e-12
"""Rows are scaled to order one: an excess below this is the rounding of float64 sums, not of the programme."""


def whole_shares(problem: Problem, linear: LinearPlan, gap: float, tightened: np.ndarray) -> Shares | None:
    """Return whole shares that keep every hard row, within ``gap`` of the bound where that was found.

    Starts from the linear solution, never from the argmax at prices: with ties the argmax is arbitrary. First pairs of
    changes are tried, from the linear solution and from neighbours of what they lead to; where that does not do, an
    integer programme over few customers, or over ever more while nothing keeps the rows. None when nothing was found.
    ``tightened`` (m,) lowers each limit, in scaled units.
    """
    allowed = gap * max(abs(linear.best.bound), 1.0 / (max(problem.size, 1.0) * problem.value_scale))
    enough = linear.best.bound - allowed / 2
    best = _by_exchange(problem, linear, enough, tightened)
    if _worth(problem, best, tightened) >= linear.best.bound - NEARLY * allowed:
        return best
    open_rows, count = linear.shares.fractional(), len(problem.pool.cell)
    size = min(FIRST_FREE, count)
    while True:
        free = whole_customers(problem, np.union1d(open_rows, closest(problem, linear.best.margin, size)))
        found = _free(problem, best, free, allowed / 4, tightened)
        if found is not None and _worth(problem, found, tightened) > _worth(problem, best, tightened):
            best = found
        if np.isfinite(_worth(problem, best, tightened)):
            return best
        if size == count or size >= LARGEST_FREE:
            return None
        size = min(size * 3, count)


def whole_choice(problem: Problem, prices: np.ndarray) -> tuple[np.ndarray, Shares]:
    """Return whole choices made quickly from prices that are not the best, and the prices that made them.

    Prices of rows that are passed rise, by more the further a row is passed, until the best choices keep all; then
    exchanges fill what that leaves. The choices may still pass a row where raising prices does not help.
    """
    nothing = np.zeros(len(problem.rows))
    for _ in range(PUSHES):
        found = inner(problem, prices)
        shares = shares_of(found)
        over = np.where(np.isfinite(problem.cap), 0.0, use_of(problem, shares) - problem.b)
        if np.all(over <= ROUNDING):
            break
        raised = np.maximum(prices * (1.0 + np.clip(2.0 * over, *PUSH)), LEAST_PRICE)
        prices = np.where(over > ROUNDING, raised, prices)
    near = closest(problem, found.margin, NEAR)
    return prices, exchanged(problem, prices, shares, near, found.bound, nothing)


def _by_exchange(problem: Problem, linear: LinearPlan, enough: float, tightened: np.ndarray) -> Shares:
    """Return the best shares that exchanges lead to, from the linear solution and from its neighbours in turn."""
    margin, prices = linear.best.margin, linear.prices
    near = whole_customers(problem, np.union1d(linear.shares.fractional(), closest(problem, margin, NEAR)))
    best = exchanged(problem, prices, rounded(problem, linear.shares), near, enough, tightened)
    for kick in range(KICKS):
        if _worth(problem, best, tightened) >= enough:
            break
        moved, start = neighbour(problem, prices, best, near, kick)
        others = near[~np.isin(near, whole_customers(problem, moved))]  # else the first exchange would undo the change
        found = exchanged(problem, prices, start, others, enough, tightened)
        if _worth(problem, found, tightened) > _worth(problem, best, tightened):
            best = found
    return best


def _worth(problem: Problem, shares: Shares, tightened: np.ndarray) -> float:
    """Return the scaled mean value of shares, -inf where they pass a hard row."""
    return value_of(problem, shares) if keeps(problem, shares, tightened) else -np.inf


def keeps(problem: Problem, shares: Shares, tightened: np.ndarray) -> bool:
    """Return whether shares keep every hard row in float64."""
    over = use_of(problem, shares) + tightened - problem.b
    return bool(np.all(over[~np.isfinite(problem.cap)] <= ROUNDING))


def rounded(problem: Problem, shares: Shares) -> Shares:
    """Return whole shares: amounts rounded down, and the copy left over gets the largest part, none if that is it."""
    rows = np.unique(shares.row)
    rest, offers = opened(problem, shares, rows)
    down = np.floor(shares.amount + 1e-9)
    part, at = shares.amount - down, np.searchsorted(rows, shares.row)
    order = np.lexsort((-shares.offer, part))  # of equal parts the first offer is written last, and stands
    largest = np.full(len(rows), -1)
    largest[at[order]] = order
    spare = problem.pool.copies[rows] - np.bincount(at, down, len(rows))
    left = np.bincount(at, part, len(rows))
    none = np.ceil(left - WHOLE) - left
    for position in np.flatnonzero((spare > 0.5) & (left > WHOLE)):
        if part[largest[position]] > none[position]:
            down[largest[position]] += 1.0
    return with_pairs(problem, rest, shares.row, shares.offer, down, offers[at, :, shares.offer].astype(np.float64))


def _free(problem: Problem, base: Shares, free: np.ndarray, within: float, tightened: np.ndarray) -> Shares | None:
    """Solve for the free rows with the others as they are, tightening until float64 sums keep each hard row.

    The programme's own tolerance may let a row pass by a hair; the certificate does not.
    """
    hard, margin = ~np.isfinite(problem.cap), tightened.copy()
    nodes = NODES_OF_SMALL if len(free) <= FEW else NODES
    for _ in range(TIGHTENINGS):
        solution, shares = programme(problem, base, free, nodes, margin, within)
        if not solution.feasible:
            return None
        over = np.where(hard, use_of(problem, shares) + tightened - problem.b, 0.0)
        if np.all(over <= ROUNDING):
            return shares
        margin += np.where(over > ROUNDING, np.maximum(2.0 * over, 10.0 * TOLERANCE), 0.0)
    return None
