"""A mean whose rows come in clusters, with its standard error."""

import numpy as np

NORMAL_975 = 1.959963984540054


def clustered_mean(values: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """Return the mean of values (n,) and its standard error with clusters independent of each other.

    Variance C / (C - 1) x sum_c (sum of the cluster's deviations)^2 / n^2 (Liang and Zeger 1986), with C clusters; one
    cluster alone gives no error (NaN).
    """
    mean = float(np.mean(values))
    _, codes = np.unique(np.asarray(cluster).astype(str), return_inverse=True)
    sums = np.bincount(codes, values - mean)
    count = len(sums)
    if count < 2:
        return mean, float("nan")
    return mean, float(np.sqrt(count / (count - 1) * np.sum(sums**2)) / len(values))
