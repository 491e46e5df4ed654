"""The compiled bootstrap of many clusters: the only module of the room that imports numba.

Each replicate has its own stream, SplitMix64 (Steele, Lea and Flood 2014) started at its key, so the draws are the same
whatever the number of threads.
"""

from typing import Any

import numpy as np
from numba import njit, prange

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53
BLOCK = 2048


def _compiled(function: Any) -> Any:
    """Compile a loop for all cores; keep it on disk where there is a folder to keep it in."""
    try:
        return njit(cache=True, parallel=True, nogil=True)(function)
    except RuntimeError:  # a read-only machine without a home: compile anew in each process
        return njit(parallel=True, nogil=True)(function)


@_compiled
def drawn_totals(sums: Any, drawn: Any, keys: Any) -> Any:
    """Return totals (R, m) of rows of ``sums`` (C, m): ``drawn`` (R, B) of each block's rows, with replacement.

    A block's rows stay in the cache while all its draws are made; drawing from all rows at once takes three times as
    long.
    """
    replicates, blocks = drawn.shape
    count, width = sums.shape
    totals = np.zeros((replicates, width))
    for r in prange(replicates):
        total = np.zeros(width)
        for block in range(blocks):
            first = block * BLOCK
            size = min(BLOCK, count - first)
            state = keys[r, block]
            for _ in range(drawn[r, block]):
                state += _STEP
                mixed = (state ^ (state >> np.uint64(30))) * _FIRST
                mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
                mixed ^= mixed >> np.uint64(31)
                row = first + int((mixed >> np.uint64(11)) * _UNIT * size)
                for column in range(width):
                    total[column] += sums[row, column]
        totals[r] = total
    return totals
