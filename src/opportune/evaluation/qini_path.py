"""The Qini path of many offers: what the best plan under each budget gains, with standard errors."""

import msgspec
import numpy as np

from opportune.evaluation.convex_hull import hull_walk
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.uplift_scores import UpliftScores
from opportune.evaluation.walk_estimates import GainPath, gain_path


def qini_path(
    scores: UpliftScores,
    costs: np.ndarray,
    budgets: np.ndarray,
    *,
    used_for_choosing: np.ndarray,
    replicates: int,
    seed: int,
) -> GainPath:
    """Return the gain per customer at budgets per customer (b,) of the plan that the predictions choose.

    The plan is the exact optimum under one budget for ``scores.predicted``; ``scores.score`` judges it. ``costs`` is
    (n, K) or (K,), above zero. ``used_for_choosing`` (m,) are the ids of all rows that taught or tuned the predictions;
    one that is also judged is an error (OP651). The bootstrap draws clusters and buys anew in each sample, so that the
    price of the budget is uncertain too (Sverdrup, Wu, Athey and Wager 2023, "Qini curves for multi-armed treatment
    rules", as in grf-labs/maq; their replicates draw halves, these draw all with replacement).
    """
    refuse_overlap(scores.row_id, used_for_choosing)
    walk = hull_walk(scores.predicted, costs, scores.score)
    return gain_path(walk, scores.cluster, budgets, replicates=replicates, seed=seed)


def one_for_all(scores: UpliftScores, mean_gain: np.ndarray) -> UpliftScores:
    """Return the scores with every customer predicted the same gains (K,): the plan that knows no customers.

    Its path is the baseline of targeting. ``mean_gain`` comes from the rows that choose.
    """
    same = np.where(scores.supported, np.broadcast_to(mean_gain, scores.predicted.shape), 0.0)
    return msgspec.structs.replace(scores, predicted=same)
