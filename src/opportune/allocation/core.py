"""The core: a small exact programme over the customers whose choice the prices leave open, all others fixed."""

import msgspec
import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from opportune.allocation._highs import Solution, maximise
from opportune.allocation.inner import Inner, dual_value, inner, net_of, used
from opportune.allocation.problem import Problem

FIRST_CORE = 1_000
GROWTH = 3
PROVEN = 1e-10


class Shares(msgspec.Struct, frozen=True):
    """Who gets what: ``choice`` (n,), -1 for none; and of the open customers, pairs with an offer and its share.

    An open customer's ``choice`` is -1; what its pairs leave of one is no offer.
    """

    choice: np.ndarray
    customer: np.ndarray
    offer: np.ndarray
    share: np.ndarray

    def rounded(self) -> np.ndarray:
        """Return whole choices (n,): of each open customer the largest share, none where none is the largest."""
        whole = self.choice.copy()
        left = np.bincount(self.customer, self.share, len(whole))
        order = np.lexsort((-self.offer, self.share))  # of equal shares the first offer is written last, and stands
        largest = np.zeros(len(whole))
        whole[self.customer[order]], largest[self.customer[order]] = self.offer[order], self.share[order]
        whole[self.customer] = np.where((largest > 1.0 - left)[self.customer], whole[self.customer], -1)
        return whole


class LinearPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An optimum of the linear programme; ``prices`` (m,) prove it up to ``PROVEN``."""

    feasible: bool
    shares: Shares
    prices: np.ndarray


def solve_core(problem: Problem, prices: np.ndarray) -> LinearPlan:
    """Solve the linear programme by growing cores until the core's own row prices prove its value.

    The proof: g at those prices, over all customers, equals the value reached. Until then the core takes in the
    customers outside it who would gain most from another choice at those prices (sifting: Bixby et al. 1992).
    """
    found = inner(problem, prices)
    core, count = np.sort(closest(found.margin, min(FIRST_CORE, len(problem.value)))), len(problem.value)
    while True:
        solution, shares = programme(problem, found.choice, core, integer=False)
        if not solution.feasible:
            if len(core) == count:
                return LinearPlan(feasible=False, shares=shares, prices=prices)
            core = np.union1d(core, closest(found.margin, min(GROWTH * len(core), count)))
            continue
        prices = np.minimum(solution.row_price[: len(problem.b)], problem.cap)
        at_prices = inner(problem, prices)
        if _gap(problem, shares, prices, at_prices) <= PROVEN or len(core) == count:
            return LinearPlan(feasible=True, shares=shares, prices=prices)
        core = np.union1d(core, _gaining(problem, prices, found.choice, at_prices, core))


def _gaining(problem: Problem, prices: np.ndarray, choice: np.ndarray, best: Inner, core: np.ndarray) -> np.ndarray:
    """Return the customers outside the core whose best offer at the prices is worth most above their fixed one."""
    moved = np.flatnonzero(best.choice != choice)
    moved = np.setdiff1d(moved, core, assume_unique=True)
    gain = best.top[moved] - net_of(problem, prices, moved, choice[moved])
    order = np.argsort(-gain, kind="stable")
    return np.asarray(moved[order[: GROWTH * len(core)]])


def closest(margin: np.ndarray, size: int) -> np.ndarray:
    """Return the ``size`` customers whose best choice leads the second by least; of equal ones the first."""
    if size == len(margin):
        return np.arange(size)
    limit = np.partition(margin, size - 1)[size - 1]
    below, equal = np.flatnonzero(margin < limit), np.flatnonzero(margin == limit)
    return np.concatenate([below, equal[: size - len(below)]])


def _gap(problem: Problem, shares: Shares, prices: np.ndarray, found: Inner) -> float:
    """Return how far g at the prices lies above the value of the shares, relative to g."""
    bound = dual_value(problem, prices, found)
    return (bound - plan_value(problem, shares)) / max(abs(bound), 1.0)


def plan_value(problem: Problem, shares: Shares) -> float:
    """Return the scaled mean value of shares, less what soft rows charge for their excess."""
    count, fixed = len(shares.choice), np.flatnonzero(shares.choice >= 0)
    whole = float(np.sum(problem.value[fixed, shares.choice[fixed]]))
    parts = float(np.sum(problem.value[shares.customer, shares.offer] * shares.share))
    soft = np.isfinite(problem.cap)
    excess = np.maximum(_use(problem, shares) - problem.b, 0.0)
    return (whole + parts) / problem.value_scale / count - float(np.sum(problem.cap[soft] * excess[soft]))


def _use(problem: Problem, shares: Shares) -> np.ndarray:
    open_use = (problem.uses[:, shares.customer, shares.offer] * shares.share).sum(axis=1)
    return np.asarray(used(problem, shares.choice) + problem.scaled(open_use / len(shares.choice)))


def programme(
    problem: Problem,
    choice: np.ndarray,
    core: np.ndarray,
    integer: bool,
    tightened: float | np.ndarray = 0.0,
    within: float = 0.0,
) -> tuple[Solution, Shares]:
    """Solve over the core customers with all others at ``choice``; return the solution and its shares.

    Columns: the eligible offers of the core, then one overflow per soft row. Rows: the limits, then one per core
    customer (at most one offer). ``tightened`` lowers each limit by that much, in scaled units; an
    integer programme may stop ``within`` that much of its best mean value.
    """
    rest = choice.copy()
    rest[core] = -1
    customer, offer = np.nonzero(problem.eligible[core])
    soft = np.flatnonzero(np.isfinite(problem.cap))
    limits = csr_matrix(problem.scaled(problem.uses[:, core[customer], offer]))
    overflow = csr_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(problem.b), len(soft)))
    once = csr_matrix(
        (np.ones(len(customer)), (customer, np.arange(len(customer)))),
        shape=(len(core), len(customer) + len(soft)),
    )
    matrix = vstack([hstack([limits, overflow]), once]).tocsr()
    capacity = len(problem.value) * (problem.b - tightened - used(problem, rest))
    upper = np.concatenate([capacity, np.ones(len(core))])
    cost = np.concatenate([problem.value[core[customer], offer] / problem.value_scale, -problem.cap[soft]])
    highest = np.concatenate([np.ones(len(customer)), np.full(len(soft), np.inf)])
    kinds = np.concatenate([np.ones(len(customer)), np.zeros(len(soft))]) if integer else None
    solution = maximise(cost, matrix, upper, highest, kinds, within * len(problem.value))
    share = solution.x[: len(customer)]
    taken = share > 0.0
    return solution, Shares(rest, core[customer[taken]], offer[taken], share[taken])
