"""The inner choice: each customer's best offer at given prices, exactly."""

import numpy as np

from opportune.allocation.problem import Problem


def net_values(problem: Problem, prices: np.ndarray) -> np.ndarray:
    """Return scaled value less charges (n, K); -inf where not eligible."""
    net = problem.value.copy()
    for price, use in zip(prices, problem.a, strict=True):
        if price != 0.0:
            net -= price * use
    return net


def best_choice(net: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's best offer (-1: none; none wins ties, then the first offer) and its net value, zero or more."""
    best = np.argmax(net, axis=1)
    top = net[np.arange(len(net)), best]
    return np.where(top > 0.0, best, -1), np.maximum(top, 0.0)


def margins(net: np.ndarray) -> np.ndarray:
    """Return per customer (n,) how far the best of offers and none lies above the second best."""
    with_none = np.column_stack([np.zeros(len(net)), net])
    two = np.partition(with_none, with_none.shape[1] - 2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def dual_value(problem: Problem, prices: np.ndarray) -> float:
    """Return g(prices) / n of the scaled problem: an upper bound on its optimum for any prices in [0, cap]."""
    _, top = best_choice(net_values(problem, prices))
    return float(prices @ problem.b + np.mean(top))


def used(problem: Problem, choice: np.ndarray) -> np.ndarray:
    """Return the scaled mean use (m,) of each row under a choice."""
    rows = np.flatnonzero(choice >= 0)
    return np.asarray(problem.a[:, rows, choice[rows]].sum(axis=1) / len(choice))
