"""Estimators of a policy's mean outcome, as ratios of sums over rows.

Letters: w_i weight, y_i outcome, m_i = P(some offer), q_ik prediction, pi_ik policy; ``NO_OFFER`` earns zero by the
stated assumption, so it adds nothing.

- ipw: mean of w y (Horvitz and Thompson 1952). Unbiased when the logged probabilities are right.
- snipw: mean(m) x sum(w y) / sum(w) (Hajek 1971). A small bias for less variance; unmoved by a constant added to y.
- dr: mean of sum_k pi_ik q_ik + w (y - q_action) (Robins, Rotnitzky and Zhao 1994; Dudik, Langford and Li 2011).
  Right when either the probabilities or the predictions are; predictions must come from other rows (cross-fitted).

Each estimate is ``value(totals)`` of the totals of a few columns over rows, so a bootstrap resamples totals.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np

from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged

Estimator = Literal["ipw", "snipw", "dr"]


class Scored(msgspec.Struct, frozen=True):
    """Columns (n, m) to be summed, and the function from totals (..., m) to the estimate (...)."""

    columns: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]


def scored(
    logged: LoggedDecisions,
    policy: Judged,
    outcome: np.ndarray,
    estimator: Estimator,
    outcome_model: np.ndarray | None,
) -> Scored:
    """Return the estimator's columns for one policy and outcome (n,). ``outcome_model`` (n, K) is needed by dr."""
    weights = policy.weights(logged)
    if estimator == "ipw":
        return _mean_of(weights * outcome)
    if estimator == "snipw":
        return Scored(
            np.column_stack([weights * outcome, weights, policy.offered(logged), np.ones(len(logged))]),
            _snipw,
        )
    if outcome_model is None:
        raise ValueError("estimator 'dr' needs outcome_model: cross-fitted predictions (n, K)")
    return _mean_of(policy.expected(logged, outcome_model) + weights * (outcome - _of_action(logged, outcome_model)))


def _mean_of(column: np.ndarray) -> Scored:
    return Scored(np.column_stack([column, np.ones(len(column))]), lambda totals: totals[..., 0] / totals[..., 1])


def _snipw(totals: np.ndarray) -> np.ndarray:
    offered = totals[..., 2] / totals[..., 3]
    return np.asarray(ratio_or_zero(totals[..., 0], totals[..., 1]) * offered)


def ratio_or_zero(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, and 0 where below is 0: what nobody was offered has no mean, and weighs nothing."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below != 0))


def _of_action(logged: LoggedDecisions, outcome_model: np.ndarray) -> np.ndarray:
    """Return the prediction for the logged offer (n,), zero outside the catalogue, as in ``AsLogged.expected``."""
    inside = np.where(logged.action >= 0, logged.action, 0)
    return np.where(logged.action >= 0, outcome_model[np.arange(len(logged)), inside], 0.0)
