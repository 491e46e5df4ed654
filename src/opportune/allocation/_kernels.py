"""Compiled loops over customers and offers: the only module that imports numba.

Each loop walks a fixed number of runs of customers and leaves one partial sum per run; the partial sums are added in
their order. So a result has the same bits whatever the number of threads. Arrays of a block: ``offers`` (b, 1 + R, K),
first the scaled value (-inf where not eligible), then the uses by resource; ``cell`` (b,) the place of an opportunity
among those that the same rows are about; ``copies`` (b,) how many identical ones it stands for; ``first``
(customers + 1,) where the opportunities of each customer begin; ``charges`` (C, R) per cell and unit of each resource.
A customer gets at most ``most`` offers.
"""

from typing import Any

import numpy as np
from numba import njit, prange

RUNS = 64
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
def _net(offers: Any, charges: Any, c: int, i: int, net: Any) -> None:
    """Write value less charges of one opportunity's offers into ``net`` (K,)."""
    for k in range(len(net)):
        net[k] = offers[i, 0, k]
    for r in range(charges.shape[1]):
        charge = charges[c, r]
        if charge != 0.0:
            for k in range(len(net)):
                net[k] -= charge * offers[i, 1 + r, k]


@njit
def _keep_largest(choice: Any, top: Any, margin: Any, start: int, end: int, most: int) -> None:
    """Leave a customer the ``most`` opportunities that are worth most, of equal ones the first."""
    kept = np.zeros(end - start, np.bool_)
    lowest = np.inf
    for _ in range(most):
        largest = -1
        for i in range(start, end):
            if not kept[i - start] and (largest < 0 or top[i] > top[largest]):
                largest = i
        kept[largest - start] = True
        lowest = top[largest]
    dropped = 0.0
    for i in range(start, end):
        if not kept[i - start]:
            dropped = max(dropped, top[i])
    for i in range(start, end):
        if kept[i - start]:
            margin[i] = min(margin[i], top[i] - dropped)
        else:
            margin[i] = lowest - top[i]
            choice[i], top[i] = -1, 0.0


@compiled
def best_offers(offers: Any, cell: Any, copies: Any, first: Any, most: int, charges: Any, base: Any) -> Any:
    """Return the exact best choice at the charges, and what it adds up to.

    Per opportunity (b,): the best offer (-1: none), by how much another choice would be worse, and what the best gains
    over the choice ``base``. Then per run the net value of all, and by run and cell (RUNS, C, 1 + R) the value and uses
    of the best. No offer wins ties, then the first offer.
    """
    rows, width, count = offers.shape
    customers = len(first) - 1
    choice, top, margin, gain = np.empty(rows, np.int64), np.empty(rows), np.empty(rows), np.empty(rows)
    net_value, sums = np.zeros(RUNS), np.zeros((RUNS, charges.shape[0], width))
    for run in prange(RUNS):
        net = np.empty(count)
        for customer in range(customers * run // RUNS, customers * (run + 1) // RUNS):
            start, end = first[customer], first[customer + 1]
            for i in range(start, end):
                _net(offers, charges, cell[i], i, net)
                best, leading, second = -1, 0.0, -np.inf
                for k in range(count):
                    if net[k] > leading:
                        best, second, leading = k, leading, net[k]
                    elif net[k] > second:
                        second = net[k]
                choice[i], top[i], margin[i] = best, leading, leading - second
                gain[i] = -net[base[i]] if base[i] >= 0 else 0.0
            if end - start > most:
                _keep_largest(choice, top, margin, start, end, most)
            for i in range(start, end):
                gain[i] += top[i]
                net_value[run] += copies[i] * top[i]
                if choice[i] >= 0:
                    for w in range(width):
                        sums[run, cell[i], w] += copies[i] * offers[i, w, choice[i]]
    return choice, margin, gain, net_value, sums


@njit(inline="always")
def _soften(offers: Any, charges: Any, c: int, i: int, tau: float, net: Any) -> Any:
    """Write the shares of one opportunity's offers into ``net`` (K,); return tau log(1 + sum_k exp(net_k / tau))."""
    _net(offers, charges, c, i, net)
    top = 0.0
    for k in range(len(net)):
        top = max(top, net[k])
    total = np.exp(-top / tau)
    for k in range(len(net)):
        away = (net[k] - top) / tau
        net[k] = np.exp(away) if away > NEGLIGIBLE else 0.0
        total += net[k]
    for k in range(len(net)):
        net[k] /= total
    return top + tau * np.log(total)


@njit
def _cut(offers: Any, charges: Any, cell: Any, start: int, end: int, most: int, tau: float, net: Any) -> Any:
    """Return the value that a customer's opportunity must reach to be among the ``most`` best."""
    values = np.empty(end - start)
    for i in range(start, end):
        values[i - start] = _soften(offers, charges, cell[i], i, tau, net)
    return np.sort(values)[end - start - most]


@compiled
def smoothed_sums(offers: Any, cell: Any, copies: Any, first: Any, most: int, charges: Any, tau: float) -> Any:
    """Return sums per run and cell (RUNS, C, 1 + R + R R) for the softmax of net / tau over the offers and none.

    First tau log(1 + sum_k exp(net_k / tau)), then the expected use by resource, then the covariance of uses, its lower
    triangle row by row. A customer whose choice is all but certain adds nothing to the covariance.
    """
    count, resources = offers.shape[2], charges.shape[1]
    customers = len(first) - 1
    sums = np.zeros((RUNS, charges.shape[0], 1 + resources + resources * resources))
    for run in prange(RUNS):
        share, mean = np.empty(count), np.empty(resources)
        for customer in range(customers * run // RUNS, customers * (run + 1) // RUNS):
            start, end = first[customer], first[customer + 1]
            least = -np.inf
            if end - start > most:
                least = _cut(offers, charges, cell, start, end, most, tau, share)
            for i in range(start, end):
                soft = _soften(offers, charges, cell[i], i, tau, share)
                if soft < least:
                    continue
                into = sums[run, cell[i]]
                into[0] += copies[i] * soft
                mean[:] = 0.0
                largest = 0.0
                for k in range(count):
                    if share[k] > 0.0:
                        largest = max(largest, share[k])
                        for r in range(resources):
                            mean[r] += share[k] * offers[i, 1 + r, k]
                for r in range(resources):
                    into[1 + r] += copies[i] * mean[r]
                if largest < CERTAIN:
                    _add_covariance(offers, i, share, mean, copies[i], into)
    return sums


@njit
def _add_covariance(offers: Any, i: int, share: Any, mean: Any, copies: float, into: Any) -> None:
    resources = len(mean)
    for k in range(len(share)):
        if share[k] > 0.0:
            for r in range(resources):
                for q in range(r + 1):
                    into[1 + resources + r * resources + q] += (
                        copies * share[k] * offers[i, 1 + r, k] * offers[i, 1 + q, k]
                    )
    for r in range(resources):
        for q in range(r + 1):
            into[1 + resources + r * resources + q] -= copies * mean[r] * mean[q]


@compiled
def fill(offers: Any, at: int, source: Any, eligible: Any, order: Any, scale: float, missing: float) -> Any:
    """Write ``source`` (n, K) times ``scale`` as layer ``at`` of ``offers``, ``missing`` where not eligible.

    Row i takes source row ``order[i]``. Return how many eligible numbers are not finite.
    """
    rows, _, count = offers.shape
    wrong = np.zeros(RUNS, np.int64)
    for run in prange(RUNS):
        for i in range(rows * run // RUNS, rows * (run + 1) // RUNS):
            j = order[i]
            for k in range(count):
                if eligible[j, k]:
                    given = source[j, k]
                    wrong[run] += not np.isfinite(given)
                    offers[i, at, k] = given * scale
                else:
                    offers[i, at, k] = missing
    return wrong.sum()


@compiled
def best_values(value: Any, eligible: Any) -> Any:
    """Return per run the sum of each opportunity's best eligible value (zero at least), and the largest magnitude."""
    rows, count = value.shape
    best, largest = np.zeros(RUNS), np.zeros(RUNS)
    for run in prange(RUNS):
        for i in range(rows * run // RUNS, rows * (run + 1) // RUNS):
            top = 0.0
            for k in range(count):
                if eligible[i, k]:
                    top = max(top, value[i, k])
                    largest[run] = max(largest[run], abs(value[i, k]))
            best[run] += top
    return best, largest


@compiled
def hashes(offers: Any, cell: Any) -> Any:
    """Return a hash (n,) of each opportunity's bits and cell, to find identical ones."""
    rows, width, count = offers.shape
    found = np.empty(rows, np.uint64)
    bits = offers.view(np.uint64)
    for run in prange(RUNS):
        for i in range(rows * run // RUNS, rows * (run + 1) // RUNS):
            h = np.uint64(cell[i]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD6E8FEB86659FD93)
            for w in range(width):
                for k in range(count):
                    h = (h ^ bits[i, w, k]) * np.uint64(0xFF51AFD7ED558CCD)
                    h ^= h >> np.uint64(32)
            found[i] = h
    return found


@compiled
def best_pairs(gain: Any, loss: Any, effect: Any, row: Any, slack: Any, toll: Any, room: float, floor: float) -> Any:
    """Return per move (N,) the best merit of making it with one later move or alone, and that move (-1: alone).

    ``gain`` (N,) is what a move adds to value, ``effect`` (N, m) to the use of each row, ``row`` (N,) whose it is: two
    moves of one opportunity do not go together. Merit is the gain less ``toll`` (m,) per unit by which use passes
    ``slack``. ``loss`` (N,), rising, is what a move loses at prices that the toll is never below, and ``room`` what the
    slack is worth at them: no merit exceeds room less losses, so the search ends early. Merits up to ``floor`` do not
    matter.
    """
    moves, rows = effect.shape
    merit, partner = np.empty(moves), np.empty(moves, np.int64)
    for j in prange(moves):
        left = np.empty(rows)
        alone = gain[j]
        for r in range(rows):
            left[r] = slack[r] - effect[j, r]
            if left[r] < 0.0:
                alone += toll[r] * left[r]
        best, other = max(alone, floor), -1
        for i in range(j + 1, moves):
            if room - loss[j] - loss[i] <= best:
                break
            if row[i] == row[j]:
                continue
            total = gain[j] + gain[i]
            for r in range(rows):
                over = left[r] - effect[i, r]
                if over < 0.0:
                    total += toll[r] * over
            if total > best:
                best, other = total, i
        merit[j], partner[j] = best, other
    return merit, partner
