"""Day counts: which fraction of a year lies between two dates.

Sources: ISDA 2006 Definitions 4.16: (b) actual/actual, (d) actual/365 fixed, (e) actual/360, (f) 30/360.
"""

from calendar import isleap
from datetime import date
from fractions import Fraction
from typing import Literal

import numpy as np

DayCount = Literal["30/360", "actual/365", "actual/360", "actual/actual"]


def year_fraction(start: date, end: date, convention: DayCount) -> Fraction:
    """Return the exact fraction of a year from ``start`` to ``end``; negative when they are the other way round."""
    if end < start:
        return -year_fraction(end, start, convention)
    match convention:
        case "30/360":
            return Fraction(_days_30_360(start, end), 360)
        case "actual/365":
            return Fraction((end - start).days, 365)
        case "actual/360":
            return Fraction((end - start).days, 360)
        case "actual/actual":
            return sum((_in_year(start, end, year) for year in range(start.year, end.year + 1)), Fraction(0))


def _days_30_360(start: date, end: date) -> int:
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def _in_year(start: date, end: date, year: int) -> Fraction:
    """Return the part of the interval that lies in one year, over the days of that year."""
    begins, ends = max(start, date(year, 1, 1)), min(end, date(year + 1, 1, 1))
    return Fraction(max((ends - begins).days, 0), 366 if isleap(year) else 365)


def year_fractions(start: np.ndarray, end: np.ndarray, convention: DayCount) -> np.ndarray:
    """Return the fractions of a year of many intervals, dates as datetime64 of one shape, ``end`` not before ``start``.

    The same definition as `year_fraction` in float64; a test compares them.
    """
    begins, ends = np.asarray(start, dtype="datetime64[D]"), np.asarray(end, dtype="datetime64[D]")
    days = (ends - begins).astype(np.int64)
    match convention:
        case "30/360":
            return np.asarray(_many_days_30_360(begins, ends) / 360.0)
        case "actual/365":
            return np.asarray(days / 365.0)
        case "actual/360":
            return np.asarray(days / 360.0)
        case "actual/actual":
            return _actual_actual(begins, ends)


def _many_days_30_360(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    months = end.astype("datetime64[M]").astype(np.int64) - start.astype("datetime64[M]").astype(np.int64)
    first, last = np.minimum(_day_of_month(start), 30), _day_of_month(end)
    last = np.where((last == 31) & (first == 30), 30, last)
    return np.asarray(30 * months + last - first)


def _day_of_month(day: np.ndarray) -> np.ndarray:
    return np.asarray((day - day.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1)


def _actual_actual(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return whole years apart, plus the part of the last year, less that of the first."""
    years = end.astype("datetime64[Y]").astype(np.int64) - start.astype("datetime64[Y]").astype(np.int64)
    return np.asarray(years + (_part_of_year(end) - _part_of_year(start)))


def _part_of_year(day: np.ndarray) -> np.ndarray:
    year = day.astype("datetime64[Y]")
    begins, ends = year.astype("datetime64[D]"), (year + 1).astype("datetime64[D]")
    return np.asarray((day - begins).astype(np.int64) / (ends - begins).astype(np.int64))
