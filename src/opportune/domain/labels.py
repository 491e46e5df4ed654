"""Labels: how the values that a limit has rows for are called, the same in a list and in a file of amounts."""

import re
from typing import Any

import numpy as np

WHOLE = 2.0**53
"""Up to here float64 holds every whole number, so that a whole float is an id and not a rounded one."""
PERIOD_FORMS = {
    "week": (re.compile(r"\d{4}-\d{2}-\d{2}"), "the date of its Monday"),
    "month": (re.compile(r"\d{4}-\d{2}"), "such as 2025-03"),
    "quarter": (re.compile(r"\d{4}-Q[1-4]"), "such as 2025-Q1"),
}


def group_label(value: Any) -> str:
    """Return how a value of a column is called: different values by different labels, 7.0 as 7."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= WHOLE:
        return str(int(value))
    return str(value)


def period_label(day: np.datetime64, period: str) -> str:
    """Return how the week (by its Monday), month or quarter of a day is called."""
    if period == "week":
        return str(day - (day.astype(np.int64) + 3) % 7)
    month = day.astype("datetime64[M]")
    if period == "month":
        return str(month)
    number = int(month.astype(np.int64))
    return f"{1970 + number // 12}-Q{number % 12 // 3 + 1}"
