"""The APR of many regular contracts at once: one advance, level payments, but for the first and the last.

The equation of ``apr`` with payments at q, q + 1, ... whole unit-periods and one odd fraction f for all:

    A = v^q / (1 + f i) x (first + P (1 - v^m) / i + last v^(m+1)),     v = 1 / (1 + i),  m = payments - 2.

Its right side falls as i grows, from infinity to zero, so there is one root. Newton's steps on the logarithm, kept
inside a bracket that shrinks with every step.
"""

import msgspec
import numpy as np

STEPS = 200
LOWEST, HIGHEST = -0.999, 1e6
"""Rates per unit-period between which a root is looked for."""
BLOCK = 8_192
"""Contracts solved together: their arrays stay in the cache."""
ENOUGH = 1e-13
"""Steps below this, relative to the rate, end the search."""
SMALL = 1e-6
"""Below this rate the annuity is taken from its series: the slope's closed form would divide rounding by nothing."""

CONVERGED, NO_ROOT, BAD_INPUT = "converged", "no_root", "bad_input"


class Aprs(msgspec.Struct, frozen=True):
    """Per contract (n,): APR as a fraction a year (NaN unless ``converged``), status, what the flows leave in money."""

    value: np.ndarray
    status: np.ndarray
    residual: np.ndarray


def regular_aprs(
    advance: np.ndarray,
    payment: np.ndarray,
    payments: np.ndarray,
    per_year: np.ndarray,
    *,
    first_payment: np.ndarray | None = None,
    last_payment: np.ndarray | None = None,
    whole: np.ndarray | None = None,
    odd: np.ndarray | None = None,
) -> Aprs:
    """Return the APRs of contracts, arrays (n,): money, number of payments, unit-periods a year.

    ``first_payment`` and ``last_payment`` differ from ``payment`` where given; ``whole`` and ``odd`` are the
    unit-periods before the first payment (absent: one and nothing). A single payment is the last one.
    """
    first = payment if first_payment is None else first_payment
    last = payment if last_payment is None else last_payment
    q = np.ones(len(advance)) if whole is None else np.asarray(whole, dtype=np.float64)
    f = np.zeros(len(advance)) if odd is None else odd
    good = _good(advance, payment, first, last, payments, per_year, q, f)
    flows = [np.asarray(each, dtype=np.float64)[good] for each in (advance, payment, first, last, payments, q, f)]
    rate = np.full(len(advance), np.nan)
    residual = np.full(len(advance), np.nan)
    solved = [_solve(*(each[i : i + BLOCK] for each in flows)) for i in range(0, int(good.sum()), BLOCK)]
    if solved:
        rate[good], residual[good] = (np.concatenate(each) for each in zip(*solved, strict=True))
    found = good & (np.abs(residual) <= 1e-6 * np.maximum(np.abs(advance), 1.0))
    status = np.where(found, CONVERGED, np.where(good, NO_ROOT, BAD_INPUT))
    return Aprs(np.where(found, rate * per_year, np.nan), status, residual)


def _good(*columns: np.ndarray) -> np.ndarray:
    """Return which contracts have amounts above zero, a payment, and times that are not negative (n,)."""
    advance, payment, first, last, payments, per_year, whole, odd = columns
    finite = np.all([np.isfinite(np.asarray(each, dtype=np.float64)) for each in columns], axis=0)
    amounts = (advance > 0) & (payment > 0) & (first > 0) & (last > 0)
    return np.asarray(finite & amounts & (payments >= 1) & (per_year > 0) & (whole >= 0) & (odd >= 0))


def _solve(
    advance: np.ndarray, level: np.ndarray, first: np.ndarray, last: np.ndarray, payments: np.ndarray,
    whole: np.ndarray, odd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return rates per unit-period and residuals (n,)."""
    paid = np.where(payments > 1, first + level * (payments - 2.0) + last, last)
    rate = (paid / advance - 1.0) / np.maximum(whole + odd + (payments - 1.0) / 2.0, 0.5)
    rate = np.clip(rate, LOWEST / 2, HIGHEST)
    low, high = np.full(len(rate), LOWEST), np.full(len(rate), HIGHEST)
    target = np.log(advance)
    for _ in range(STEPS):
        value, slope = _log_present(rate, level, first, last, payments, whole, odd)
        above = value > target
        low, high = np.where(above, rate, low), np.where(above, high, rate)
        step = rate - (value - target) / slope
        moved = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        settled = bool(np.all(np.abs(moved - rate) <= ENOUGH * (1.0 + np.abs(rate))))
        rate = moved
        if settled:
            break
    value, _ = _log_present(rate, level, first, last, payments, whole, odd)
    return rate, np.exp(value) - advance


def _log_present(
    rate: np.ndarray, level: np.ndarray, first: np.ndarray, last: np.ndarray, payments: np.ndarray,
    whole: np.ndarray, odd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the logarithm of the payments' present value and its slope in the rate (n,)."""
    between = np.maximum(payments - 2.0, 0.0)
    growth = np.log1p(rate)
    near = np.abs(rate) < SMALL
    safe = np.where(near, 1.0, rate)
    pairs, triples = between * (between + 1.0) / 2.0, between * (between + 1.0) * (between + 2.0) / 6.0
    annuity = np.where(near, between - pairs * rate + triples * rate**2, -np.expm1(-between * growth) / safe)
    bend = (between * np.exp(-(between + 1.0) * growth) - annuity) / safe
    annuity_slope = np.where(near, -pairs + 2.0 * triples * rate, bend)
    single = payments < 2
    to_last = np.where(single, 0.0, between + 1.0)
    final = last * np.exp(-to_last * growth)
    total = np.where(single, 0.0, first + level * annuity) + final
    total_slope = np.where(single, 0.0, level * annuity_slope) - to_last * final / (1.0 + rate)
    value = np.log(total) - whole * growth - np.log1p(odd * rate)
    return value, total_slope / total - whole / (1.0 + rate) - odd / (1.0 + odd * rate)
