"""The grouped jackknife: how much an estimate depends on which clusters taught it.

With g groups of clusters and the estimate made g times, each time without one group, the variance is
(g - 1) / g x sum (estimate_k - mean)^2 (Quenouille 1956; Efron and Tibshirani 1993, chapter 11). Rounds that deal the
clusters to groups anew are averaged.
"""

import numpy as np


def jackknife_variance(estimates: np.ndarray) -> float:
    """Return the variance from estimates (rounds, groups), each made without one group of its round."""
    groups = estimates.shape[1]
    spread = np.sum((estimates - estimates.mean(axis=1, keepdims=True)) ** 2, axis=1)
    return float(np.mean(spread) * (groups - 1) / groups)
