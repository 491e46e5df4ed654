"""The frontier: plan value against one limit, with the price of that limit at each point."""

from collections.abc import Sequence

import msgspec

from opportune.allocation.prepare import prepare
from opportune.allocation.solver import Task, refuse_unfit, solve
from opportune.domain import BrokenPromise, Candidates, Limit, Plan


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The plan under one value of the limit: what it is worth, what is proved, and the price there.

    All None where no plan keeps that value beside the other limits.
    """

    limit: float
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    price: float | None = None
    used: float | None = None
    offered: int | None = None


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

    Candidates are prepared once, and the plans share their data hash. A bound that no plan keeps is a point without
    figures: it says nothing against the others.
    """
    refuse_unfit(candidates, limits)
    prepared = prepare(candidates, limits, offers_per_customer)
    points, start = [], None
    for bound in bounds:
        varied = [msgspec.structs.replace(one, at_most=bound) if one.name == name else one for one in limits]
        task = Task(candidates=candidates, limits=tuple(varied), gap=gap, seed=seed, reserved={})
        try:
            plan = solve(task, prepared, start)
        except BrokenPromise:
            points.append(FrontierPoint(limit=bound))
            continue
        if plan.certificate.status == "interrupted":
            raise KeyboardInterrupt
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
