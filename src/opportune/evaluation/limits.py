"""Limits on evidence: what a policy would have used of a resource, and how probable it is that a limit holds."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.domain import Estimate, LimitRow
from opportune.evaluation.delayed import Completion, completed_score
from opportune.evaluation.inference import Interval, as_clusters, inferred
from opportune.evaluation.logged import LoggedDecisions, refuse_unusable
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio, scaled, shifted
from opportune.evaluation.support import effective_n, refuse_unsupported


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
) -> tuple[LimitEvidence, ...]:
    """Return per row what the policy would have used, by snipw: the sum over all decisions, or its ratio to ``per``.

    ``uses`` maps a resource (contacts, money lent, exposure, loss) to its booked amount per logged decision (n,), zero
    where a row is not about it; what the book used before (``opening``) comes on top. The sum is n x mean(m) x
    sum(w u) / sum(w); in the ratio of two such sums the normalisation cancels. A ratio of nothing is 0, as in the
    certificate. Any interval of ``estimate`` but ``"sequence"``. BadInput (OP601 to OP606, OP609, OP610,
    OP620) when the log cannot carry it.
    """
    read = {name: uses[name] for row in rows for name in (row.uses, row.per) if name is not None}
    refuse_unusable(logged, read, may_be_open=completion is not None)
    refuse_unsupported(logged, policy)
    clusters = as_clusters(logged.clustered_by(cluster), alone=cluster == "decision_id")
    weights, evidence = policy.weights(logged), []
    for row in rows:
        statistic = _used(logged, policy, weights, uses, row, completion)
        found = inferred(statistic, clusters, interval, replicates, seed)
        used = found.estimate(len(logged), "snipw", level, effective_n(weights))
        evidence.append(LimitEvidence(limit=row.name, bound=row.bound, used=used, holds=found.share_within(row)))
    return tuple(evidence)


def _used(
    logged: LoggedDecisions,
    policy: Judged,
    weights: np.ndarray,
    uses: Mapping[str, np.ndarray],
    row: LimitRow,
    completion: Completion | None,
) -> Statistic:
    top = _mean_use(logged, policy, weights, uses[row.uses], completion)
    if row.per is None:
        return _total(top, len(logged), row.opening)
    bottom = _mean_use(logged, policy, weights, uses[row.per], completion)
    if not row.opening and not row.opening_per:
        return ratio(top, bottom)
    return ratio(_total(top, len(logged), row.opening), _total(bottom, len(logged), row.opening_per))


def _total(mean: Statistic, count: int, opening: float) -> Statistic:
    """Return the sum over all decisions, on top of what was used before."""
    return shifted(scaled(mean, float(count)), opening)


def _mean_use(
    logged: LoggedDecisions, policy: Judged, weights: np.ndarray, used: np.ndarray, completion: Completion | None
) -> Statistic:
    return completed_score(logged, policy, weights, used, "snipw", None, completion)
