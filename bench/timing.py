"""Seconds: one clock for all benchmarks."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

REPEATS = 5


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def median_timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median seconds of a few calls, and the result: a second's work moves with whatever runs beside it."""
    taken, results = zip(*(timed(work) for _ in range(REPEATS)), strict=True)
    return median(taken), results[0]
