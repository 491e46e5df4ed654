"""The front door: what a policy would have earned on a log, and by how much it differs from another."""

from typing import Any

import msgspec

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.delayed import Completion, completed_score
from opportune.evaluation.estimators import Estimator
from opportune.evaluation.inference import Clusters, Interval, as_clusters, inferred
from opportune.evaluation.logged import refuse_unusable
from opportune.evaluation.read_log import as_logged
from opportune.evaluation.read_policy import as_policy, as_predictions
from opportune.evaluation.sequence import Bounds, path_of
from opportune.evaluation.statistic import difference
from opportune.evaluation.support import refuse_unsupported, smallest_effective_n
from opportune.evaluation.untold import WAIT, refuse_point, refuse_untold, subject_of

SEQUENCE = f"{WAIT}, or take interval='sequence' with estimator 'ipw' or 'dr' and the bounds that no outcome can pass"


class How(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one estimate, as ``estimate`` tells them."""

    measure: str
    estimator: Estimator
    interval: Interval
    cluster: str
    outcome_model: Any
    completion: Completion | None
    bounds: tuple[float, float] | None
    replicates: int
    seed: int
    level: float

    @property
    def may_be_open(self) -> bool:
        """Whether outcomes that are not yet known are allowed."""
        return self.completion is not None


def estimate(
    logged: Any,
    policy: Any,
    *,
    measure: str = "outcome",
    estimator: Estimator = "dr",
    interval: Interval = "bootstrap",
    cluster: str = "customer_id",
    outcome_model: Any = None,
    completion: Completion | None = None,
    bounds: tuple[float, float] | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Return the mean outcome per decision under a policy; ``NO_OFFER`` counts as zero unless the log holds it.

    ``logged`` is a ``LoggedDecisions`` or a table of them, ``policy`` a policy or a table (``decision_id, offer_id,
    probability``): anything that speaks Arrow. ``estimator`` is told in ``estimators``, ``interval`` in ``inference``
    and ``sequence``. Decisions of one ``cluster`` share their luck; ``"decision_id"`` says that none do. Of a table any
    column may be named, of a ``LoggedDecisions`` one of its arrays of ids. Logged probabilities and ``outcome_model``,
    predictions (n, K) or a table (``decision_id, offer_id, prediction``), are held fixed in every interval.
    ``completion`` tells what outcomes that are not yet known (NaN) come to. ``bounds`` are the least and the greatest
    possible outcome, for ``"sequence"``. BadInput (OP601 to OP606, OP609 to OP620, OP627, OP629,
    OP834) when the log cannot carry it.
    """
    how = How(
        measure=measure, estimator=estimator, interval=interval, cluster=cluster, outcome_model=outcome_model,
        completion=completion, bounds=bounds, replicates=replicates, seed=seed, level=level,
    )  # fmt: skip
    return _judge(logged, (policy,), how)


def compare(
    logged: Any,
    policy: Any,
    against: Any,
    *,
    measure: str = "outcome",
    estimator: Estimator = "dr",
    interval: Interval = "bootstrap",
    cluster: str = "customer_id",
    outcome_model: Any = None,
    completion: Completion | None = None,
    bounds: tuple[float, float] | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Return the difference ``policy`` less ``against`` on the same rows and the same draws; see ``estimate``.

    What both share cancels, so the interval is narrower than two separate ones suggest. ``effective_n`` is the
    smaller of the two, of those that offer anything.
    """
    how = How(
        measure=measure, estimator=estimator, interval=interval, cluster=cluster, outcome_model=outcome_model,
        completion=completion, bounds=bounds, replicates=replicates, seed=seed, level=level,
    )  # fmt: skip
    return _judge(logged, (policy, against), how)


def _judge(given: Any, policies: tuple[Any, ...], how: How) -> Estimate:
    """Return the value of one policy, or the difference of two."""
    logged, names = as_logged(given, how.measure, how.cluster, how.may_be_open)
    judged, model = [as_policy(each, logged) for each in policies], as_predictions(how.outcome_model, logged)
    outcome = logged.measured(how.measure)
    refuse_unusable(logged, {how.measure: outcome}, how.may_be_open)
    for each in judged:
        refuse_unsupported(logged, each)
    clusters = as_clusters(names, alone=how.cluster == "decision_id")
    weights = [each.weights(logged) for each in judged]
    statistics = [
        completed_score(logged, each, own, outcome, how.estimator, model, how.completion)
        for each, own in zip(judged, weights, strict=True)
    ]
    statistic = statistics[0] if len(statistics) == 1 else difference(*statistics)
    kish = smallest_effective_n(weights)
    if how.interval == "sequence":
        bounds = _sequence_bounds(how, clusters, len(logged))
        path = path_of(logged, judged, outcome, model if how.estimator == "dr" else None, bounds, how.level)
        return path.estimate(statistic.whole(), len(logged), how.estimator, how.level, kish)
    step = SEQUENCE if not how.may_be_open and clusters.count == len(logged) else WAIT
    asked = [] if how.estimator == "dm" else refuse_untold(logged, judged, weights, outcome, how.completion, step)
    found = inferred(statistic, clusters, how.interval, how.replicates, how.seed)
    told = found.estimate(len(logged), how.estimator, how.level, kish)
    if any(side.entered.any() for side in asked):
        refuse_point(subject_of(judged), told, step)
    return told


def _sequence_bounds(how: How, clusters: Clusters, count: int) -> Bounds:
    """Return the bounds of a sequence. BadInput (OP617, OP619) with every reason why there can be none."""
    says = [
        ("OP617", "bounds", "are missing", "the least and the greatest possible outcome", how.bounds is None),
        ("OP619", "estimator", f"is {how.estimator!r}", "'ipw' or 'dr', whose scores can be added up as they come",
         how.estimator not in ("ipw", "dr")),
        ("OP619", "completion", "is given", "none: what completes a row is learned from later ones", how.may_be_open),
        ("OP619", "cluster", f"has {clusters.count} values in {count} decisions",
         "one decision each, or cluster='decision_id' to say that decisions share no luck", clusters.count < count),
    ]  # fmt: skip
    findings = [
        Finding(code=code, source="interval='sequence'", subject=subject, message=f"{given}: expected {expected}",
                next_step="give it, or take interval='asymptotic_sequence', which needs less")
        for code, subject, given, expected, wrong in says if wrong
    ]  # fmt: skip
    if findings or how.bounds is None:
        raise BadInput(findings)
    return Bounds(*how.bounds)
