"""Unit-periods of Regulation Z, Appendix J: the common period of a transaction, and how times are counted in it.

Source: 12 CFR 1026, Appendix J, (b)(2) to (b)(5). Whole unit-periods are counted backwards from a payment's date; what
is left before the first of them is an odd fraction.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

import msgspec

Kind = Literal["day", "semimonth", "month"]
MONTHS_A_YEAR, DAYS_A_YEAR, WEEKS_A_YEAR = 12, 365, 52
LONGEST_MONTHS = 12
"""A unit-period is at most a year."""


class UnitPeriod(msgspec.Struct, frozen=True, order=True):
    """``length`` days, half-months or months; a week is 7 days and a quarter 3 months."""

    kind: Kind
    length: int

    @property
    def name(self) -> str:
        """The period in words: ``month``, ``2 weeks``, ``3 months``."""
        unit, count = ("week", self.length // 7) if self._is_weeks else (self.kind, self.length)
        if self.kind == "month" and count == MONTHS_A_YEAR:
            return "year"
        return unit if count == 1 else f"{count} {unit}s"

    @property
    def per_year(self) -> float:
        """Unit-periods in a year: 12 months, 24 half-months, 52 weeks, 365 days."""
        if self._is_weeks:
            return WEEKS_A_YEAR / (self.length // 7)
        yearly = {"day": DAYS_A_YEAR, "semimonth": 2 * MONTHS_A_YEAR, "month": MONTHS_A_YEAR}[self.kind]
        return yearly / self.length

    @property
    def days(self) -> float:
        """The length in days, a month counted as 30: for ordering periods."""
        return self.length * {"day": 1.0, "semimonth": 15.0, "month": 30.0}[self.kind]

    @property
    def _is_weeks(self) -> bool:
        return self.kind == "day" and self.length % 7 == 0


def common_period(dates: Sequence[date]) -> UnitPeriod:
    """Return the period that occurs most often between successive dates, the shortest of those equally often.

    Two dates give their own distance, at most a year; a single date gives a month.
    """
    ordered = sorted(set(dates))
    found = Counter(_between(a, b) for a, b in pairwise(ordered))
    if not found:
        return UnitPeriod("month", 1)
    most = max(found.values())
    return min((period for period, times in found.items() if times == most), key=lambda period: period.days)


def _between(start: date, end: date) -> UnitPeriod:
    """Return what one interval is: months on the same day, half-months, or days."""
    months = _months_between(start, end)
    if (months and add_months(end, -months) == start) or (months and add_months(start, months) == end):
        return UnitPeriod("month", min(months, LONGEST_MONTHS))
    days = (end - start).days
    if (days in (15, 16) and {start.day, end.day} <= {1, 15, 16}) or _half_month(start, end):
        return UnitPeriod("semimonth", 1)
    return UnitPeriod("day", min(days, DAYS_A_YEAR))


def _half_month(start: date, end: date) -> bool:
    """Whether the dates are 15 days apart within a month, or the second half of a month of any length."""
    if start.month == end.month and start.year == end.year:
        return end.day - start.day == 15
    return start.day - end.day == 15 and add_months(end, -1).month == start.month


def _months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def add_months(day: date, months: int) -> date:
    """Return the same day of another month, or its last day where the month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def count_back(start: date, end: date, period: UnitPeriod) -> tuple[int, float]:
    """Return whole unit-periods from ``end`` back to ``start``, and the odd fraction before the first of them.

    Odd days count 1/30 of a month, 1/15 of a half-month, and days over the length of a period in days. For several
    months, whole months count 30 days: (30 x months + days) / (30 x length). Odd days count 1/365 of a year.
    """
    if period.kind == "day":
        whole, odd = divmod((end - start).days, period.length)
        return whole, odd / period.length
    months, days = _months_back(start, end)
    if period.kind == "semimonth":
        return 2 * months + days // 15, (days % 15) / 15.0
    whole, months = divmod(months, period.length)
    if period.length == MONTHS_A_YEAR:
        return whole, (add_months(end, -whole * MONTHS_A_YEAR) - start).days / DAYS_A_YEAR
    return whole, (30.0 * months + days) / (30.0 * period.length)


def _months_back(start: date, end: date) -> tuple[int, int]:
    """Return whole months from ``end`` back towards ``start``, and the days that are left."""
    months = _months_between(start, end)
    if add_months(end, -months) < start:
        months -= 1
    return months, (add_months(end, -months) - start).days


def repeated(first: date, count: int, period: UnitPeriod) -> list[date]:
    """Return ``count`` dates from ``first`` on, one period apart."""
    if period.kind == "day":
        return [first + timedelta(days=i * period.length) for i in range(count)]
    if period.kind == "month":
        return [add_months(first, i * period.length) for i in range(count)]
    return [_half_months_on(first, i * period.length) for i in range(count)]


def _half_months_on(first: date, halves: int) -> date:
    whole, half = divmod(halves, 2)
    day = add_months(first, whole)
    if not half:
        return day
    return day + timedelta(days=15) if day.day <= 15 else add_months(day, 1).replace(day=day.day - 15)
