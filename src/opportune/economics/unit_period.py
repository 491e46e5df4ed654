"""Periods between payments, in words and on the calendar."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal, get_args

import msgspec
import numpy as np

from opportune.economics.unit_count import DAYS_A_YEAR, MONTHS, MONTHS_A_YEAR, SEMIMONTH, TERM

Kind = Literal["day", "semimonth", "month"]


class UnitPeriod(msgspec.Struct, frozen=True, order=True):
    """``length`` days, half-months or months; a week is 7 days and a quarter 3 months. ValueError for another kind."""

    kind: Kind
    length: int

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unit-period {self.kind!r}: expected one of {', '.join(get_args(Kind))}")

    @property
    def name(self) -> str:
        """The period in words: ``month``, ``2 weeks``, ``3 months``."""
        unit, count = ("week", self.length // 7) if self._is_weeks else (self.kind, self.length)
        if self.kind == "month" and count == MONTHS_A_YEAR:
            return "year"
        return unit if count == 1 else f"{count} {unit}s"

    @property
    def _is_weeks(self) -> bool:
        return self.kind == "day" and self.length % 7 == 0


def code_names() -> np.ndarray:
    """Return the words for every code of a unit-period, at the place of the code."""
    names = np.full(TERM + DAYS_A_YEAR + 1, "", dtype="<U10")
    for length in range(1, DAYS_A_YEAR + 1):
        names[length] = UnitPeriod("day", length).name
        names[TERM + length] = "day" if length == 1 else f"{length} days"
    names[SEMIMONTH] = UnitPeriod("semimonth", 1).name
    for length in range(1, MONTHS_A_YEAR + 1):
        names[MONTHS + length] = UnitPeriod("month", length).name
    return names


def add_months(day: date, months: int) -> date:
    """Return the same day of another month, or its last day where the month is shorter."""
    return _day_of(day.year * 12 + day.month - 1 + months, day.day)


def _day_of(month: int, day: int) -> date:
    """Return a day of a month that is counted since year 0, or its last day where it is shorter."""
    year, of_year = divmod(month, 12)
    return date(year, of_year + 1, min(day, monthrange(year, of_year + 1)[1]))


def repeated(first: date, count: int, period: UnitPeriod) -> list[date]:
    """Return ``count`` dates from ``first`` on, one period apart. OverflowError beyond the year 9999.

    Half-months are two days of each month that lie 15 apart, such as 1 and 16, or 15 and 30; a month that is shorter
    has its last day, and moves no other date.
    """
    if period.kind == "day":
        return [first + timedelta(days=i * period.length) for i in range(count)]
    if period.kind == "month":
        return [add_months(first, i * period.length) for i in range(count)]
    return [_half_months_on(first, i * period.length) for i in range(count)]


def _half_months_on(first: date, halves: int) -> date:
    whole, half = divmod(halves, 2)
    month, day = first.year * 12 + first.month - 1 + whole, first.day
    if not half:
        return _day_of(month, day)
    return _day_of(month, day + 15) if day <= 15 else _day_of(month + 1, day - 15)
