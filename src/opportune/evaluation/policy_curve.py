"""Policy curves: what one offer gains when it goes to the top share by a ranking; and the gain of any policy."""

import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.budget_walk import BudgetWalk, group_ends
from opportune.evaluation.cluster_count import refuse_few_clusters
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.ranking import refuse_not_numbers, refuse_share
from opportune.evaluation.untold import hardly, is_point
from opportune.evaluation.uplift_scores import UpliftScores
from opportune.evaluation.walk_estimates import GainPath, gain_path
from opportune.numerics import NORMAL_975, clustered_mean

_SHOWN = 3
_TOLERANCE = 1e-6


def policy_curve(
    scores: UpliftScores,
    offer_id: str,
    rank_by: np.ndarray,
    shares: np.ndarray,
    *,
    used_for_choosing: np.ndarray,
    replicates: int,
    seed: int,
) -> GainPath:
    """Return the gain per customer of making one offer to the top share (b,) by ``rank_by`` (n,), largest first.

    Customers of equal rank are reached together, each with the same probability. The curve at share 1 is the average
    effect; its height above the straight line to there is what the ranking adds (Yadlowsky and others 2025).
    BadInput when a customer's offer has no support (OP610), clusters are too few (OP609), rows chose (OP651), or the
    ranking is no number (OP661); ValueError when a share lies outside 0 to 1.
    """
    refuse_overlap(scores.row_id, used_for_choosing)
    offer = scores.offer_ids.index(offer_id)
    refuse_not_numbers([("rank_by", rank_by)])
    refuse_share(shares)
    _refuse_unsupported(scores, ~scores.supported[:, offer])
    order = np.argsort(-rank_by, kind="stable")
    nobody = np.full(len(order), -1, dtype=np.int64)
    walk = BudgetWalk(
        customers=len(scores), offers=len(scores.offer_ids), row=order, offer=nobody + 1 + offer, before=nobody,
        cost=np.ones(len(order)), gain=scores.score[order, offer], ends=group_ends(-rank_by[order]),
    )  # fmt: skip
    return gain_path(walk, scores.cluster, shares, replicates=replicates, seed=seed)


def policy_gain(scores: UpliftScores, policy: np.ndarray, *, used_for_choosing: np.ndarray) -> Estimate:
    """Return the gain per customer over the control of a policy (n, K), with its influence-function interval.

    The rest of a row of ``policy`` is the control. The difference of two policies is judged likewise. Rows that chose
    the policy must not judge it (OP651). BadInput when a row is no policy and no difference of two (OP616), asks for
    an offer without support (OP610), clusters are too few (OP609), or all scores are the same (OP629).
    """
    refuse_overlap(scores.row_id, used_for_choosing)
    refuse_few_clusters(scores.cluster)
    _refuse_no_policy(scores, policy)
    _refuse_unsupported(scores, ((policy != 0) & ~scores.supported).any(axis=1))
    gains = (policy * scores.score).sum(axis=1)
    if policy.any() and is_point(float(gains.min()), float(gains.max())):
        message = f"is judged by scores that are all {gains[0]:g}: expected some that differ"
        raise BadInput([hardly("policy to be judged", message)])
    value, error = clustered_mean(gains, scores.cluster)
    spread = NORMAL_975 * error
    return Estimate(
        value=value, low=value - spread, high=value + spread, n=len(scores), method="doubly robust scores"
    )  # fmt: skip


def _refuse_no_policy(scores: UpliftScores, policy: np.ndarray) -> None:
    """Raise BadInput (OP616) unless each row is a distribution or the difference of two: then neither the gains of
    probability nor the losses come to more than one."""
    if policy.shape != scores.score.shape:
        raise BadInput([_no_policy("shape", f"is {policy.shape}: expected {scores.score.shape}")])
    up, down = (np.where(sign * policy > 0, np.abs(policy), 0.0).sum(axis=1) for sign in (1, -1))
    wrong = ~(np.isfinite(policy).all(axis=1) & (np.maximum(up, down) <= 1.0 + _TOLERANCE))
    if wrong.any():
        says = f"{int(wrong.sum())} rows are no policy: expected probabilities from 0 to 1, at most 1 in sum"
        raise BadInput([_no_policy(_first(scores, wrong), says)])


def _no_policy(subject: str, message: str) -> Finding:
    step = "give the probability of each offer; what is left of a row is the control"
    return Finding(code="OP616", source="policy to be judged", subject=subject, message=message, next_step=step)


def _refuse_unsupported(scores: UpliftScores, missing: np.ndarray) -> None:
    """Raise BadInput (OP610) where customers (mask n) would get what the log never drew for them: no gain is known."""
    if missing.any():
        message = (
            f"{int(missing.sum())} of {len(scores)} customers ({missing.mean():.1%}) would get an offer that had no "
            "probability, or whose control had none: expected both above zero"
        )
        step = "leave these offers out of the policy, or judge the supported customers alone with `take`"
        raise BadInput(
            [Finding(code="OP610", source="uplift scores", subject=_first(scores, missing), message=message,
                     next_step=step)]
        )  # fmt: skip


def _first(scores: UpliftScores, rows: np.ndarray) -> str:
    return ", ".join(map(str, scores.row_id[rows][:_SHOWN]))
