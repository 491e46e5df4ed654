"""The nearest plan where limits cannot hold together: passing them by the least total excess, the one worth most."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.allocation.certificate import certify
from opportune.allocation.check import refuse_unfit
from opportune.allocation.conflict import least_excess
from opportune.allocation.prepare import prepare
from opportune.allocation.shares import use_of
from opportune.allocation.solver import Task, solve
from opportune.domain import BrokenPromise, Candidates, Limit, Plan, Reserved

HAIR = 1e-9
"""What limits are eased by beyond the least excess, as a share of their size: float64 sums differ by their order."""


def nearest_plan(
    candidates: Candidates,
    limits: Sequence[Limit],
    gap: float = 1e-4,
    seed: int = 0,
    offers_per_customer: int | None = None,
) -> Plan | None:
    """Return the best plan under the cheapest relaxation of the limits; its certificate is about the limits asked for.

    So its status is ``infeasible``, and the slack of a row below zero tells by how much the plan passes it. The excess
    is counted in scaled units: each row weighs by its own size. None where no whole plan was found under it: what is
    left open by so little may be beyond the search, and the conflict of the limits as they were asked is what to tell.
    """
    refuse_unfit(candidates, limits, offers_per_customer)
    prepared = prepare(candidates, limits, offers_per_customer)
    problem = prepared.problem(limits, {})
    everything = {row.source for row in problem.rows}
    _, shares = least_excess(problem, everything, everything)
    if shares is None:
        return None
    over = np.maximum(use_of(problem, shares) - problem.b, 0.0) + HAIR
    eased = {
        row.name: Reserved(margin=-float(amount))
        for row, amount in zip(problem.rows, over * problem.row_scale, strict=True)
    }
    task = Task(candidates=candidates, limits=tuple(limits), gap=gap, seed=seed, reserved=eased)
    try:
        plan = solve(task, prepared, None)
    except BrokenPromise:
        return None
    proof = certify(candidates, limits, plan.choice, plan.prices, gap, seed, {}, offers_per_customer)
    return msgspec.structs.replace(plan, certificate=proof)
