"""The annual percentage rate of one contract in arrays: what `apr` runs once and `_compiled_aprs` runs a million times.

Plain functions of numbers and arrays. Flows of a contract lie in order of dates, its advances in ``[a, a + n)`` of one
pair of arrays and its payments in ``[p, p + m)`` of another; ``Scratch`` columns hold what is counted of them.

The equations stand in `apr`. They are solved for s = log(1 + i): the logarithm of the payments' present value is convex
in s and nearly straight, so Newton's steps from s = 0 need three or four.
"""

import numpy as np

from opportune.economics.unit_count import (
    DAYS_A_YEAR,
    MONTHS,
    MONTHS_A_YEAR,
    WEEKS_A_YEAR,
    YEAR,
    count_units,
    days_later,
    is_unit,
    month_and_day,
    months_back,
    series_day,
    unit_period_code,
    units_a_year,
)

ACTUARIAL, EFFECTIVE, US_RULE = 0, 1, 2
BY_DAYS, BY_MONTHS, BY_WEEKS = 0, 1, 2
CONVERGED, NO_ROOT, SEVERAL_ROOTS, BAD_INPUT = 0, 1, 2, 3
HIGHEST_PER_PERIOD, HIGHEST_EFFECTIVE = 1e4, 1e12
"""A rate beyond these is taken for none; so is a loss of all and more in a year."""
LEAST = 1e-3
GRID = 1_200
"""Points of the search where money is lent after the first payment; two roots between neighbours are not told apart."""
BEND = 0.01
"""The yearly rate about which that grid is even; beyond, its mesh grows with the rate."""
NEAR = 100
"""Days within which the next date is counted on from the one before."""
STEPS = 100
ENOUGH = 1e-9
"""A Newton step below this leaves an error of its square."""


def contract_rate(
    advance_day: np.ndarray, advance: np.ndarray, a: int, n: int,
    payment_day: np.ndarray, payment: np.ndarray, p: int, m: int,
    method: int, count: int, scratch_month: np.ndarray, scratch_day: np.ndarray, scratch_number: np.ndarray,
    whole: np.ndarray, odd: np.ndarray, seen: np.ndarray,
) -> tuple[int, int, int, float, float]:  # fmt: skip
    """Return status, unit-period, 1 if irregular, yearly rate and residual of one contract."""
    if not is_usable(advance_day, advance, a, n, payment_day, payment, p, m):
        return BAD_INPUT, YEAR, 0, np.nan, np.nan
    fill_dates(advance_day, a, n, payment_day, p, m, scratch_month, scratch_day, scratch_number)
    code = unit_period_code(scratch_month, scratch_day, scratch_number, n, n + m, seen)
    a_year = fill_units(code, n + m, scratch_month, scratch_day, scratch_number, whole, odd)
    irregular = is_irregular(code, n, m, payment, p, scratch_month, scratch_day, scratch_number, whole, odd)
    if method == EFFECTIVE:
        a_year = fill_years(count, n + m, scratch_month, scratch_day, scratch_number, whole, odd)
    low, high = rate_bounds(method, a_year)
    if method == US_RULE:
        status, s, left = us_rule_root(advance, a, n, payment, p, m, whole, odd, low, high)
    elif scratch_number[n - 1] <= scratch_number[n]:
        status, s, left = single_root(advance, a, n, payment, p, m, whole, odd, low, high)
    else:
        status, s, left = roots_on_grid(advance, a, n, payment, p, m, whole, odd, low, high, a_year)
    value = np.expm1(s * a_year) if method == EFFECTIVE else np.expm1(s) * a_year
    return status, code, irregular, value, left


def is_usable(
    advance_day: np.ndarray, advance: np.ndarray, a: int, n: int,
    payment_day: np.ndarray, payment: np.ndarray, p: int, m: int,
) -> bool:  # fmt: skip
    """Whether both sides have flows in order of dates, amounts above zero, and time passes after the first advance."""
    if n == 0 or m == 0 or payment_day[p] < advance_day[a] or payment_day[p + m - 1] <= advance_day[a]:
        return False
    return is_side_usable(advance_day, advance, a, n) and is_side_usable(payment_day, payment, p, m)


def is_side_usable(day: np.ndarray, amount: np.ndarray, first: int, flows: int) -> bool:
    """Whether amounts are above zero and finite, and dates in order."""
    for j in range(first, first + flows):
        if not 0.0 < amount[j] < np.inf or (j > first and day[j] < day[j - 1]):
            return False
    return True


def fill_dates(
    advance_day: np.ndarray, a: int, n: int, payment_day: np.ndarray, p: int, m: int,
    month: np.ndarray, day: np.ndarray, number: np.ndarray,
) -> None:  # fmt: skip
    """Write number, month and day of the month of each flow, advances first; days as those of their series."""
    lent = paid = 0
    for k in range(n + m):
        number[k] = advance_day[a + k] if k < n else payment_day[p + k - n]
        if k > 0 and 0 <= number[k] - number[k - 1] <= NEAR:
            month[k], day[k] = days_later(month[k - 1], day[k - 1], number[k] - number[k - 1])
        else:
            month[k], day[k] = month_and_day(number[k])
        if k < n:
            lent = max(lent, day[k])
        else:
            paid = max(paid, day[k])
    if n == m == 1:
        lent = paid = max(lent, paid)
    for k in range(n + m):
        day[k] = series_day(month[k], day[k], lent if k < n else paid)


def fill_units(
    code: int, flows: int, month: np.ndarray, day: np.ndarray, number: np.ndarray, whole: np.ndarray, odd: np.ndarray
) -> float:
    """Write each flow's unit-periods since the first, full and odd ones; return how many a year has."""
    whole[0] = odd[0] = 0.0
    for k in range(1, flows):
        if code == MONTHS + 1 and day[k] == day[k - 1]:  # quick: full months further, and the same odd days
            whole[k], odd[k] = whole[k - 1] + (month[k] - month[k - 1]), odd[k - 1]
        else:
            whole[k], odd[k] = count_units(code, month[0], day[0], number[0], month[k], day[k], number[k])
    return units_a_year(code)


def fill_years(
    count: int, flows: int, month: np.ndarray, day: np.ndarray, number: np.ndarray, whole: np.ndarray, odd: np.ndarray
) -> float:
    """Write each flow's time for the effective rate, all compounded, in parts of a year; return how many it has."""
    for k in range(flows):
        since, odd[k] = number[k] - number[0], 0.0
        if count == BY_MONTHS:
            months, days = months_back(month[0], day[0], month[k], day[k])
            whole[k] = months + days * MONTHS_A_YEAR / DAYS_A_YEAR
        elif count == BY_WEEKS:
            whole[k] = since // 7 + since % 7 * WEEKS_A_YEAR / DAYS_A_YEAR
        else:
            whole[k] = since
    return float(MONTHS_A_YEAR if count == BY_MONTHS else WEEKS_A_YEAR if count == BY_WEEKS else DAYS_A_YEAR)


def rate_bounds(method: int, a_year: float) -> tuple[float, float]:
    """Return the lowest and highest log(1 + rate per period) that are looked at."""
    if method == EFFECTIVE:
        return np.log(LEAST) / a_year, np.log(HIGHEST_EFFECTIVE) / a_year
    return np.log(max(1.0 - 1.0 / a_year, LEAST)), np.log1p(HIGHEST_PER_PERIOD)


def is_irregular(
    code: int, n: int, m: int, payment: np.ndarray, p: int, month: np.ndarray, day: np.ndarray, number: np.ndarray,
    whole: np.ndarray, odd: np.ndarray,
) -> int:  # fmt: skip
    """Return 1 for several advances, unequal periods (but the first), unequal payments (but the first and the last).

    Source: 12 CFR 1026.22(a)(3) and its footnote.
    """
    if n > 1:
        return 1
    for k in range(2, m - 1):
        if payment[p + k] != payment[p + 1]:
            return 1
    for j in range(n + 1, n + m):
        # Counted from the start, halves of a month are 14 to 17 days long, and months after a short one overlap.
        one_on = whole[j] == whole[j - 1] + 1.0 and odd[j] == odd[j - 1]
        if not one_on and not is_unit(code, month[j - 1], day[j - 1], number[j - 1], month[j], day[j], number[j]):
            return 1
    return 0


def present_value(
    amount: np.ndarray, first: int, flows: int, whole: np.ndarray, odd: np.ndarray, at: int, s: float, rate: float
) -> tuple[float, float]:
    """Return the sum of amount / ((1 + odd i) (1 + i)^whole), and its slope in s; ``rate`` is i = e^s - 1."""
    growth = 1.0 + rate
    discount = 1.0 / growth
    power = factor = 1.0
    extra = value = slope = time = fraction = 0.0
    for k in range(flows):
        step = whole[at + k] - time
        if step == 1.0:
            power *= discount
        elif step != 0.0:
            power *= np.exp(-s * step)
        time = whole[at + k]
        if odd[at + k] != fraction:
            fraction = odd[at + k]
            factor = 1.0 / (1.0 + fraction * rate)
            extra = fraction * growth * factor
        worth = amount[first + k] * power * factor
        value += worth
        slope -= worth * (time + extra)
    return value, slope


def left_over(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, s: float,
) -> float:  # fmt: skip
    """Return the present value of advances less that of payments, in money."""
    rate = np.expm1(s)
    lent, _ = present_value(advance, a, n, whole, odd, 0, s, rate)
    paid, _ = present_value(payment, p, m, whole, odd, n, s, rate)
    return lent - paid


def single_root(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, low: float, high: float,
) -> tuple[int, float, float]:  # fmt: skip
    """Return status, root and residual where all is lent before it is paid: payments fall in value, and once only."""
    s = min(max(first_guess(advance, a, n, payment, p, m, whole, odd), low), high)
    for _ in range(STEPS):
        rate = np.expm1(s)
        lent, lent_slope = present_value(advance, a, n, whole, odd, 0, s, rate)
        paid, paid_slope = present_value(payment, p, m, whole, odd, n, s, rate)
        gap = np.log(paid / lent)
        slope = paid_slope / paid - lent_slope / lent
        if gap > 0.0:
            low = s
        else:
            high = s
        moved = s - gap / slope if slope < 0.0 else np.nan
        if not low <= moved <= high:
            moved = 0.5 * (low + high)
        step, s = abs(moved - s), moved
        if step <= ENOUGH * (1.0 + abs(s)):
            break
    left = left_over(advance, a, n, payment, p, m, whole, odd, s)
    return (CONVERGED, s, left) if is_nothing(left, advance, a, n) else (NO_ROOT, np.nan, np.nan)


def first_guess(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int, whole: np.ndarray, odd: np.ndarray
) -> float:
    """Return the root of the parabola that the logarithm of payments over advances follows at s = 0.

    Its slope is the mean time of the payments less that of the advances, its bend the variance of those times.
    """
    lent, lent_time, lent_bend = time_moments(advance, a, n, whole, odd, 0)
    paid, paid_time, paid_bend = time_moments(payment, p, m, whole, odd, n)
    gap, time, bend = np.log(paid / lent), paid_time - lent_time, paid_bend - lent_bend
    return float(2.0 * gap / (time + np.sqrt(max(time * time - 2.0 * bend * gap, 0.25 * time * time))))


def time_moments(
    amount: np.ndarray, first: int, flows: int, whole: np.ndarray, odd: np.ndarray, at: int
) -> tuple[float, float, float]:
    """Return the sum of amounts, and the mean and variance of their times."""
    total = times = squares = 0.0
    for k in range(flows):
        time = whole[at + k] + odd[at + k]
        total += amount[first + k]
        times += amount[first + k] * time
        squares += amount[first + k] * time * time
    return total, times / total, squares / total - (times / total) ** 2


def is_nothing(left: float, advance: np.ndarray, a: int, n: int) -> bool:
    """Whether what the flows leave is rounding beside what was lent."""
    lent = 0.0
    for j in range(a, a + n):
        lent += advance[j]
    return abs(left) <= 1e-9 * lent


def roots_on_grid(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, low: float, high: float, a_year: float,
) -> tuple[int, float, float]:  # fmt: skip
    """Return status, root and residual where money is lent after the first payment, so that several rates may fit."""
    bend = BEND / a_year
    first, last = np.arcsinh(low / bend), np.arcsinh(high / bend)
    before, found, s = low, 0, np.nan
    sign = left_over(advance, a, n, payment, p, m, whole, odd, low) >= 0.0
    for k in range(1, GRID + 1):
        at = bend * np.sinh(first + (last - first) * k / GRID)
        now = left_over(advance, a, n, payment, p, m, whole, odd, at) >= 0.0
        if now != sign:
            found += 1
            s = bisected(advance, a, n, payment, p, m, whole, odd, before, at, sign)
        before, sign = at, now
    if found != 1:
        return (SEVERAL_ROOTS if found else NO_ROOT), np.nan, np.nan
    return CONVERGED, s, left_over(advance, a, n, payment, p, m, whole, odd, s)


def bisected(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, low: float, high: float, sign: bool,
) -> float:  # fmt: skip
    """Return the root between two rates, the first with ``sign``, to the last bit that halving can reach."""
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (left_over(advance, a, n, payment, p, m, whole, odd, middle) >= 0.0) == sign:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def us_rule_root(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, low: float, high: float,
) -> tuple[int, float, float]:  # fmt: skip
    """Return status, root and residual by the United States Rule; the balance at the end rises with the rate.

    Where it is below zero at one rate and above at another, a rate lies between them. Rounding grows with a balance
    that bears interest to the end, so that the residual is told discounted, as that of the other methods is.
    """
    if us_rule_balance(advance, a, n, payment, p, m, whole, odd, low) > 0.0:
        return NO_ROOT, np.nan, np.nan
    if us_rule_balance(advance, a, n, payment, p, m, whole, odd, high) < 0.0:
        return NO_ROOT, np.nan, np.nan
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if us_rule_balance(advance, a, n, payment, p, m, whole, odd, middle) > 0.0:
            high = middle
        else:
            low = middle
    s = 0.5 * (low + high)
    left = us_rule_balance(advance, a, n, payment, p, m, whole, odd, s)
    return CONVERGED, s, left * np.exp(-s * (whole[n + m - 1] + odd[n + m - 1]))


def us_rule_balance(
    advance: np.ndarray, a: int, n: int, payment: np.ndarray, p: int, m: int,
    whole: np.ndarray, odd: np.ndarray, s: float,
) -> float:  # fmt: skip
    """Return what is owed after the last flow: finance charge is earned on the balance only, never on itself.

    Appendix J (a)(3): a payment below the finance charge earned leaves the rest of it to the next.
    """
    rate = np.expm1(s)
    balance = earned = time = 0.0
    lent = paid = 0
    while lent < n or paid < m:
        takes = lent < n and (paid == m or whole[lent] + odd[lent] <= whole[n + paid] + odd[n + paid])
        now = whole[lent] + odd[lent] if takes else whole[n + paid] + odd[n + paid]
        earned += balance * rate * (now - time)
        time = now
        if takes:
            balance += advance[a + lent]
            lent += 1
        else:
            to_charge = min(earned, payment[p + paid])
            balance -= payment[p + paid] - to_charge
            earned -= to_charge
            paid += 1
    return balance + earned
