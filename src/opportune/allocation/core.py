"""The core: a small exact programme over the customers whose choice the prices leave open, all others fixed."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from opportune.allocation._highs import Solution, maximise
from opportune.allocation.inner import Inner, inner
from opportune.allocation.near import closest, whole_customers
from opportune.allocation.pool import customers_of
from opportune.allocation.problem import SMALL, Problem
from opportune.allocation.shares import Shares, sums_of_pairs, use_of, value_of

FIRST_CORE, PER_ROW = 500, 25
"""Opportunities that the first core holds, at least and on top for each row."""
PROVEN = 1e-10
PENALTIES = (1e4, 1e7)
"""In scaled units a unit by which a hard row is passed costs so much, and when rows are passed at that, the next."""
PASSED = 1e-9
LEAST_SPREAD, WIDER, ROUNDS = 1e-6, 2.0, 12
"""How far from the best an offer may lie to be a column: at first, by what factor more each round, and after so many
rounds any."""


class Near(msgspec.Struct, frozen=True):
    """Offers worth at any of the ``prices`` (each (m,)) at most ``spread`` less than the best of their opportunity."""

    prices: Sequence[np.ndarray]
    spread: float


class LinearPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An optimum of the linear programme; ``prices`` (m,) prove it up to ``PROVEN``; ``best`` is the choice there."""

    feasible: bool
    shares: Shares
    prices: np.ndarray
    best: Inner


def solve_core(
    problem: Problem, prices: np.ndarray, found: Inner, note: Callable[[np.ndarray], None] = lambda prices: None
) -> LinearPlan:
    """Solve the linear programme by growing cores until the core's own row prices prove its value.

    ``found`` is the best choice at the prices. Hard rows may be passed at a penalty that no feasible row is worth, so
    that every core has a solution and prices that tell who should change; where the optimum still passes one, the
    limits cannot hold together.
    """
    hard = ~np.isfinite(problem.cap)
    for penalty in PENALTIES:
        elastic = msgspec.structs.replace(problem, cap=np.minimum(problem.cap, penalty))
        plan = _sifted(elastic, prices, found, note)
        if np.all((use_of(problem, plan.shares) - problem.b)[hard] <= PASSED):
            return plan
        prices, found = plan.prices, plan.best
    return msgspec.structs.replace(plan, feasible=False)


def _sifted(problem: Problem, prices: np.ndarray, found: Inner, note: Callable[[np.ndarray], None]) -> LinearPlan:
    """Return an optimum of a problem in which every row is soft.

    The proof: g at the core's prices, over all customers, equals the value reached. Until then the core takes in the
    customers outside it who would gain most from another choice at those prices (sifting: Bixby et al. 1992). Of its
    customers it holds the offers that were nearly best at any of the prices seen, in ever wider a sense while customers
    come in. Where neither customers nor offers come in any more, the value is the optimum as far as the LP solver's
    tolerance tells it: its row prices may then miss ``PROVEN``.
    """
    fixed, count = shares_of(found), len(problem.pool.cell)
    core = closest(problem, found.margin, count if count <= SMALL else FIRST_CORE + PER_ROW * len(problem.b))
    spread = np.inf if len(core) == count else max(float(np.max(found.margin[core])), LEAST_SPREAD)
    tried, columns = [prices], 0
    while True:
        solution, shares = programme(problem, fixed, core, near=Near(tried, spread))
        ended, columns = len(solution.x) == columns, len(solution.x)
        prices = np.minimum(solution.row_price[: len(problem.b)], problem.cap)
        note(prices)
        best = inner(problem, prices, fixed.choice)
        gap = (best.bound - value_of(problem, shares)) / max(abs(best.bound), 1.0)
        gaining = _gaining(problem, best.gain, core)
        if gap <= PROVEN or ended or (len(core) == count and np.isinf(spread)):
            return LinearPlan(feasible=True, shares=shares, prices=prices, best=best)
        core, tried = np.union1d(core, gaining), [*tried, prices]
        if len(gaining):
            spread = WIDER * spread if len(tried) <= ROUNDS else np.inf


def shares_of(found: Inner) -> Shares:
    """Return the best choice at some prices as shares, with nobody open."""
    nobody = np.zeros(0, dtype=np.int64)
    return Shares(found.choice, nobody, nobody, np.zeros(0), found.sums)


def _gaining(problem: Problem, gain: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Return the opportunities outside the core whose best offer at the prices gains most over their fixed one."""
    moved = np.setdiff1d(np.flatnonzero(gain > 0.0), core, assume_unique=True)
    order = np.argsort(-gain[moved], kind="stable")
    return whole_customers(problem, moved[order[: len(core)]])


def programme(
    problem: Problem,
    fixed: Shares,
    core: np.ndarray,
    nodes: int = 0,
    tightened: float | np.ndarray = 0.0,
    within: float = 0.0,
    near: Near | None = None,
) -> tuple[Solution, Shares]:
    """Solve over the core rows with all others as in ``fixed``; return the solution and its shares.

    Columns: the eligible offers of the core, or the near ones of them, then one overflow per soft row. Rows: the
    limits, one per core opportunity (as many offers as it has copies), one per customer that could have more offers
    than it may.
    ``tightened`` lowers each limit by that much, in scaled units. With ``nodes`` choices are whole, found by a branch
    and bound of at most that many nodes, which may stop ``within`` that much of its best mean value.
    """
    rest, offers = opened(problem, fixed, core)
    local, offer = np.nonzero(_columns(problem, core, offers, near))
    amounts, row = offers[local, :, offer].astype(np.float64), core[local]
    soft = np.flatnonzero(np.isfinite(problem.cap))
    limits = problem.rows_of_offers(problem.pool.cell[row], amounts[:, 1:])
    overflow = csr_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(problem.b), len(soft)))
    once, at_most = _counts(problem, core, local)
    once.resize(once.shape[0], len(local) + len(soft))
    capacity = problem.size * (problem.b - tightened) - problem.rows_of_cells(rest.sums[:, 1:])
    solution = maximise(
        np.concatenate([amounts[:, 0], -problem.cap[soft]]),
        vstack([hstack([limits, overflow]), once]).tocsr(),
        np.concatenate([capacity, at_most]),
        np.concatenate([problem.pool.copies[row], np.full(len(soft), np.inf)]),
        np.concatenate([np.ones(len(local)), np.zeros(len(soft))]) if nodes else None,
        within * problem.size,
        nodes,
    )
    given = np.rint(solution.x[: len(local)]) if nodes else solution.x[: len(local)]
    return solution, with_pairs(problem, rest, row, offer, given, amounts)


def _columns(problem: Problem, core: np.ndarray, offers: np.ndarray, near: Near | None) -> np.ndarray:
    """Return which offers (q, K) of the core rows the programme chooses among."""
    eligible: np.ndarray = np.isfinite(offers[:, 0])
    if near is None or np.isinf(near.spread):
        return eligible
    columns = np.zeros(eligible.shape, dtype=bool)
    for prices in near.prices:
        net = offers[:, 0] - np.einsum("qr,qrk->qk", problem.charges(prices)[problem.pool.cell[core]], offers[:, 1:])
        columns |= net >= np.maximum(net.max(axis=1, keepdims=True), 0.0) - near.spread
    return np.asarray(columns & eligible)


def opened(problem: Problem, fixed: Shares, core: np.ndarray) -> tuple[Shares, np.ndarray]:
    """Return the shares without what the core rows get, and the core's values and uses (q, 1 + R, K)."""
    offers, pool = problem.pool.offers_of(core), problem.pool
    choice = fixed.choice.copy()
    chosen = np.flatnonzero(choice[core] >= 0)
    amounts = offers[chosen, :, choice[core[chosen]]] * pool.copies[core[chosen], None]
    sums = fixed.sums - sums_of_pairs(problem, core[chosen], amounts)
    inside = np.isin(fixed.row, core)
    at = np.searchsorted(core, fixed.row[inside])
    of_pairs = offers[at, :, fixed.offer[inside]] * fixed.amount[inside, None]
    sums -= sums_of_pairs(problem, fixed.row[inside], of_pairs)
    choice[core] = -1
    return Shares(choice, fixed.row[~inside], fixed.offer[~inside], fixed.amount[~inside], sums), offers


def with_pairs(
    problem: Problem, rest: Shares, row: np.ndarray, offer: np.ndarray, given: np.ndarray, amounts: np.ndarray
) -> Shares:
    """Return the shares with more pairs, of which ``given`` (q,) copies get an offer of ``amounts`` (q, 1 + R) each."""
    taken = np.flatnonzero(given > 0.0)
    sums = rest.sums + sums_of_pairs(problem, row[taken], amounts[taken] * given[taken, None])
    return Shares(
        rest.choice, np.concatenate([rest.row, row[taken]]), np.concatenate([rest.offer, offer[taken]]),
        np.concatenate([rest.amount, given[taken]]), sums,
    )  # fmt: skip


def _counts(problem: Problem, core: np.ndarray, local: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
    """Return the rows that count offers per core opportunity and per capped customer, and what they may come to."""
    pairs, ones = np.arange(len(local)), np.ones(len(local))
    once = csr_matrix((ones, (local, pairs)), shape=(len(core), len(local)))
    customer = customers_of(problem.pool.first, core)
    owners, owner = np.unique(customer, return_inverse=True)
    capped = np.flatnonzero(np.diff(problem.pool.first)[owners] > problem.most)
    of_customers = csr_matrix((ones, (owner[local], pairs)), shape=(len(owners), len(local)))[capped]
    at_most = np.concatenate([problem.pool.copies[core], np.full(len(capped), float(problem.most))])
    return csr_matrix(vstack([once, of_customers])), at_most
