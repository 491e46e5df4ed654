"""Calibration: a monotone map that makes predictions right on average on rows that the members never saw.

It is learned on out-of-fold predictions. Every map here is increasing, so declared signs survive it.
"""

from typing import Literal

import msgspec
import numpy as np

from opportune.models.spec import Calibration
from opportune.numerics import expit, logit

_FLOOR = 1e-9


class Calibrator(msgspec.Struct, frozen=True, kw_only=True):
    """Learned state. ``logistic``: p -> expit(a + b logit p), b > 0 (Platt 1999). ``isotonic``: linear between points.

    ``ratio``: y -> factor y. ``none``: as it is.
    """

    method: Literal["logistic", "isotonic", "ratio", "none"]
    intercept: float = 0.0
    slope: float = 1.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def apply(self, predicted: np.ndarray) -> np.ndarray:
        """Return calibrated predictions, elementwise."""
        if self.method == "logistic":
            return expit(self.intercept + self.slope * logit(np.clip(predicted, _FLOOR, 1.0 - _FLOOR)))
        if self.method == "isotonic":
            return np.asarray(np.interp(predicted, self.x, self.y))
        return predicted * self.slope


def learn_calibration(method: Calibration, predicted: np.ndarray, observed: np.ndarray) -> Calibrator:
    """Learn the map from out-of-fold predictions (n,) and what was observed (n,)."""
    if method == "logistic":
        intercept, slope = logistic_line(observed, predicted)
        # A model that ranks backwards out of fold must not be turned round: its slope is held at a little above zero.
        return Calibrator(method="logistic", intercept=intercept, slope=max(slope, 1e-3))
    if method == "isotonic":
        return _isotonic(predicted, observed)
    if method == "ratio":
        return Calibrator(method="ratio", slope=float(np.sum(observed) / np.sum(predicted)))
    return Calibrator(method="none")


def logistic_line(observed: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Return (a, b) that maximise the likelihood of P(y = 1) = expit(a + b logit p), by Newton's method.

    Cox (1958): a = 0 and b = 1 when predictions are calibrated.
    """
    x = logit(np.clip(predicted, _FLOOR, 1.0 - _FLOOR))
    a, b = 0.0, 1.0
    for _ in range(50):
        p = expit(a + b * x)
        miss, weight = observed - p, p * (1.0 - p)
        h0, h1, h2 = np.sum(weight) + 1e-9, np.sum(weight * x), np.sum(weight * x * x) + 1e-9
        g0, g1 = np.sum(miss), np.sum(miss * x)
        determinant = h0 * h2 - h1 * h1
        step_a, step_b = (h2 * g0 - h1 * g1) / determinant, (h0 * g1 - h1 * g0) / determinant
        a, b = float(a + step_a), float(b + step_b)
        if max(abs(step_a), abs(step_b)) < 1e-10:
            break
    return a, b


def _isotonic(predicted: np.ndarray, observed: np.ndarray) -> Calibrator:
    from scipy.optimize import isotonic_regression

    order = np.argsort(predicted, kind="stable")
    fitted = isotonic_regression(observed[order]).x
    x, first = np.unique(predicted[order], return_index=True)
    return Calibrator(method="isotonic", x=tuple(x.tolist()), y=tuple(fitted[first].tolist()))
