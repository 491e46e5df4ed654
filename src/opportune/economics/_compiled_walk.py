"""The walk of `walk`, compiled for all cores: the only module of this room's value that imports numba."""

from types import FunctionType
from typing import Any

import numba

from opportune.economics import walk as plain


def compiled(function: Any) -> Any:
    """Compile a loop for all cores; keep it on disk where there is a folder to keep it in."""
    # The same code with the compiler's range: what is kept on disk is made anew when the file of `walk` changes.
    parallel = FunctionType(function.__code__, {**function.__globals__, "prange": numba.prange}, function.__name__)
    try:
        return numba.njit(cache=True, parallel=True, nogil=True)(parallel)
    except RuntimeError:  # a read-only machine without a home: compile anew in each process
        return numba.njit(parallel=True, nogil=True)(parallel)


walk = compiled(plain.walk)
