"""The frontier: plan value against one limit, with the price of that limit at each point."""

from collections.abc import Sequence

import msgspec

from opportune.allocation.certificate import digest_of
from opportune.allocation.prepare import prepare
from opportune.allocation.solver import Task, refuse_unfit, solve
from opportune.domain import Candidates, Limit, Plan


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The plan under one value of the limit: what it is worth, what is proved, and the price there."""

    limit: float
    value: float
    bound: float
    gap: float
    price: float
    used: float
    offered: int


def frontier(
    candidates: Candidates,
    limits: Sequence[Limit],
    name: str,
    bounds: Sequence[float],
    gap: float = 1e-4,
    seed: int = 0,
    offers_per_customer: int | None = None,
) -> tuple[FrontierPoint, ...]:
    """Return one plan per bound of the limit ``name`` (its ``at_most``), each started from its neighbour's prices.

    Candidates are prepared once, and the plans share their data hash.
    """
    refuse_unfit(candidates, limits)
    prepared = prepare(candidates, limits, offers_per_customer)
    points, start = [], None
    data = b"".join(digest_of(block) for block in candidates.blocks())
    for bound in bounds:
        varied = [msgspec.structs.replace(one, at_most=bound) if one.name == name else one for one in limits]
        task = Task(candidates=candidates, limits=tuple(varied), gap=gap, seed=seed, reserved={}, data=data)
        plan = solve(task, prepared, start)
        points.append(_point(bound, name, plan))
        start = plan.prices
    return tuple(points)


def _point(limit: float, name: str, plan: Plan) -> FrontierPoint:
    proof = plan.certificate
    row = next(row for row in proof.rows if row.name.removesuffix(" (at most)") == name)
    return FrontierPoint(
        limit=limit, value=proof.value, bound=proof.bound, gap=proof.gap, price=row.price, used=row.used,
        offered=proof.offered,
    )  # fmt: skip
