"""Repair: from the linear optimum to whole choices, by an exact programme over the few customers left open."""

import numpy as np

from opportune.allocation._highs import TOLERANCE
from opportune.allocation.core import LinearPlan, Shares, closest, plan_value, programme
from opportune.allocation.inner import inner, used
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
    margin, shares = inner(problem, linear.prices).margin, linear.shares
    fractional = np.unique(shares.customer[(shares.share > WHOLE) & (shares.share < 1.0 - WHOLE)])
    base, count = shares.rounded(), len(problem.value)
    best, best_value, size = None, -np.inf, min(FIRST_FREE, count)
    target = plan_value(problem, shares)
    while True:
        free = np.union1d(fractional, closest(margin, size))
        choice = _free(problem, base, free, gap * max(abs(target), 1.0) / 4)
        if choice is not None and (value := plan_value(problem, whole(choice))) > best_value:
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
        solution, shares = programme(problem, base, free, integer=True, tightened=tightened, within=within)
        if not solution.feasible:
            return None
        choice = shares.rounded()
        over = np.where(hard, used(problem, choice) - problem.b, 0.0)
        if np.all(over <= ROUNDING):
            return choice
        tightened += np.where(over > ROUNDING, np.maximum(2.0 * over, 10.0 * TOLERANCE), 0.0)
    return None


def whole(choice: np.ndarray) -> Shares:
    """Return whole choices (n,) as shares, with nobody open."""
    nobody = np.zeros(0, dtype=np.int64)
    return Shares(choice, nobody, nobody, np.zeros(0))
