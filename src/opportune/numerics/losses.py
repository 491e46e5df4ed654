"""Losses and ranking measures of probabilities."""

import numpy as np


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean of ``row_log_loss``."""
    return float(np.mean(row_log_loss(y, p)))


def row_log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return -(y log p + (1 - y) log(1 - p)) per row (n,); p is clipped to [1e-15, 1 - 1e-15]."""
    p = np.clip(p, 1e-15, 1.0 - 1e-15)
    return np.asarray(-(y * np.log(p) + (1.0 - y) * np.log1p(-p)))


def auc(y: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the ROC curve: P(score of a positive > of a negative), ties counted one half.

    By the Mann-Whitney identity from mid-ranks. NaN is refused; both classes must be present.
    """
    positives = int(np.sum(y == 1))
    negatives = len(y) - positives
    if positives == 0 or negatives == 0:
        raise ValueError(f"auc needs both classes: got {positives} positives and {negatives} negatives")
    if np.isnan(score).any():
        raise ValueError("auc: scores hold NaN")
    rank_sum = mid_ranks(score)[y == 1].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def mid_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks 1..n of values, ties sharing the mean of their ranks."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[codes]
