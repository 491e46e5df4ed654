"""Outcomes that exist only for some: arrears of takers, losses of approved applicants.

Such an outcome is a product, P(reached) x E[outcome | reached]. Where nobody was reached nothing is missing: the
product is zero there, and known. So its mean under a policy is estimated on all decisions, while the mean among those
reached is a ratio of two such means. That ratio compares other people under other policies: who takes up an offer
depends on the offer. It describes a portfolio and is no effect of an offer on a person.
"""

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.among import Among
from opportune.evaluation.delayed import Completion, completed_score
from opportune.evaluation.estimators import Estimator, scored
from opportune.evaluation.inference import Interval, as_clusters, inferred
from opportune.evaluation.logged import LoggedDecisions, refuse_unpredicted, refuse_unusable
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio
from opportune.evaluation.support import effective_n, refuse_other_shape, refuse_unsupported
from opportune.evaluation.untold import Side, hardly, is_point, refuse_point, sides, untold


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Per decision: the share ``reached``, the outcome ``given`` that it is, and their ``product``; who was reached.

    ``given`` is None where nobody is, and where all have one outcome that is not zero: nothing tells how it varies.
    """

    reached: Estimate
    given: Estimate | None
    product: Estimate
    selection: str


class StagedModel(msgspec.Struct, frozen=True):
    """Cross-fitted predictions (n, K): P(reached) and E[outcome | reached], for dm and dr."""

    reached: np.ndarray
    given: np.ndarray


def estimate_staged(
    logged: LoggedDecisions,
    policy: Judged,
    *,
    reached: np.ndarray,
    given: np.ndarray,
    among: str,
    estimator: Estimator = "snipw",
    model: StagedModel | None = None,
    completion: Completion | None = None,
    interval: Interval = "bootstrap",
    cluster: str = "customer_id",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Staged:
    """Return the share reached under a policy, the mean outcome among them, and the mean per decision.

    ``reached`` (n,) is 1 or 0; ``given`` (n,) is the outcome, NaN where there is none. ``among`` says in words who is
    reached (``"takers"``). An outcome that is not yet known among those reached is NaN and needs a ``completion``; it
    has a row for every decision, and is learned from those reached alone. BadInput
    (OP606, OP609, OP610, OP620, OP621) when the log cannot carry it, and OP629 but under dm where everybody or nobody
    was reached, or all who were have the outcome 0.
    """
    _refuse(reached, given, completion, among)
    refuse_unusable(logged, {}, may_be_open=True)  # whether outcomes are known is told above, among those reached only
    refuse_unsupported(logged, policy)
    clusters = as_clusters(logged.clustered_by(cluster), alone=cluster == "decision_id")
    for name in () if model is None else ("reached", "given"):
        refuse_other_shape(f"model.{name}", getattr(model, name), logged.probability.shape)
        refuse_unpredicted(logged, getattr(model, name))
    weights = policy.weights(logged)
    predicted = (None, None) if model is None else (model.reached, model.reached * model.given)
    outcome = np.where(reached == 1, given, 0.0)
    completed = None if completion is None else Among(completion, reached == 1)
    (side,) = sides(logged, [policy], [weights])
    if estimator != "dm":
        _refuse_untold(side, "who is reached", reached, None)
        _refuse_untold(side, "the outcome", outcome, completed)
    known = estimator == "dm" or untold(reached == 1, side.entered & (reached == 1), outcome, completed) is None
    total = completed_score(logged, policy, weights, outcome, estimator, predicted[1], completed)
    share = scored(logged, policy, weights, reached, estimator, predicted[0])
    kish = effective_n(weights)

    def told(statistic: Statistic) -> Estimate:
        found = inferred(statistic, clusters, interval, replicates, seed)
        return found.estimate(len(logged), estimator, level, kish)

    found = Staged(
        reached=told(share), given=told(ratio(total, share)) if known else None, product=told(total),
        selection=f"{among} only: {int(reached.sum())} of {len(logged)} logged decisions; who they are depends on the "
        "offer",
    )  # fmt: skip
    return found if estimator == "dm" or not side.entered.any() else _without_points(found, policy.name)


def _without_points(found: Staged, name: str) -> Staged:
    """Return figures that rest on outcomes without a mean that is a point. BadInput (OP629) where another one is."""
    refuse_point(f"policy '{name}', who is reached", found.reached)
    refuse_point(f"policy '{name}', the outcome", found.product)
    mean = found.given
    return msgspec.structs.replace(found, given=None if mean is None or is_point(mean.low, mean.high) else mean)


def _refuse_untold(side: Side, what: str, values: np.ndarray, completion: Completion | None) -> None:
    why = untold(side.asked, side.entered, values, completion)
    if why is not None:
        raise BadInput([hardly(f"policy '{side.name}', {what}", why)])


def _refuse(reached: np.ndarray, given: np.ndarray, completion: Completion | None, among: str) -> None:
    odd, extra = ~np.isin(reached, (0, 1)), (reached != 1) & ~np.isnan(given)
    unknown = (reached == 1) & np.isnan(given) if completion is None else np.zeros(len(given), dtype=bool)
    infinite = np.isinf(given)
    tests = (
        ("OP621", "reached", odd, "are neither 0 nor 1", "give 1 for those reached"),
        ("OP621", "given", extra, f"have an outcome and are not among {among}", "leave it null there"),
        ("OP606", "given", unknown, f"are among {among} and their outcome is not known", "give a completion"),
        ("OP606", "given", infinite, "have an outcome that is infinite", "give the amount"),
    )
    findings = [
        Finding(
            code=code, source="decisions", subject=subject, message=f"{int(rows.sum())} rows {says}", next_step=step
        )
        for code, subject, rows, says, step in tests
        if rows.any()
    ]
    if findings:
        raise BadInput(findings)
