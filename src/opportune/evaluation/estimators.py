"""Estimators of a policy's mean outcome, as functions of sums over rows.

Letters: w_i weight, y_i outcome, m_i = P(some offer), q_ik prediction, pi_ik policy; ``NO_OFFER`` earns zero by the
stated assumption, so it adds nothing. Where a log holds decisions of ``NO_OFFER``, it is an offer like the others, also
in m_i, which is 1 then.

- ipw: mean of w y (Horvitz and Thompson 1952). Unbiased when the logged probabilities are right.
- snipw: mean(m) x sum(w y) / sum(w) (Hajek 1971). A small bias for less variance; unmoved by a constant added to y.
- dm: mean of sum_k pi_ik q_ik, the direct method. As right as the predictions, and no interval knows how wrong they
  are.
- dr: mean of sum_k pi_ik q_ik + w (y - q_action) (Robins, Rotnitzky and Zhao 1994; Dudik, Langford and Li 2011).
  Right when either the probabilities or the predictions are; predictions must come from other rows (cross-fitted).
"""

from typing import Literal, get_args

import numpy as np

from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, mean_of, ratio_or_zero

Estimator = Literal["ipw", "snipw", "dm", "dr"]


def scored(
    logged: LoggedDecisions,
    policy: Judged,
    weights: np.ndarray,
    outcome: np.ndarray,
    estimator: Estimator,
    outcome_model: np.ndarray | None,
) -> Statistic:
    """Return the estimator's statistic for one policy and outcome (n,). ``outcome_model`` (n, K) is for dm and dr.

    ``weights`` (n,) are ``policy.weights(logged)``, which whoever asks has too: on a large log they are worth keeping.
    In every statistic but dm's the outcome enters the first column, as w y.
    """
    if estimator in ("ipw", "snipw"):
        return weighted(weights, outcome, None if estimator == "ipw" else policy.told(logged))
    if estimator not in get_args(Estimator):
        raise ValueError(f"estimator is {estimator!r}: expected one of {', '.join(map(repr, get_args(Estimator)))}")
    if outcome_model is None:
        raise ValueError(f"estimator {estimator!r} needs outcome_model: cross-fitted predictions (n, K)")
    if estimator == "dm":
        return mean_of(policy.expected(logged, outcome_model))
    return mean_of(dr_scores(logged, policy, weights, outcome, outcome_model))


def weighted(weights: np.ndarray, outcome: np.ndarray, told: np.ndarray | None) -> Statistic:
    """Return the weighted mean of an outcome (n,): ipw, or snipw when ``told`` (n,), the m_i, is given."""
    if told is None:
        return mean_of(weights * outcome)
    return Statistic(np.column_stack([weights * outcome, weights, told, np.ones(len(outcome))]), _snipw)


def dr_scores(
    logged: LoggedDecisions, policy: Judged, weights: np.ndarray, outcome: np.ndarray, outcome_model: np.ndarray
) -> np.ndarray:
    """Return sum_k pi_ik q_ik + w_i (y_i - q_action) per row (n,)."""
    missed = outcome - logged.at_action(outcome_model)
    return np.asarray(policy.expected(logged, outcome_model) + weights * missed)


def _snipw(totals: np.ndarray) -> np.ndarray:
    told = totals[..., 2] / totals[..., 3]
    return np.asarray(ratio_or_zero(totals[..., 0], totals[..., 1]) * told)
