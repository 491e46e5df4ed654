"""The frontier: plan value against one limit, with the price of that limit at each point."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation.check import refuse_unfit
from opportune.allocation.digest import digest_of
from opportune.allocation.interruption import is_cut_short
from opportune.allocation.prepare import prepare
from opportune.allocation.solver import Task, solve
from opportune.allocation.varied import check_varied, told_as_one, varied_field
from opportune.domain import BadInput, BrokenPromise, Candidates, Limit, Plan, Reserved
from opportune.numerics import clustered_mean


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The plan under one value of the limit: what it is worth, what is proved, and the price there.

    Of a limit with several rows ``price`` is what one unit more (of a floor: less) in every row is worth, the sum of
    their prices. ``used`` is their sum; of ratios and of parity, that of the row which lies nearest to the bound.
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
    reserved: Mapping[str, Reserved] | None = None,
) -> tuple[FrontierPoint, ...]:
    """Return one plan per bound of the limit ``name``, each started from its neighbour's prices.

    Varied is the bound that the limit has: ``at_most``, ``at_least`` or ``within``, of a ratio too; of a ceiling and a
    floor the ceiling. A limit ``by`` value or ``period`` has the same bound in all its rows. ``reserved`` holds what
    ``allocate`` is given.

    Candidates are prepared once, and the plans share their data hash. A bound that no plan keeps is a point without
    figures: it says nothing against the others. ``scores`` (n, K), such as doubly robust ones from rows that did not
    teach the values, judge each plan; ``cluster`` (n,) names what shares its luck, else every opportunity stands alone.
    With one budget the path is the multi-armed Qini curve of Sverdrup et al. (2023).

    BadInput for a name that no limit has (OP804), for a limit with ``amounts`` (OP514), and as ``allocate``.
    """
    if findings := check_varied(limits, name, bounds):
        raise BadInput(findings)
    refuse_unfit(candidates, limits, offers_per_customer)
    prepared = prepare(candidates, limits, offers_per_customer)
    points: list[FrontierPoint] = []
    seen: list[tuple[float, Mapping[str, float]]] = []
    data = b"".join(digest_of(block) for block in candidates.blocks())
    for bound in bounds:
        varied = tuple(_with_bound(one, bound) if one.name == name else one for one in limits)
        task = Task(candidates=candidates, limits=varied, gap=gap, seed=seed, reserved=reserved or {}, data=data)
        try:
            plan = solve(task, prepared, _expected(seen, bound))
        except BrokenPromise:
            points.append(FrontierPoint(limit=bound))
            continue
        if is_cut_short(plan):
            raise KeyboardInterrupt
        points.append(_point(bound, name, plan, *_judged(plan.choice, scores, cluster)))
        seen.append((bound, plan.prices))
    return tuple(points)


def _with_bound(limit: Limit, bound: float) -> Limit:
    return msgspec.structs.replace(limit, **{str(varied_field(limit)): bound})


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
    used, price = told_as_one(plan, name)
    return FrontierPoint(
        limit=limit, value=proof.value, bound=proof.bound, gap=proof.gap, price=price, used=used,
        offered=proof.offered, judged=judged, standard_error=standard_error,
    )  # fmt: skip
