"""Business days: on which day a payment is due whose date is a weekend or a holiday.

Source: ISDA 2006 Definitions 4.12, following, modified following and preceding business day convention.
"""

from datetime import date, timedelta
from typing import Literal

import msgspec

DayRule = Literal["following", "modified_following", "preceding"]
SATURDAY_AND_SUNDAY = frozenset({5, 6})
"""As `datetime.date.weekday` counts."""
DAY = timedelta(days=1)
LONGEST_CLOSURE = 366
"""Days: a calendar without a business day for longer has none at all."""


class BusinessDays(msgspec.Struct, frozen=True, kw_only=True):
    """``holidays`` as dates and ``weekend`` as weekdays (Monday is 0); ``rule`` moves a date that is either.

    Interest runs to the moved date, or to the date of the contract, as ``interest_to`` says.
    """

    rule: DayRule
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = SATURDAY_AND_SUNDAY
    interest_to: Literal["moved", "contract"] = "moved"


def business_day(day: date, calendar: BusinessDays) -> date:
    """Return the date itself when it is a business day, otherwise the one that the rule moves it to. ValueError."""
    if calendar.rule == "preceding":
        return _next(day, calendar, -DAY)
    later = _next(day, calendar, DAY)
    if calendar.rule == "modified_following" and later.month != day.month:
        return _next(day, calendar, -DAY)
    return later


def _next(day: date, calendar: BusinessDays, step: timedelta) -> date:
    """Return the first business day from ``day`` on, in the direction of ``step``."""
    for _ in range(LONGEST_CLOSURE):
        if day.weekday() not in calendar.weekend and day not in calendar.holidays:
            return day
        day += step
    raise ValueError(f"the calendar has no business day for {LONGEST_CLOSURE} days before or after: expected some")
