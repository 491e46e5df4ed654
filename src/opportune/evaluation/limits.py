"""Limits on evidence: what a policy would have used of a resource, and how probable it is that a limit holds."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, LimitRow
from opportune.evaluation.delayed import Completion, refuse_several, with_missing
from opportune.evaluation.estimators import weighted
from opportune.evaluation.inference import Interval, as_clusters, inferred
from opportune.evaluation.logged import LoggedDecisions, refuse_unusable
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio, scaled, shifted
from opportune.evaluation.support import effective_n, refuse_unsupported
from opportune.evaluation.untold import WAIT, Side, hardly, never_drawn, refuse_point, sides, untold

STEP = f"{WAIT}; name it as `certain` where the offer alone decides it, as a contact"


class LimitEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would have used under one row of a limit, and the probability ``holds`` that it keeps the bound.

    ``holds`` is about what is expected of such a list: a share of bootstrap replicates, or the area under the normal
    curve. It says how sure the data are, not how often a list would break the limit by its own luck.
    """

    limit: str
    bound: float
    used: Estimate
    holds: float


def limit_evidence(
    logged: LoggedDecisions,
    policy: Judged,
    uses: Mapping[str, np.ndarray],
    rows: Sequence[LimitRow],
    *,
    interval: Interval = "bootstrap",
    cluster: str = "customer_id",
    completion: Completion | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    decisions: int | None = None,
    about: np.ndarray | None = None,
    certain: Collection[str] = (),
) -> tuple[LimitEvidence, ...]:
    """Return per row what the policy would have used, by snipw: the sum over all decisions, or its ratio to ``per``.

    ``uses`` maps a resource (contacts, money lent, exposure, loss) to its booked amount per logged decision (n,).
    ``about`` (n,) is what it is multiplied by under these rows, 0 where they are not about a decision, such as one in
    another region. What the book used before (``opening``) comes on top. The sum is N x mean(m) x sum(w u) / sum(w); in
    the ratio of two such sums the normalisation cancels. N is ``decisions``: how many the bound is about, where the log
    holds a part of them only, and else those of the log. Those that it lacks are taken to be like those that it holds.
    A ratio of nothing is 0, as in the certificate. Any interval of ``estimate`` but ``"sequence"``.

    The offer alone decides what is used of a ``certain`` resource, as contacts: that all use alike is known then. All
    others are outcomes. BadInput (OP601 to OP606, OP609, OP610, OP620) when the log cannot carry it, and OP629 where a
    policy makes offers and all used alike, or none of them was drawn: that no loss was seen does not say that none will
    be. A signed ``about`` is a difference, and asked about on each of its sides. ValueError when a name is unknown.
    """
    named = {name for row in rows for name in (row.uses, row.per) if name is not None}
    outcomes, times = named - set(certain), np.ones(len(logged)) if about is None else about
    _refuse_choices(len(logged), uses, named, certain, times)
    completed = {name for name in named if name in outcomes or np.isnan(uses[name]).any()}  # else it is known already
    refuse_several(completion, completed)
    read = {name: uses[name] if completion is not None else np.where(times == 0.0, 0.0, uses[name]) for name in named}
    refuse_unusable(logged, read, may_be_open=completion is not None)
    refuse_unsupported(logged, policy)
    clusters = as_clusters(logged.clustered_by(cluster), alone=cluster == "decision_id")
    weights, evidence = policy.weights(logged), []
    (side,) = sides(logged, [policy], [weights], offers_only=True)

    def mean_use(row: LimitRow, name: str) -> Statistic:
        _refuse_untold_use(f"limit '{row.name}': {name}", side, times, read[name], completion, name in outcomes)
        return _mean_use(weights, policy.told(logged), read[name], times, completion if name in completed else None)

    for row in rows:
        top, bottom = mean_use(row, row.uses), None if row.per is None else mean_use(row, row.per)
        statistic = _used(top, bottom, row, len(logged) if decisions is None else decisions)
        found = inferred(statistic, clusters, interval, replicates, seed)
        used = found.estimate(len(logged), "snipw", level, effective_n(weights))
        if outcomes & {row.uses, row.per} and (side.entered & (times != 0.0)).any():
            refuse_point(f"limit '{row.name}'", used)
        evidence.append(LimitEvidence(limit=row.name, bound=row.bound, used=used, holds=found.share_within(row)))
    return tuple(evidence)


def _refuse_choices(
    count: int, uses: Collection[str], named: set[str], certain: Collection[str], times: np.ndarray
) -> None:
    """Raise ValueError where a resource is not among the uses, or what a decision counts for is no number."""
    unknown = sorted((named | set(certain)) - set(uses))
    if unknown:
        raise ValueError(f"uses lack {', '.join(map(repr, unknown))}: expected what each decision used of it")
    if times.shape != (count,) or not np.isfinite(times).all():
        raise ValueError(f"about has shape {times.shape}: expected {count} finite numbers, one for each decision")


def _refuse_untold_use(
    subject: str, side: Side, times: np.ndarray, used: np.ndarray, completion: Completion | None, outcome: bool
) -> None:
    """Raise BadInput (OP629) where uses (n,) do not tell what a policy would have used, on either side of a limit."""
    for about in (times > 0.0, times < 0.0):
        asked, entered = side.asked & about, side.entered & about
        why = untold(asked, entered, used, completion) if outcome else never_drawn(asked, entered)
        if why is not None:
            raise BadInput([hardly(subject, why, STEP if outcome else WAIT)])


def _mean_use(
    weights: np.ndarray, told: np.ndarray, used: np.ndarray, times: np.ndarray, completion: Completion | None
) -> Statistic:
    """Return the mean use (n,) per decision, multiplied by ``times`` (n,); open uses (NaN) are completed before."""
    if completion is None:
        return weighted(weights, used * times, told)
    known = weighted(weights, completion.known(used) * times, told)
    return with_missing(known, completion, used, weights * times)


def _used(top: Statistic, bottom: Statistic | None, row: LimitRow, count: int) -> Statistic:
    """Return what ``count`` decisions use under a row, from the mean uses per decision."""
    if bottom is None:
        return _total(top, count, row.opening)
    if not row.opening and not row.opening_per:
        return ratio(top, bottom)
    return ratio(_total(top, count, row.opening), _total(bottom, count, row.opening_per))


def _total(mean: Statistic, count: int, opening: float) -> Statistic:
    """Return the sum over all decisions, on top of what was used before."""
    return shifted(scaled(mean, float(count)), opening)
