"""Repair: from the linear optimum to whole choices, by an exact programme over the few customers left open."""

import numpy as np

from opportune.allocation._highs import TOLERANCE
from opportune.allocation.core import LinearPlan, plan_value, programme
from opportune.allocation.inner import margins, net_values, used
from opportune.allocation.problem import Problem

FIRST_FREE = 300
WHOLE = 1e-7
TIGHTENINGS = 5
ROUNDING = 1e-12
"""Rows are scaled to order one: an excess below this is the rounding of float64 sums, not of the programme."""


def integer_choice(problem: Problem, linear: LinearPlan, gap: float) -> np.ndarray | None:
    """Return a whole choice (n,) that keeps every hard row, within ``gap`` of the bound where that was found.

    Starts from the linear solution, never from the argmax at prices: with ties the argmax is arbitrary. The free set
    grows until the gap is reached or everybody is free; None when no whole choice keeps the rows.
    """
    order = np.argsort(margins(net_values(problem, linear.prices)), kind="stable")
    fractional = np.flatnonzero(np.any((linear.share > WHOLE) & (linear.share < 1.0 - WHOLE), axis=1))
    base, count = rounded(linear.share), len(problem.value)
    best, best_value, size = None, -np.inf, min(FIRST_FREE, count)
    target = plan_value(problem, linear.share)
    while True:
        choice = _free(problem, base, np.union1d(fractional, order[:size]), gap * max(abs(target), 1.0) / 4)
        if choice is not None and (value := plan_value(problem, shares_of(choice, problem))) > best_value:
            best, best_value = choice, value
        if target - best_value <= gap * max(abs(target), 1.0) / 2 or size == count or size >= 30 * FIRST_FREE:
            return best
        size = min(size * 3, count)


def _free(problem: Problem, base: np.ndarray, free: np.ndarray, within: float) -> np.ndarray | None:
    """Solve for the free customers with the others at ``base``, tightening until float64 sums keep each hard row.

    The programme's own tolerance may let a row pass by a hair; the certificate does not.
    """
    hard = ~np.isfinite(problem.cap)
    tightened = np.zeros(len(problem.b))
    for _ in range(TIGHTENINGS):
        solution, share = programme(problem, base, free, integer=True, tightened=tightened, within=within)
        if not solution.feasible:
            return None
        choice = rounded(share)
        over = np.where(hard, used(problem, choice) - problem.b, 0.0)
        if np.all(over <= ROUNDING):
            return choice
        tightened += np.where(over > ROUNDING, np.maximum(2.0 * over, 10.0 * TOLERANCE), 0.0)
    return None


def rounded(share: np.ndarray) -> np.ndarray:
    """Return the largest share of each row as a whole choice; -1 where none is the largest."""
    best = np.argmax(share, axis=1)
    top = share[np.arange(len(share)), best]
    return np.where(top > 1.0 - share.sum(axis=1), best, -1)


def shares_of(choice: np.ndarray, problem: Problem) -> np.ndarray:
    """Return a whole choice as shares (n, K) of zero and one."""
    share = np.zeros(problem.value.shape)
    rows = np.flatnonzero(choice >= 0)
    share[rows, choice[rows]] = 1.0
    return share
