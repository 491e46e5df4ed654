"""Clusters: rows that share their luck, numbered."""

import numpy as np

DENSE = 8
"""Whole numbers whose range is below so many times their count are numbered by a table instead of a sort."""


def cluster_codes(clusters: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the number of distinct clusters and each row's number (n,), in the order of their names.

    Whole numbers are ordered as numbers, anything else as text.
    """
    named = np.asarray(clusters)
    if named.dtype.kind not in "iu":
        named = named.astype(str)
    elif len(named) and int(named.max()) - int(named.min()) < DENSE * len(named):
        return _numbered(named - named.min())
    names, codes = np.unique(named, return_inverse=True)
    return len(names), codes


def _numbered(numbers: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the count and the codes of numbers from 0 (n,)."""
    there = np.zeros(int(numbers.max()) + 1, dtype=bool)
    there[numbers] = True
    return int(there.sum()), (np.cumsum(there) - 1)[numbers]
