"""The frontier: plan value against one limit, with the price of that limit at each point."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation.certificate import digest_of
from opportune.allocation.prepare import prepare
from opportune.allocation.solver import Task, refuse_unfit, solve
from opportune.domain import BrokenPromise, Candidates, Limit, Plan
from opportune.numerics import clustered_mean


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The plan under one value of the limit: what it is worth, what is proved, and the price there.

    ``judged`` is its worth by scores that did not choose it, ``standard_error`` that of the judged worth. All None
    where no plan keeps that value beside the other limits.
    """

    limit: float
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    price: float | None = None
    used: float | None = None
    offered: int | None = None
    judged: float | None = None
    standard_error: float | None = None


def frontier(
    candidates: Candidates,
    limits: Sequence[Limit],
    name: str,
    bounds: Sequence[float],
    gap: float = 1e-4,
    seed: int = 0,
    offers_per_customer: int | None = None,
    scores: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> tuple[FrontierPoint, ...]:
    """Return one plan per bound of the limit ``name`` (its ``at_most``), each started from its neighbour's prices.

    Candidates are prepared once, and the plans share their data hash. A bound that no plan keeps is a point without
    figures: it says nothing against the others. ``scores`` (n, K), such as doubly robust ones from rows that did not
    teach the values, judge each plan; ``cluster`` (n,) names what shares its luck, else every opportunity stands alone.
    With one budget the path is the multi-armed Qini curve of Sverdrup et al. (2023).
    """
    refuse_unfit(candidates, limits)
    prepared = prepare(candidates, limits, offers_per_customer)
    points: list[FrontierPoint] = []
    seen: list[tuple[float, Mapping[str, float]]] = []
    data = b"".join(digest_of(block) for block in candidates.blocks())
    for bound in bounds:
        varied = [msgspec.structs.replace(one, at_most=bound) if one.name == name else one for one in limits]
        task = Task(candidates=candidates, limits=tuple(varied), gap=gap, seed=seed, reserved={}, data=data)
        try:
            plan = solve(task, prepared, _expected(seen, bound))
        except BrokenPromise:
            points.append(FrontierPoint(limit=bound))
            continue
        if plan.certificate.status == "interrupted":
            raise KeyboardInterrupt
        points.append(_point(bound, name, plan, *_judged(plan.choice, scores, cluster)))
        seen.append((bound, plan.prices))
    return tuple(points)


def _expected(seen: Sequence[tuple[float, Mapping[str, float]]], bound: float) -> Mapping[str, float] | None:
    """Return the prices at a bound on the line through the last two points seen; None where nothing was seen."""
    if not seen:
        return None
    (before, low), (last, high) = seen[-2:] if len(seen) > 1 else (seen[-1], seen[-1])
    share = (bound - last) / (last - before) if last != before else 0.0
    return {name: max(price + share * (price - low[name]), 0.0) for name, price in high.items()}


def _judged(
    choice: np.ndarray, scores: np.ndarray | None, cluster: np.ndarray | None
) -> tuple[float | None, float | None]:
    if scores is None:
        return None, None
    gains = np.where(choice >= 0, scores[np.arange(len(choice)), np.maximum(choice, 0)], 0.0)
    mean, error = clustered_mean(gains, np.arange(len(gains)) if cluster is None else cluster)
    return mean * len(gains), error * len(gains)


def _point(limit: float, name: str, plan: Plan, judged: float | None, standard_error: float | None) -> FrontierPoint:
    proof = plan.certificate
    row = next(row for row in proof.rows if row.name.removesuffix(" (at most)") == name)
    return FrontierPoint(
        limit=limit, value=proof.value, bound=proof.bound, gap=proof.gap, price=row.price, used=row.used,
        offered=proof.offered, judged=judged, standard_error=standard_error,
    )  # fmt: skip
