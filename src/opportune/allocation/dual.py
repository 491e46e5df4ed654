"""Prices by a smoothed dual of a sample: softmax instead of max, made sharper step by step.

Newton's method with bounds (Bertsekas 1982): the prices are few, and one pass over the customers gives value, gradient
and Hessian. The smoothed dual only steers the prices; the certificate evaluates the dual itself.
"""

from collections.abc import Callable

import numpy as np

from opportune.allocation.inner import Smoothed, smoothed
from opportune.allocation.problem import SAMPLE, SMALL, Problem

NEAR_RADIUS = 0.01
SAMPLES = ((4_000, (0.3, 0.03), 0.2), (SAMPLE, (0.003,), 0.02), (5 * SAMPLE, (0.001,), NEAR_RADIUS))
"""How many customers, the temperatures that they are solved at, and the first radius there."""
STEPS = 30
HALVINGS = 8
LEAST_RADIUS = 1e-3
ENOUGH = 1e-12
"""A step that promises less than this relative decrease ends a rung of the ladder."""
DAMPING = 1e-9
LARGEST_PRICE = 1e4
"""In scaled units a price this large means that a hard row cannot hold."""


def smoothed_prices(problem: Problem, note: Callable[[np.ndarray], None] = lambda prices: None) -> np.ndarray:
    """Return scaled prices (m,) near the optimum of a sample; ``note`` is told each better price."""
    if len(problem.b) == 0 or len(problem.pool.cell) <= SMALL:
        return np.zeros(len(problem.b))  # the first core holds everybody: its programme gives the prices
    customers, prices = len(problem.pool.first) - 1, np.zeros(len(problem.b))
    for size, ladder, radius in SAMPLES:
        sampled = np.unique(np.linspace(0, customers - 1, size).astype(np.int64))
        prices = descend(problem.part(sampled), prices, ladder, radius, note)
    return prices


def descend(
    problem: Problem,
    prices: np.ndarray,
    ladder: tuple[float, ...],
    radius: float,
    note: Callable[[np.ndarray], None],
    reach: float = np.inf,
) -> np.ndarray:
    """Return the prices (m,) that Newton's steps from some prices lead to, at each temperature of a ladder in turn.

    No price ends farther than ``reach`` from where it began.
    """
    highest = np.minimum(problem.cap, LARGEST_PRICE)
    prices = np.clip(prices, 0.0, highest)
    lowest, highest = np.maximum(prices - reach, 0.0), np.minimum(prices + reach, highest)
    for tau in ladder:
        here = smoothed(problem, prices, tau)
        for _ in range(STEPS):
            direction = _newton_direction(here, prices, lowest, highest)
            if -np.sum(direction * here.gradient) <= ENOUGH * max(abs(here.value), 1.0):
                break
            moved = _line_search(problem, prices, here, direction, lowest, highest, tau, radius)
            if moved is None:
                break
            prices, here, radius = moved
            note(prices)
    return prices


def _newton_direction(here: Smoothed, prices: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Return a direction of descent (m,); a price at a bound that the gradient pushes against stays there."""
    stuck = ((prices <= lowest) & (here.gradient > 0.0)) | ((prices >= highest) & (here.gradient < 0.0))
    free = np.flatnonzero(~stuck)
    hessian = here.hessian[np.ix_(free, free)]
    damped = hessian + DAMPING * (1.0 + np.trace(hessian)) * np.eye(len(free))
    direction = np.zeros(len(prices))
    direction[free] = -np.linalg.solve(damped, here.gradient[free])
    return direction


def _line_search(
    problem: Problem,
    prices: np.ndarray,
    here: Smoothed,
    direction: np.ndarray,
    lowest: np.ndarray,
    highest: np.ndarray,
    tau: float,
    radius: float,
) -> tuple[np.ndarray, Smoothed, float] | None:
    """Return the first of ever shorter steps that lowers the value enough (Armijo), or None.

    No price moves by more than ``radius`` at first: where a row is all but flat, Newton's step knows no measure. The
    radius to go on with is twice that of a step that did at once.
    """
    length = float(np.max(np.abs(direction)))
    step = min(1.0, radius / length)
    for halving in range(HALVINGS):
        there = np.clip(prices + step * direction, lowest, highest)
        found = smoothed(problem, there, tau)
        if found.value <= here.value + 1e-4 * np.sum(here.gradient * (there - prices)):
            return there, found, max(2.0 * radius if halving == 0 else step * length, LEAST_RADIUS)
        step *= 0.25
    return None
