"""The cluster bootstrap of ratios of sums: means, weighted means and their differences."""

import numpy as np

from opportune.numerics.keyed import generator


def cluster_sums(columns: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return per-cluster sums (C, m) of columns (n, m); rows of one cluster are added in their order."""
    names, codes = np.unique(np.asarray(clusters).astype(str), return_inverse=True)
    return np.stack([np.bincount(codes, column, len(names)) for column in columns.T], axis=1)


def bootstrap_totals(sums: np.ndarray, replicates: int, seed: int, purpose: str) -> np.ndarray:
    """Return totals (replicates, m) of cluster sums (C, m), clusters drawn with replacement, C at a time.

    The draws depend only on (seed, purpose, C): quantities of the same clusters under the same purpose are resampled
    together, so differences of two replicates' ratios are paired.
    """
    count = len(sums)
    weights = generator(seed, purpose).multinomial(count, np.full(count, 1.0 / count), size=replicates)
    return np.asarray(np.einsum("rc,cm->rm", weights.astype(np.float64), sums))


def percentile_interval(replicates: np.ndarray, level: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap replicates at the given level."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail])
    return float(low), float(high)
