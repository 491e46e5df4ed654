"""Compiled loops over customers and offers: the only module that imports numba.

Each loop walks blocks of fixed size and leaves one partial sum per block; the partial sums are added in their order.
So a result has the same bits whatever the number of threads. Arrays: ``value`` and ``eligible`` (n, K), ``uses``
(R, n, K) by resource, ``charges`` (R,) per unit of each resource, all in scaled units.
"""

from typing import Any

import numpy as np
from numba import njit, prange

BLOCK = 4096
NEGLIGIBLE = -40.0
"""exp of this lies below the rounding of the other terms."""
CERTAIN = 1.0 - 1e-9


def compiled(function: Any) -> Any:
    """Compile a loop for all cores; keep it on disk where there is a folder to keep it in."""
    try:
        return njit(cache=True, parallel=True, nogil=True)(function)
    except RuntimeError:  # a read-only machine without a home: compile anew in each process
        return njit(parallel=True, nogil=True)(function)


@njit(inline="always")
def _net(value: Any, uses: Any, charges: Any, scale: float, i: int, k: int) -> Any:
    net = value[i, k] * scale
    for r in range(len(charges)):
        net -= charges[r] * uses[r, i, k]
    return net


@compiled
def best_offers(value: Any, eligible: Any, uses: Any, charges: Any, scale: float) -> Any:
    """Return per customer the best offer (-1: none), its net value (zero or more), and how far it leads the second.

    No offer wins ties, then the first offer.
    """
    count, offers = value.shape
    choice, top, margin = np.empty(count, np.int64), np.empty(count), np.empty(count)
    for block in prange((count + BLOCK - 1) // BLOCK):
        for i in range(block * BLOCK, min(count, (block + 1) * BLOCK)):
            best, first, second = -1, 0.0, -np.inf
            for k in range(offers):
                if eligible[i, k]:
                    net = _net(value, uses, charges, scale, i, k)
                    if net > first:
                        best, second, first = k, first, net
                    elif net > second:
                        second = net
            choice[i], top[i], margin[i] = best, first, first - second
    return choice, top, margin


@compiled
def smoothed_sums(value: Any, eligible: Any, uses: Any, charges: Any, scale: float, tau: float) -> Any:
    """Return sums per block (blocks, 1 + R + R R) for the softmax of net / tau over the offers and none.

    First tau log(1 + sum_k exp(net_k / tau)), then the expected use by resource, then the covariance of uses, its lower
    triangle row by row. A customer whose choice is all but certain adds nothing to the covariance.
    """
    count, offers = value.shape
    resources = len(charges)
    blocks = (count + BLOCK - 1) // BLOCK
    sums = np.zeros((blocks, 1 + resources + resources * resources))
    for block in prange(blocks):
        net, mean = np.empty(offers), np.empty(resources)
        for i in range(block * BLOCK, min(count, (block + 1) * BLOCK)):
            top = 0.0
            for k in range(offers):
                net[k] = _net(value, uses, charges, scale, i, k) if eligible[i, k] else -np.inf
                top = max(top, net[k])
            total = np.exp(-top / tau)
            for k in range(offers):
                away = (net[k] - top) / tau
                net[k] = np.exp(away) if away > NEGLIGIBLE else 0.0
                total += net[k]
            sums[block, 0] += top + tau * np.log(total)
            mean[:] = 0.0
            largest = 0.0
            for k in range(offers):
                net[k] /= total
                largest = max(largest, net[k])
                if net[k] > 0.0:
                    for r in range(resources):
                        mean[r] += net[k] * uses[r, i, k]
            for r in range(resources):
                sums[block, 1 + r] += mean[r]
            if largest < CERTAIN:
                for k in range(offers):
                    if net[k] > 0.0:
                        for r in range(resources):
                            for q in range(r + 1):
                                sums[block, 1 + resources + r * resources + q] += net[k] * uses[r, i, k] * uses[q, i, k]
                for r in range(resources):
                    for q in range(r + 1):
                        sums[block, 1 + resources + r * resources + q] -= mean[r] * mean[q]
    return sums
