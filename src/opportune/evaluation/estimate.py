"""Estimates of policies and of their differences, with intervals that resample whole clusters."""

import numpy as np

from opportune.domain import Estimate
from opportune.evaluation.estimators import Estimator, Scored, ratio_or_zero, scored
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged
from opportune.evaluation.support import effective_n, refuse_unsupported
from opportune.numerics import bootstrap_totals, cluster_sums, percentile_interval

PURPOSE = "cluster bootstrap"


def estimate(
    logged: LoggedDecisions,
    policy: Judged,
    *,
    measure: str,
    estimator: Estimator,
    outcome_model: np.ndarray | None,
    replicates: int,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Return the mean outcome per decision under a policy, ``NO_OFFER`` counting as zero.

    The interval is the percentile interval of a bootstrap that draws whole clusters with replacement. Logged
    probabilities are held fixed in it. BadInput (OP610) when the log does not support the policy.
    """
    refuse_unsupported(logged, policy)
    found = scored(logged, policy, logged.outcome[measure], estimator, outcome_model)
    value, replicated = _resampled([found], logged, replicates, seed)
    low, high = percentile_interval(replicated[:, 0], level)
    return Estimate(
        value=float(value[0]), low=low, high=high, n=len(logged), method=estimator, level=level,
        effective_n=effective_n(policy.weights(logged)),
    )  # fmt: skip


def compare(
    logged: LoggedDecisions,
    policy: Judged,
    against: Judged,
    *,
    measure: str,
    estimator: Estimator,
    outcome_model: np.ndarray | None,
    replicates: int,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Return the difference ``policy`` less ``against`` on the same rows and the same bootstrap draws.

    What both share cancels, so the interval is narrower than two separate ones suggest. ``effective_n`` is the
    smaller of the two.
    """
    for each in (policy, against):
        refuse_unsupported(logged, each)
    pair = [scored(logged, each, logged.outcome[measure], estimator, outcome_model) for each in (policy, against)]
    value, replicated = _resampled(pair, logged, replicates, seed)
    low, high = percentile_interval(replicated[:, 0] - replicated[:, 1], level)
    return Estimate(
        value=float(value[0] - value[1]), low=low, high=high, n=len(logged), method=estimator, level=level,
        effective_n=min(effective_n(each.weights(logged)) for each in (policy, against)),
    )  # fmt: skip


def _resampled(
    parts: list[Scored], logged: LoggedDecisions, replicates: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimates (p,) and their bootstrap replicates (replicates, p), all parts on the same draws."""
    edges = np.cumsum([0, *(part.columns.shape[1] for part in parts)])
    sums = cluster_sums(np.column_stack([part.columns for part in parts]), logged.cluster)
    drawn = bootstrap_totals(sums, replicates, seed, PURPOSE)
    whole = [part.value(part.columns.sum(axis=0)) for part in parts]
    again = [part.value(drawn[:, a:b]) for part, a, b in zip(parts, edges[:-1], edges[1:], strict=True)]
    return np.array(whole), np.column_stack(again)


def realised_use(
    logged: LoggedDecisions,
    policy: Judged,
    uses: dict[str, np.ndarray],
    resource: str,
    *,
    per: str | None,
    replicates: int,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Return what a policy would have used of a resource: the sum over all decisions, or its ratio to ``per``.

    ``uses`` maps a resource to its booked amount per logged decision (n,). The sum is self-normalised,
    n x mean(m) x sum(w u) / sum(w); in the ratio of two such sums the normalisation cancels. A ratio of nothing is 0,
    as in the certificate.
    """
    refuse_unsupported(logged, policy)
    top = scored(logged, policy, uses[resource], "snipw", None)
    bottom = top if per is None else scored(logged, policy, uses[per], "snipw", None)
    value, replicated = _resampled([top, bottom], logged, replicates, seed)
    found, again = (
        (value[0] * len(logged), replicated[:, 0] * len(logged))
        if per is None
        else (ratio_or_zero(value[0], value[1]), ratio_or_zero(replicated[:, 0], replicated[:, 1]))
    )
    low, high = percentile_interval(again, level)
    return Estimate(
        value=float(found), low=low, high=high, n=len(logged), method="snipw", level=level,
        effective_n=effective_n(policy.weights(logged)),
    )  # fmt: skip
