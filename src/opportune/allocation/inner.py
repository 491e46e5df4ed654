"""The inner choice: each customer's best offer at given prices, exactly."""

import msgspec
import numpy as np

from opportune.allocation._kernels import best_offers, smoothed_sums
from opportune.allocation.problem import Problem


class Inner(msgspec.Struct, frozen=True):
    """Per customer (n,): the best offer (-1: none), its scaled net value, and how far it leads the second best."""

    choice: np.ndarray
    top: np.ndarray
    margin: np.ndarray


def inner(problem: Problem, prices: np.ndarray) -> Inner:
    """Return every customer's best choice at scaled prices (m,); none wins ties, then the first offer."""
    charges = problem.charges(prices)
    return Inner(*best_offers(problem.value, problem.eligible, problem.uses, charges, 1.0 / problem.value_scale))


def net_of(problem: Problem, prices: np.ndarray, customers: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Return the scaled net value (c,) of one choice for each of some customers (c,); zero for none."""
    offer = np.maximum(choice, 0)
    charge = np.einsum("r,rc->c", problem.charges(prices), problem.uses[:, customers, offer])
    return np.where(choice >= 0, problem.value[customers, offer] / problem.value_scale - charge, 0.0)


def dual_value(problem: Problem, prices: np.ndarray, found: Inner) -> float:
    """Return g(prices) / n of the scaled problem: an upper bound on its optimum for any prices in [0, cap]."""
    return float(prices @ problem.b + np.mean(found.top))


class Smoothed(msgspec.Struct, frozen=True):
    """g_tau / n at some prices, its gradient (m,) and its Hessian (m, m)."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


def smoothed(problem: Problem, prices: np.ndarray, tau: float) -> Smoothed:
    """Return the smoothed dual at scaled prices (m,).

    ``g_tau = p.b + mean_i tau log(1 + sum_k exp(net_ik / tau))`` lies above g by at most tau log(K + 1). Its gradient
    is b less the mean expected use, its Hessian the mean covariance of uses over tau.
    """
    charges, scale, resources = problem.charges(prices), 1.0 / problem.value_scale, len(problem.uses)
    sums = smoothed_sums(problem.value, problem.eligible, problem.uses, charges, scale, tau).sum(axis=0)
    sums /= len(problem.value)
    lower = sums[1 + resources :].reshape(resources, resources)
    covariance = lower + np.tril(lower, -1).T
    return Smoothed(
        value=float(np.sum(prices * problem.b) + sums[0]),
        gradient=problem.b - problem.scaled(sums[1 : 1 + resources]),
        hessian=problem.scaled(problem.scaled(covariance).T) / tau,
    )


def used(problem: Problem, choice: np.ndarray) -> np.ndarray:
    """Return the scaled mean use (m,) of each row under a choice."""
    rows = np.flatnonzero(choice >= 0)
    taken = problem.uses[:, rows, choice[rows]].sum(axis=1)
    return problem.scaled(taken / len(choice))
