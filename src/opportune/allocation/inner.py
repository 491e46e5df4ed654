"""The inner choice: each customer's best offers at given prices, exactly, and what they add up to."""

import msgspec
import numpy as np

from opportune.allocation._kernels import best_offers, smoothed_sums
from opportune.allocation.problem import Problem


class Inner(msgspec.Struct, frozen=True):
    """The best choice at some prices.

    Per opportunity (n,): ``choice`` (-1: none), ``margin`` by how much the next best would be worse, ``gain`` over the
    choice it was compared with, in scaled value. ``bound`` is g at the prices per opportunity; ``sums`` (C, 1 + R) the
    scaled value and the uses of the choice by cell.
    """

    choice: np.ndarray
    margin: np.ndarray
    gain: np.ndarray
    bound: float
    sums: np.ndarray


def inner(problem: Problem, prices: np.ndarray, base: np.ndarray | None = None) -> Inner:
    """Return every customer's best choice at scaled prices (m,); none wins ties, then the first offer.

    g(prices), an upper bound on the optimum for any prices in [0, cap], comes with it.
    """
    pool, charges = problem.pool, problem.charges(prices)
    count = len(pool.cell)
    choice, margin, gain = np.empty(count, np.int64), np.empty(count), np.empty(count)
    base = np.full(count, -1, np.int64) if base is None else base
    net, sums = 0.0, np.zeros((len(charges), 1 + len(problem.resources)))
    for rows, block in pool.blocks():
        choice[rows], margin[rows], gain[rows], parts, of_block = best_offers(
            block.offers, block.cell, block.copies, block.first, problem.most, charges, base[rows]
        )
        net += float(parts.sum())
        sums += of_block.sum(axis=0)
    return Inner(choice, margin, gain, float(np.sum(prices * problem.b)) + net / max(problem.size, 1.0), sums)


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
    charges, resources = problem.charges(prices), len(problem.resources)
    sums = np.zeros((len(charges), 1 + resources + resources * resources))
    for _, block in problem.pool.blocks():
        sums += smoothed_sums(
            block.offers, block.cell, block.copies, block.first, problem.most, charges, tau
        ).sum(axis=0)  # fmt: skip
    sums /= max(problem.size, 1.0)
    lower = sums[:, 1 + resources :].reshape(-1, resources, resources)
    covariance = lower + np.tril(lower, -1).transpose(0, 2, 1)
    return Smoothed(
        value=float(np.sum(prices * problem.b) + np.sum(sums[:, 0])),
        gradient=problem.b - problem.rows_of_cells(sums[:, 1 : 1 + resources]),
        hessian=problem.spread(covariance) / tau,
    )
