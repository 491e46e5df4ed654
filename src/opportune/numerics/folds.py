"""Folds for cross-fitting: whole clusters go to one fold, by keyed draw."""

from collections.abc import Sequence

import numpy as np

from opportune.numerics.keyed import keyed_uniform


def keyed_folds(seed: int, purpose: str, clusters: Sequence[str] | np.ndarray, folds: int) -> np.ndarray:
    """Return a fold number 0..folds-1 per row (n,), equal for rows of one cluster.

    Distinct clusters are ordered by their keyed draw and dealt round-robin, so that the numbers of clusters per fold
    differ by at most one.
    """
    names, codes = np.unique(np.asarray(clusters).astype(str), return_inverse=True)
    order = np.argsort(keyed_uniform(seed, purpose, names), kind="stable")
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % folds
    return fold_of[codes]
