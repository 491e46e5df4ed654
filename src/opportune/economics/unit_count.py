"""Counting in unit-periods, on whole numbers: days since 1970-01-01, months since year 0, codes of unit-periods.

Plain functions of numbers and arrays, so that one contract runs them as they are and millions run them compiled
(`_compiled_aprs`). Source: 12 CFR 1026, Appendix J, (b)(3) definitions of intervals, (b)(4) which is the unit-period,
(b)(5) how many lie between two dates.

A unit-period is a code: 1 to 364 days; SEMIMONTH; MONTHS + 1 to 12; TERM + days of a single payment.
"""

import numpy as np

SEMIMONTH, MONTHS, TERM = 400, 500, 1000
YEAR = MONTHS + 12
CODES = YEAR + 1
"""Size of the table in which intervals are counted."""
DAYS_A_YEAR, WEEKS_A_YEAR, MONTHS_A_YEAR = 365, 52, 12
LONG_MONTHS = 0b1010_1101_0101
"""Bit by bit from January: which months have 31 days."""


def month_and_day(day: int) -> tuple[int, int]:
    """Return months since year 0 and the day of the month (1 to 31) of a day, in the Gregorian calendar.

    Years begin in March here, so that the leap day is the last of them; 146,097 days are 400 years.
    """
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return (year + era * 400) * 12 + month + 2, of_year - (153 * month + 2) // 5 + 1


def month_start(month: int) -> int:
    """Return the first day of a month that is counted since year 0."""
    from_march = month - 2
    year, left = from_march // 12, from_march % 12
    era = year // 400
    of_era = year - era * 400
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * left + 2) // 5 - 719_468


def month_length(month: int) -> int:
    """Return the days of a month."""
    year, of_year = month // 12, month % 12
    if of_year != 1:
        return 30 + (LONG_MONTHS >> of_year & 1)
    return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28


def days_later(month: int, day: int, days: int) -> tuple[int, int]:
    """Return month and day of the month so many days later; quick for few months."""
    day += days
    length = month_length(month)
    while day > length:
        day -= length
        month += 1
        length = month_length(month)
    return month, day


def clipped(month: int, day: int) -> int:
    """Return the day of the month, or its last where the month is shorter."""
    return day if day <= 28 else min(day, month_length(month))


def series_day(month: int, day: int, latest: int) -> int:
    """Return the day of the month that a date stands for in a series whose latest day of the month is ``latest``.

    The last of February stands for the 29th, 30th or 31st, and that of any month for the last of all: (b)(3)(iv).
    """
    return latest if day >= 28 and latest > day and day == month_length(month) else day


def months_back(start_month: int, start_day: int, end_month: int, end_day: int) -> tuple[int, int]:
    """Return full months from the end back towards the start, and days from the start to the first of them."""
    months = end_month - start_month
    begun, reached = clipped(start_month, start_day), clipped(start_month, end_day)
    if reached >= begun:
        return months, reached - begun
    return months - 1, clipped(start_month + 1, end_day) + month_length(start_month) - begun


def units_a_year(code: int) -> float:
    """Return unit-periods in a year: 12 months, 24 half-months, 52 weeks, 365 days, 365 over the days of a term."""
    if code >= TERM:
        return DAYS_A_YEAR / (code - TERM)
    if code > MONTHS:
        return MONTHS_A_YEAR / (code - MONTHS)
    if code == SEMIMONTH:
        return 2.0 * MONTHS_A_YEAR
    return WEEKS_A_YEAR / (code // 7) if code % 7 == 0 else DAYS_A_YEAR / code


def unit_days(code: int) -> float:
    """Return the length of a unit-period in days, a month counted as 30: for ordering periods."""
    if code > MONTHS:
        return 30.0 * (code - MONTHS)
    return 15.0 if code == SEMIMONTH else float(code)


def whole_months(start_month: int, start_day: int, end_month: int, end_day: int) -> int:
    """Return the months of an interval that is a whole number of them, 0 otherwise."""
    if end_day == start_day:
        return end_month - start_month
    months, days = months_back(start_month, start_day, end_month, end_day)
    return months if days == 0 else 0


def is_half_month(start_month: int, start_day: int, end_month: int, end_day: int) -> bool:
    """Whether an interval is a half of a month: 15 days on the calendar, the 1st to the 15th, the 15th to the last."""
    if start_month == end_month:
        return end_day - start_day == 15 or (start_day == 1 and end_day == 15) or (start_day == 15 and end_day == 31)
    back = start_day - end_day == 15 or (start_day == 15 and end_day == 1) or (start_day == 31 and end_day == 15)
    return end_month == start_month + 1 and back


def unit_period_code(
    month: np.ndarray, day: np.ndarray, number: np.ndarray, advances: int, flows: int, seen: np.ndarray
) -> int:
    """Return the unit-period of a contract whose first ``advances`` of all ``flows`` are money lent, in order of dates.

    ``month``, ``day`` (of its series) and ``number`` of each flow's date; ``seen`` (CODES,) is overwritten. The period
    that occurs most often between advances, between payments and from the start to the first payment; the shorter of
    two; the average where none occurs twice. A single payment has its term, at most a year.
    """
    if number[advances - 1] == number[0] and number[flows - 1] == number[advances]:
        return term_code(month, day, number, advances)
    seen[:] = 0
    best, periods, all_months, sum_months, sum_days = 0, 0, True, 0, 0
    for k in range(1, flows):
        before = 0 if k == advances else k - 1
        days = number[k] - number[before]
        if days == 0:
            continue
        months = whole_months(month[before], day[before], month[k], day[k])
        periods, all_months = periods + 1, all_months and months > 0
        sum_months, sum_days = sum_months + months, sum_days + days
        if days >= DAYS_A_YEAR or months >= MONTHS_A_YEAR:
            best = counted(YEAR, best, seen)
            continue
        best = counted(days, best, seen)
        if is_half_month(month[before], day[before], month[k], day[k]):
            best = counted(SEMIMONTH, best, seen)
        if months > 0:
            best = counted(MONTHS + months, best, seen)
    if seen[best] > 1:
        return best
    return average_months(sum_months, periods) if all_months else nearest_standard(sum_days / periods)


def is_unit(code: int, start_month: int, start_day: int, start: int, end_month: int, end_day: int, end: int) -> bool:
    """Whether an interval is one unit-period; the flows of a single payment may be on one day."""
    if code == SEMIMONTH:
        return is_half_month(start_month, start_day, end_month, end_day)
    if code > MONTHS:
        return code >= TERM or whole_months(start_month, start_day, end_month, end_day) == code - MONTHS
    return end - start == code


def term_code(month: np.ndarray, day: np.ndarray, number: np.ndarray, payment: int) -> int:
    """Return the unit-period of a single advance and payment: whole months, or the days of the term; at most a year."""
    months = whole_months(month[0], day[0], month[payment], day[payment])
    if 0 < months < MONTHS_A_YEAR:
        return MONTHS + months
    term = number[payment] - number[0]
    return YEAR if months > 0 or term >= DAYS_A_YEAR else TERM + term


def counted(code: int, best: int, seen: np.ndarray) -> int:
    """Count an interval, and return the leading code: more frequent, the shorter of two, the calendar's of equals."""
    seen[code] += 1
    if code == best or seen[code] > seen[best]:
        return code
    if seen[code] < seen[best]:
        return best
    shorter, longer = unit_days(code), unit_days(best)
    return code if shorter < longer or (shorter == longer and code > best) else best


def average_months(months: int, periods: int) -> int:
    """Return the whole number of months nearest to the average, the lower of two, at most a year."""
    nearest = (2 * months + periods - 1) // (2 * periods)
    return MONTHS + min(max(nearest, 1), MONTHS_A_YEAR)


def nearest_standard(days: float) -> int:
    """Return the standard interval nearest to so many days, the lower of two: a day, weeks, half a month, months."""
    best = 1
    for code in range(7, 365, 7):
        best = nearer(code, best, days)
    best = nearer(SEMIMONTH, best, days)
    for months in range(1, 13):
        best = nearer(MONTHS + months, best, days)
    return best


def nearer(code: int, best: int, days: float) -> int:
    """Return which of two standard intervals is nearer to so many days; the lower when both are equally near."""
    gap, least = abs(unit_days(code) - days), abs(unit_days(best) - days)
    return code if gap < least or (gap == least and unit_days(code) < unit_days(best)) else best


def count_units(
    code: int, start_month: int, start_day: int, start: int, end_month: int, end_day: int, end: int
) -> tuple[int, float]:
    """Return full unit-periods from the end back to the start, and the odd fraction before the first of them.

    Odd days count 1/30 of a month, 1/15 of a half-month, 1/(30 x months) of several months, 1/365 of a year unless the
    rest is whole months, which are twelfths.
    """
    if code >= TERM:
        return (1 if end > start else 0), 0.0
    if code < SEMIMONTH:
        return (end - start) // code, ((end - start) % code) / code
    months, days = months_back(start_month, start_day, end_month, end_day)
    if code == MONTHS + 1:
        return months, days / 30.0
    if code == YEAR:
        return count_years(months, days, start_month, start_day, end_month, end_day)
    length = 15 if code == SEMIMONTH else 30 * (code - MONTHS)
    return (30 * months + days) // length, ((30 * months + days) % length) / length


def count_years(
    months: int, days: int, start_month: int, start_day: int, end_month: int, end_day: int
) -> tuple[int, float]:
    """Return full years and the odd fraction: twelfths when the rest is whole months, days / 365 otherwise."""
    years = months // MONTHS_A_YEAR
    if days == 0:
        return years, (months % MONTHS_A_YEAR) / MONTHS_A_YEAR
    back = end_month - years * MONTHS_A_YEAR
    reached = month_start(back) + clipped(back, end_day)
    return years, (reached - (month_start(start_month) + clipped(start_month, start_day))) / DAYS_A_YEAR
