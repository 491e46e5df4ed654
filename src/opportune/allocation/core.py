"""The core: a small exact programme over the customers whose choice the prices leave open, all others fixed."""

import msgspec
import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from opportune.allocation._highs import Solution, maximise
from opportune.allocation.inner import best_choice, dual_value, margins, net_values, used
from opportune.allocation.problem import Problem

FIRST_CORE = 3_000
PROVEN = 1e-10


class LinearPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An optimum of the linear programme. ``share`` (n, K) holds fractions; ``prices`` (m,) prove it up to ``gap``."""

    feasible: bool
    share: np.ndarray
    prices: np.ndarray


def solve_core(problem: Problem, prices: np.ndarray) -> LinearPlan:
    """Solve the linear programme by growing cores until the core's own row prices prove its value.

    The proof: g at those prices, over all customers, equals the value reached.
    """
    count = len(problem.value)
    size = min(FIRST_CORE, count)
    while True:
        net = net_values(problem, prices)
        core = np.argsort(margins(net), kind="stable")[:size]
        choice, _ = best_choice(net)
        solution, share = programme(problem, choice, np.sort(core), integer=False)
        if solution.feasible:
            prices = np.minimum(solution.row_price[: len(problem.b)], problem.cap)
            if _gap(problem, share, prices) <= PROVEN or size == count:
                return LinearPlan(feasible=True, share=share, prices=prices)
        elif size == count:
            return LinearPlan(feasible=False, share=share, prices=prices)
        size = min(size * 3, count)


def _gap(problem: Problem, share: np.ndarray, prices: np.ndarray) -> float:
    """Return how far g at the prices lies above the value of the shares, relative to g."""
    bound = dual_value(problem, prices)
    return (bound - plan_value(problem, share)) / max(abs(bound), 1.0)


def plan_value(problem: Problem, share: np.ndarray) -> float:
    """Return the scaled mean value of shares (n, K), less what soft rows charge for their excess."""
    rows, offers = np.nonzero(share)
    use = (problem.a[:, rows, offers] * share[rows, offers]).sum(axis=1) / len(share)
    value = float(np.sum(problem.value[rows, offers] * share[rows, offers])) / len(share)
    soft = np.isfinite(problem.cap)
    return value - float(np.sum(problem.cap[soft] * np.maximum(use - problem.b, 0.0)[soft]))


def programme(
    problem: Problem,
    choice: np.ndarray,
    core: np.ndarray,
    integer: bool,
    tightened: float | np.ndarray = 0.0,
    within: float = 0.0,
) -> tuple[Solution, np.ndarray]:
    """Solve over the core customers with all others at ``choice``; return the solution and shares (n, K).

    Columns: the eligible offers of the core, then one overflow per soft row. Rows: the limits, then one per core
    customer (at most one offer). ``tightened`` lowers each limit by that much, in scaled units; an
    integer programme may stop ``within`` that much of its best mean value.
    """
    rest = choice.copy()
    rest[core] = -1
    customer, offer = np.nonzero(np.isfinite(problem.value[core]))
    soft = np.flatnonzero(np.isfinite(problem.cap))
    limits = csr_matrix(problem.a[:, core[customer], offer])
    overflow = csr_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(problem.b), len(soft)))
    once = csr_matrix(
        (np.ones(len(customer)), (customer, np.arange(len(customer)))),
        shape=(len(core), len(customer) + len(soft)),
    )
    matrix = vstack([hstack([limits, overflow]), once]).tocsr()
    capacity = len(problem.value) * (problem.b - tightened - used(problem, rest))
    upper = np.concatenate([capacity, np.ones(len(core))])
    cost = np.concatenate([problem.value[core[customer], offer], -problem.cap[soft]])
    highest = np.concatenate([np.ones(len(customer)), np.full(len(soft), np.inf)])
    kinds = np.concatenate([np.ones(len(customer)), np.zeros(len(soft))]) if integer else None
    solution = maximise(cost, matrix, upper, highest, kinds, within * len(problem.value))
    share = _shares(problem, rest, core[customer], offer, solution.x[: len(customer)])
    return solution, share


def _shares(problem: Problem, rest: np.ndarray, customer: np.ndarray, offer: np.ndarray, x: np.ndarray) -> np.ndarray:
    share = np.zeros(problem.value.shape)
    fixed = np.flatnonzero(rest >= 0)
    share[fixed, rest[fixed]] = 1.0
    share[customer, offer] = x
    return share
