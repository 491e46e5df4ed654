"""Factor: a column as its distinct values and the number of each row's value."""

from typing import Any

import numpy as np


def factor(values: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Return the distinct values of a column and the position (n,) of each row's value among them.

    Text keeps the order in which it first occurs, because sorting millions of Python objects is slow; None is a value.
    """
    if values.dtype != object:
        found, codes = np.unique(values, return_inverse=True)
        return found.tolist(), codes
    places: dict[Any, int] = {}
    codes = np.fromiter((places.setdefault(each, len(places)) for each in values), np.int64, len(values))
    return list(places), codes
