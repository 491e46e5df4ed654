"""Allocate: prices, then the core, then whole choices, then a certificate made by other code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from opportune.allocation.certificate import certify
from opportune.allocation.check import check_asked, check_limits, refuse_unfit
from opportune.allocation.conflict import explain_conflict
from opportune.allocation.core import LinearPlan, shares_of, solve_core
from opportune.allocation.dual import smoothed_prices
from opportune.allocation.inner import inner
from opportune.allocation.interruption import stopped
from opportune.allocation.near import settled_prices
from opportune.allocation.on_disk import prepare_on_disk
from opportune.allocation.prepare import Prepared, prepare
from opportune.allocation.problem import Problem
from opportune.allocation.repair import keeps, whole_choice, whole_shares
from opportune.allocation.shares import Shares
from opportune.domain import BadInput, CandidateBlocks, Candidates, Limit, Plan, Reserved

REPAIRS = 4


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be planned: candidates under limits, the gap asked for, and what of the rows is reserved."""

    candidates: CandidateBlocks
    limits: tuple[Limit, ...]
    gap: float
    seed: int
    reserved: Mapping[str, Reserved]
    data: bytes | None = None
    """The digests of the candidates' blocks, where they are known."""


class Latest:
    """The best prices (m,) found so far, for when the work is interrupted."""

    def __init__(self, prices: np.ndarray) -> None:
        self.prices = prices

    def note(self, prices: np.ndarray) -> None:
        """Keep prices that are better than those before."""
        self.prices = prices


def allocate(
    candidates: CandidateBlocks,
    limits: Sequence[Limit],
    gap: float = 1e-4,
    seed: int = 0,
    start: Mapping[str, float] | None = None,
    offers_per_customer: int | None = None,
    reserved: Mapping[str, Reserved] | None = None,
) -> Plan:
    """Return the plan of greatest value that keeps the limits, with the proof of how good it is.

    An interruption (Ctrl-C) while it works does not lose the work: the best plan so far comes back, its certificate
    says ``interrupted`` and how good it is.

    Parameters
    ----------
    candidates : arrays (n, K) of eligibility, value and uses; each row gets one offer or none. Candidates in blocks,
        such as a file larger than memory, are packed into a temporary file of 4 (1 + resources) K bytes a row.
    limits : hard limits are kept by the whole plan; a soft one costs its price per unit of excess.
    gap : the relative gap up to which the plan may call itself optimal.
    seed : recorded in the certificate; the method draws nothing at random.
    start : prices of a neighbouring plan, to save work.
    offers_per_customer : how many offers one customer may get over all of its rows; None: one for each row.
    reserved : by the name of a row, the margin to keep free and what is used before anything is chosen.

    Raises
    ------
    BadInput : limits on unknown resources or columns, values that are not finite (OP501-OP505), a customer that stands
        twice for a slot and instant (OP030), no offers or fewer than one per customer (OP515).
    BrokenPromise : limits that cannot hold together, with the cheapest way out (OP510).
    """
    task = Task(candidates=candidates, limits=tuple(limits), gap=gap, seed=seed, reserved=reserved or {})
    if isinstance(candidates, Candidates):
        refuse_unfit(candidates, limits, offers_per_customer)
        return solve(task, prepare(candidates, limits, offers_per_customer), start)
    findings = check_limits(limits, candidates.resources, candidates.columns)
    if findings := findings + check_asked(candidates.offer_ids, offers_per_customer):
        raise BadInput(findings)
    with TemporaryDirectory(prefix="opportune-") as folder:
        return solve(task, prepare_on_disk(candidates, limits, offers_per_customer, Path(folder)), start)


def quick_plan(
    candidates: Candidates,
    limits: Sequence[Limit],
    gap: float,
    seed: int,
    prices: Mapping[str, float],
    offers_per_customer: int | None,
    reserved: Mapping[str, Reserved],
) -> Plan | None:
    """Return a plan made quickly from some prices, labelled as interrupted; None where none was found."""
    task = Task(candidates=candidates, limits=tuple(limits), gap=gap, seed=seed, reserved=reserved)
    prepared = prepare(candidates, limits, offers_per_customer)
    problem = prepared.problem(limits, reserved)
    scaled = problem.scaled_prices(np.array([prices[row.name] for row in problem.rows]))
    return _plan_so_far(task, prepared, problem, scaled)


def solve(task: Task, prepared: Prepared, start: Mapping[str, float] | None) -> Plan:
    """Return the plan of prepared candidates under limits that differ at most in their bounds from those prepared.

    Where a few values dwarf the mean best one, no penalty counted in means is sure to be worth more than they are. So
    before limits are said to conflict, the plan is looked for again with values scaled by the largest.
    """
    plan = _solved(task, prepared, start)
    if plan is None and (rescaled := prepared.by_largest()) is not None:
        plan = _solved(task, rescaled, None)
    if plan is None:
        raise explain_conflict(prepared, task.limits, task.reserved)
    return plan


def _solved(task: Task, prepared: Prepared, start: Mapping[str, float] | None) -> Plan | None:
    """Return the plan, or the one so far where the work is interrupted; None where none was found."""
    problem = prepared.problem(task.limits, task.reserved)
    latest = Latest(np.zeros(len(problem.rows)))
    if start is not None:
        latest.note(problem.scaled_prices(np.array([start[row.name] for row in problem.rows])))
    try:
        prices = smoothed_prices(problem, latest.note) if start is None else latest.prices
        linear = solve_core(problem, *settled_prices(problem, prices, latest.note), latest.note)
        plan = _whole_plan(task, prepared, problem, linear) if linear.feasible else None
    except (KeyboardInterrupt, SystemError) as error:
        if not stopped(error):
            raise
        plan = _plan_so_far(task, prepared, problem, latest.prices)
        if plan is None:
            raise
    return plan


def _whole_plan(task: Task, prepared: Prepared, problem: Problem, linear: LinearPlan) -> Plan | None:
    """Return the plan of whole choices; None where no choices that keep the limits were found.

    Where the certificate's own sums find a row passed by a rounding, the limits are tightened by that and the choices
    are made again.
    """
    tightened = np.zeros(len(problem.rows))
    for _ in range(REPAIRS):
        shares = whole_shares(problem, linear, task.gap, tightened)
        if shares is None:
            return None
        plan = _certified(task, prepared, problem, linear.prices, shares, interrupted=False)
        if plan.certificate.status != "infeasible":
            return plan
        over = np.array([max(-row.slack, 0.0) for row in plan.certificate.rows]) / problem.row_scale
        tightened = tightened + 2.0 * over
    return None


def _plan_so_far(task: Task, prepared: Prepared, problem: Problem, prices: np.ndarray) -> Plan | None:
    """Return a plan that keeps the limits, made quickly from the prices found so far; None where none was found."""
    prices, quick = whole_choice(problem, prices)
    found = inner(problem, prices)
    none = shares_of(msgspec.structs.replace(found, choice=np.full_like(found.choice, -1), sums=found.sums * 0.0))
    tightened = np.zeros(len(problem.rows))
    for shares in (quick, none):
        if keeps(problem, shares, tightened):
            return _certified(task, prepared, problem, prices, shares, interrupted=True)
    return None


def _certified(
    task: Task, prepared: Prepared, problem: Problem, scaled: np.ndarray, shares: Shares, interrupted: bool
) -> Plan:
    names = [row.name for row in problem.rows]
    prices = dict(zip(names, problem.prices_of(scaled).tolist(), strict=True))
    choice = prepared.expanded(shares.choice, (shares.row, shares.offer, shares.amount))
    return Plan(
        opportunity_id=prepared.opportunity_id,
        offer_ids=task.candidates.offer_ids,
        choice=choice,
        prices=prices,
        places=prepared.places_of(task.limits),
        certificate=certify(
            task.candidates,
            task.limits,
            choice,
            prices,
            task.gap,
            task.seed,
            task.reserved,
            prepared.most,
            interrupted,
            task.data,
        ),
    )
