"""The outcome model of the doubly robust estimate: E[outcome | customer, offer], cross-fitted over clusters.

A learner of the booked outcome on regressors that are known for every offer, such as the forecast's value and take-up
probability, within folds of whole clusters: a row is predicted by a learner that never saw its branch. The forecast
itself was trained on earlier decisions. With known probabilities the estimate stays unbiased however wrong this model
is; a better model only narrows the interval. Learners come as arguments, so that `evaluation` imports none.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from opportune.numerics import keyed_folds

FEWEST_UNASKED = 30
"""Customers left alone that teach more than their mean: with fewer, a line through them is mostly their luck."""


class Learner(Protocol):
    """What follows scikit-learn's conventions: ``fit`` learns, ``predict`` tells the expected outcome."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        """Learn from rows X (n, p) and outcomes y (n,)."""
        ...

    def predict(self, X: np.ndarray) -> Any:
        """Return the expected outcome (n,)."""
        ...


class LeastSquares:
    """Linear regression with an intercept, from sums: BLAS adds in an order that can change from run to run."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "LeastSquares":
        """Learn from rows X (n, p) and outcomes y (n,)."""
        columns = [np.ones(len(y)), *X.T]
        normal = np.array([[np.sum(a * b) for b in columns] for a in columns])
        self.weights = np.linalg.lstsq(normal, np.array([np.sum(a * y) for a in columns]), rcond=None)[0]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the expected outcome (n,)."""
        total = np.full(len(X), self.weights[0])
        for weight, column in zip(self.weights[1:], X.T, strict=True):
            total += weight * column
        return total


def cross_fitted(
    outcome: np.ndarray,
    action: np.ndarray,
    regressors: Sequence[np.ndarray],
    cluster: np.ndarray,
    priced: np.ndarray,
    folds: int,
    seed: int,
    new_learner: Callable[[], Learner] = LeastSquares,
) -> np.ndarray:
    """Return predictions (n, K) of the outcome under every offer.

    ``regressors`` are arrays (n, K), known for every offer of the rows ``priced`` (n,); one of a customer alone may be
    (n, 1). Of rows that the catalogue has no offers for, zero is predicted. ``new_learner`` gives a fresh learner for
    each fold. Rows with ``action`` -1 or an outcome that is not yet known (NaN) teach nothing.
    """
    shape = np.broadcast_shapes(*(each.shape for each in regressors))
    whole = [np.broadcast_to(each, shape) for each in regressors]
    fold = keyed_folds(seed, "outcome model", cluster, folds)
    predicted = np.empty(shape)
    for held_out in range(folds):
        taught = np.flatnonzero((fold != held_out) & (action >= 0) & np.isfinite(outcome))
        learner = new_learner()
        learner.fit(np.stack([each[taught, action[taught]] for each in whole], axis=1), outcome[taught])
        rows = np.flatnonzero(fold == held_out)
        for k in range(shape[1]):
            predicted[rows, k] = learner.predict(np.stack([each[rows, k] for each in whole], axis=1))
    return np.where(priced[:, None], predicted, 0.0)


def cross_fitted_unasked(
    outcome: np.ndarray,
    left_alone: np.ndarray,
    regressors: Sequence[np.ndarray],
    cluster: np.ndarray,
    priced: np.ndarray,
    folds: int,
    seed: int,
    new_learner: Callable[[], Learner] = LeastSquares,
) -> np.ndarray:
    """Return predictions (n,) of the outcome of customers who are left alone, learned on the rows of that mask (n,).

    What is known of a customer are the means of ``regressors`` (n, K) over the catalogue: who would answer an offer may
    come unasked too. Rows that are not ``priced`` have none, and those of folds outside which fewer than
    ``FEWEST_UNASKED`` priced customers were left alone do without: they get the mean outcome of those left alone
    outside the fold, and zero where there are none, so that the observed outcomes alone speak.
    """
    known = np.stack([each.mean(axis=1) for each in regressors], axis=1)
    fold = keyed_folds(seed, "outcome model", cluster, folds)
    predicted = np.zeros(len(outcome))
    for held_out in range(folds):
        rows, taught = fold == held_out, (fold != held_out) & left_alone & np.isfinite(outcome)
        if taught.any():
            predicted[rows] = outcome[taught].mean()
        if np.sum(taught & priced) >= FEWEST_UNASKED:
            learner = new_learner()
            learner.fit(known[taught & priced], outcome[taught & priced])
            predicted[rows & priced] = learner.predict(known[rows & priced])
    return predicted
