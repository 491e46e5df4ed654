"""How good predicted probabilities are: ranking, sharpness, and whether they mean what they say."""

from typing import Any

import numpy as np

from opportune.models.calibration import logistic_line
from opportune.numerics import auc, log_loss


def measure_binary(observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return n, means, AUC, log loss beside that of the base rate, calibration line and table by tenths."""
    intercept, slope = logistic_line(observed, predicted)
    rate = float(np.mean(observed))
    return {
        "n": len(observed),
        "mean_predicted": float(np.mean(predicted)),
        "mean_observed": rate,
        "auc": auc(observed, predicted),
        "log_loss": log_loss(observed, predicted),
        "log_loss_of_base_rate": log_loss(observed, np.full(len(observed), rate)),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
        "tenths": tenths(observed, predicted),
    }


def tenths(observed: np.ndarray, predicted: np.ndarray) -> list[dict[str, float]]:
    """Return mean predicted and observed in ten groups of equal size, by growing prediction."""
    groups = np.array_split(np.argsort(predicted, kind="stable"), 10)
    return [
        {
            "n": len(rows),
            "predicted": float(np.mean(predicted[rows])),
            "observed": float(np.mean(observed[rows])),
        }
        for rows in groups
        if len(rows)
    ]


def measure_amount(observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return n, means, and the table by tenths of a predicted amount."""
    return {
        "n": len(observed),
        "mean_predicted": float(np.mean(predicted)),
        "mean_observed": float(np.mean(observed)),
        "tenths": tenths(observed, predicted),
    }
