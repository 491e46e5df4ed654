"""Day counts: which fraction of a year lies between two dates.

Sources: ISDA 2006 Definitions 4.16: (b) actual/actual, (d) actual/365 fixed, (e) actual/360, (f) 30/360.
"""

from calendar import isleap
from datetime import date
from fractions import Fraction
from typing import Literal

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
