"""Prices by a smoothed dual: softmax instead of max, made sharper step by step, first on a sample.

``g_tau(p) = p.b + mean_i tau log(1 + sum_k exp(net_ik / tau))`` lies above g by at most tau log(K + 1). It only steers
the prices; the certificate evaluates g itself.
"""

import numpy as np
from scipy.optimize import minimize

from opportune.allocation.inner import net_values
from opportune.allocation.problem import Problem

SAMPLE = 20_000
LADDER = (0.3, 0.1, 0.03, 0.01, 0.003)
FULL_LADDER = (0.01, 0.003)
LARGEST_PRICE = 1e4
"""In scaled units a price this large means that a hard row cannot hold."""


def smoothed_prices(problem: Problem, start: np.ndarray | None = None) -> np.ndarray:
    """Return scaled prices (m,) near the optimum; ``start`` (from a neighbouring problem) skips the sample."""
    if len(problem.b) == 0:
        return np.zeros(0)
    count = len(problem.value)
    prices = np.zeros(len(problem.b)) if start is None else start
    if count > SAMPLE and start is None:
        sample = problem.take(np.linspace(0, count - 1, SAMPLE).astype(np.int64))
        prices = _descend(sample, prices, LADDER)
    return _descend(problem, prices, LADDER if count <= SAMPLE and start is None else FULL_LADDER)


def _descend(problem: Problem, prices: np.ndarray, ladder: tuple[float, ...]) -> np.ndarray:
    bounds = [(0.0, min(cap, LARGEST_PRICE)) for cap in problem.cap]
    for tau in ladder:
        found = minimize(
            _smoothed, np.clip(prices, 0.0, [high for _, high in bounds]), args=(problem, tau), jac=True,
            method="L-BFGS-B", bounds=bounds, options={"maxiter": 100, "ftol": 1e-12, "gtol": 1e-9},
        )  # fmt: skip
        prices = np.asarray(found.x)
    return prices


def _smoothed(prices: np.ndarray, problem: Problem, tau: float) -> tuple[float, np.ndarray]:
    """Return g_tau(prices) and its gradient b - mean(expected use)."""
    net = net_values(problem, prices) / tau
    top = np.maximum(np.max(net, axis=1), 0.0)
    weight = np.exp(net - top[:, None])
    total = np.exp(-top) + weight.sum(axis=1)
    weight /= total[:, None]
    expected = np.einsum("nk,rnk->r", weight, problem.a) / len(net)
    value = float(prices @ problem.b + tau * np.mean(top + np.log(total)))
    return value, problem.b - expected
