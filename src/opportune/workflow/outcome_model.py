"""The outcome model of the doubly robust estimate: E[outcome | customer, offer], cross-fitted over clusters.

A linear regression of the booked outcome on the forecast's value and take-up probability at the logged offer, within
folds of whole clusters: a row is predicted by coefficients that never saw its branch. The forecast itself was trained
on earlier decisions. With known probabilities the estimate stays unbiased however wrong this model is; a better model
only narrows the interval.
"""

import numpy as np

from opportune.numerics import keyed_folds


def cross_fitted(
    outcome: np.ndarray,
    action: np.ndarray,
    regressors: list[np.ndarray],
    cluster: np.ndarray,
    priced: np.ndarray,
    folds: int,
    seed: int,
) -> np.ndarray:
    """Return predictions (n, K) of the outcome under every offer.

    ``regressors`` are arrays (n, K) known for every offer of the rows ``priced`` (n,); of others, which the catalogue
    has no offers for, zero is predicted. Rows with ``action`` -1 teach nothing.
    """
    fold = keyed_folds(seed, "outcome model", cluster, folds)
    predicted = np.empty_like(regressors[0])
    for held_out in range(folds):
        taught = (fold != held_out) & (action >= 0)
        weights = _fit(outcome[taught], action[taught], [each[taught] for each in regressors])
        rows = fold == held_out
        predicted[rows] = _apply(weights, [each[rows] for each in regressors])
    return np.where(priced[:, None], predicted, 0.0)


def _fit(outcome: np.ndarray, action: np.ndarray, regressors: list[np.ndarray]) -> np.ndarray:
    logged = [each[np.arange(len(action)), action] for each in regressors]
    columns = [np.ones(len(action)), *logged]
    # Sums and a small system instead of a matrix product: BLAS adds in an order that can change from run to run.
    normal = np.array([[np.sum(a * b) for b in columns] for a in columns])
    return np.asarray(np.linalg.lstsq(normal, np.array([np.sum(a * outcome) for a in columns]), rcond=None)[0])


def _apply(weights: np.ndarray, regressors: list[np.ndarray]) -> np.ndarray:
    total = np.full_like(regressors[0], weights[0])
    for weight, each in zip(weights[1:], regressors, strict=True):
        total += weight * each
    return total
