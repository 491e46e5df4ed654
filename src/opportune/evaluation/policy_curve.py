"""Policy curves: what one offer gains when it goes to the top share by a ranking; and the gain of any policy."""

import numpy as np

from opportune.domain import Estimate
from opportune.evaluation.budget_walk import BudgetWalk, group_ends
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.uplift_scores import UpliftScores
from opportune.evaluation.walk_estimates import GainPath, gain_path
from opportune.numerics import NORMAL_975, clustered_mean


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
    """
    refuse_overlap(scores.row_id, used_for_choosing)
    offer = scores.offer_ids.index(offer_id)
    order = np.argsort(-rank_by, kind="stable")
    nobody = np.full(len(order), -1, dtype=np.int64)
    walk = BudgetWalk(
        customers=len(scores), offers=len(scores.offer_ids), row=order, offer=nobody + 1 + offer, before=nobody,
        cost=np.ones(len(order)), gain=scores.score[order, offer], ends=group_ends(-rank_by[order]),
    )  # fmt: skip
    return gain_path(walk, scores.cluster, shares, replicates=replicates, seed=seed)


def policy_gain(scores: UpliftScores, policy: np.ndarray, *, used_for_choosing: np.ndarray) -> Estimate:
    """Return the gain per customer over the control of a policy (n, K), with its influence-function interval.

    The rest of a row of ``policy`` is the control. Rows that chose the policy must not judge it (OP651).
    """
    refuse_overlap(scores.row_id, used_for_choosing)
    value, error = clustered_mean((policy * scores.score).sum(axis=1), scores.cluster)
    spread = NORMAL_975 * error
    return Estimate(
        value=value, low=value - spread, high=value + spread, n=len(scores), method="doubly robust scores"
    )  # fmt: skip
