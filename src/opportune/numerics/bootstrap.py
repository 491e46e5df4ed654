"""The cluster bootstrap of functions of sums: means, weighted means, their differences and ratios."""

import numpy as np

from opportune.numerics.clusters import cluster_codes
from opportune.numerics.keyed import generator

MANY = 1_000
"""Above so many clusters a replicate draws each cluster by itself: one binomial per cluster would take far longer."""


def cluster_sums(columns: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return per-cluster sums (C, m) of columns (n, m); rows of one cluster are added in their order."""
    return code_sums(columns, *cluster_codes(clusters))


def code_sums(columns: np.ndarray, count: int, codes: np.ndarray) -> np.ndarray:
    """Return the sums (count, m) of columns (n, m) by the rows' codes (n,) from 0."""
    return np.stack([np.bincount(codes, column, count) for column in columns.T], axis=1)


def bootstrap_totals(sums: np.ndarray, replicates: int, seed: int, purpose: str) -> np.ndarray:
    """Return totals (replicates, m) of cluster sums (C, m), clusters drawn with replacement, C at a time.

    The draws depend only on (seed, purpose, C): quantities of the same clusters under the same purpose are resampled
    together, so differences of two replicates' ratios are paired.
    """
    count = len(sums)
    if count > MANY:
        return _drawn_by_blocks(sums, replicates, seed, purpose)
    weights = generator(seed, purpose).multinomial(count, np.full(count, 1.0 / count), size=replicates)
    return np.asarray(np.einsum("rc,cm->rm", weights.astype(np.float64), sums))


def _drawn_by_blocks(sums: np.ndarray, replicates: int, seed: int, purpose: str) -> np.ndarray:
    """Return the totals of many clusters: first how often each block is drawn, then which of its clusters."""
    from opportune.numerics._resample import BLOCK, drawn_totals

    draw, count = generator(seed, purpose), len(sums)
    sizes = np.diff(np.append(np.arange(0, count, BLOCK), count))
    drawn = draw.multinomial(count, sizes / count, size=replicates)
    keys = draw.integers(0, 2**63, size=drawn.shape, dtype=np.uint64)
    return np.asarray(drawn_totals(np.ascontiguousarray(sums, dtype=np.float64), drawn, keys))


def percentile_interval(replicates: np.ndarray, level: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap replicates at the given level."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail])
    return float(low), float(high)
