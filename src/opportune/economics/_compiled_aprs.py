"""The compiled loop over the APRs of many contracts: it imports numba, and nothing else of `aprs` does.

Each contract is solved by itself by the functions of `annual_rate` and `unit_count`, so one contract and a million, on
one core or many, give the same bits.
"""

import hashlib
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit, prange

from opportune.economics import annual_rate, unit_count

BLOCK = 1_024
"""Contracts that share scratch arrays."""


def _compiled() -> Any:
    """Return `contract_rate`, compiled with every function that it calls."""
    modules = (unit_count, annual_rate)
    names = {**vars(unit_count), **vars(annual_rate)}
    for name, function in {**names}.items():
        if isinstance(function, FunctionType) and function.__module__ in {module.__name__ for module in modules}:
            names[name] = njit(nogil=True, error_model="numpy")(FunctionType(function.__code__, names, name))
    return names["contract_rate"]


def _digest() -> str:
    files = (Path(module.__file__) for module in (unit_count, annual_rate) if module.__file__)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


contract_rate = _compiled()


def _loop(digest: str) -> Any:
    def solve_all(
        advance_day: Any, advance: Any, advance_at: Any, payment_day: Any, payment: Any, payment_at: Any,
        method: int, count: int, longest: int, status: Any, code: Any, irregular: Any, value: Any, left: Any,
        lent: Any, paid: Any,
    ) -> None:  # fmt: skip
        """Fill the last seven arrays (contracts,); ``lent`` and ``paid`` are sums, zero before."""
        _ = digest  # numba keeps compiled code per file and closure: with this, a change of the functions is seen
        contracts = len(status)
        for block in prange((contracts + BLOCK - 1) // BLOCK):
            month, day, number = np.empty((3, longest), dtype=np.int64)
            whole, odd = np.empty((2, longest))
            seen = np.empty(unit_count.CODES, dtype=np.int64)
            for i in range(block * BLOCK, min((block + 1) * BLOCK, contracts)):
                a, p = advance_at[i], payment_at[i]
                for j in range(a, advance_at[i + 1]):
                    lent[i] += advance[j]
                for j in range(p, payment_at[i + 1]):
                    paid[i] += payment[j]
                status[i], code[i], irregular[i], value[i], left[i] = contract_rate(
                    advance_day, advance, a, advance_at[i + 1] - a, payment_day, payment, p, payment_at[i + 1] - p,
                    method, count, month, day, number, whole, odd, seen,
                )  # fmt: skip

    try:
        return njit(cache=True, parallel=True, nogil=True, error_model="numpy")(solve_all)
    except RuntimeError:  # a read-only machine without a home: compile anew in each process
        return njit(parallel=True, nogil=True, error_model="numpy")(solve_all)


solve_all = _loop(_digest())
