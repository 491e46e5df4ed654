"""Periods between payments, in words and on the calendar."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal

import msgspec
import numpy as np

from opportune.economics.unit_count import DAYS_A_YEAR, MONTHS, MONTHS_A_YEAR, SEMIMONTH, TERM

Kind = Literal["day", "semimonth", "month"]


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
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


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
