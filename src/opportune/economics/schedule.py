"""Schedules of instalments, in two forms of one definition.

Legal: one contract on a calendar, in exact cents, with a named rule for rounding and for the last payment. Array: many
loans at once, float64, no rounding. Both follow from

    balance_k = balance_(k-1) (1 + r_k) - payment_k,     interest_k = r_k balance_(k-1),

with r_k the yearly rate times the year fraction of period k. The level payment A makes the last balance zero:

    A = P prod_k (1 + r_k) / sum_k prod_(j > k) (1 + r_j).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.unit_period import UnitPeriod, repeated
from opportune.numerics import DayCount, year_fraction

Rounding = Literal["half_up", "half_even", "up"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """One contract. ``rate`` is a fraction a year; ``down_payment`` a share of ``amount`` paid on the first day.

    ``payment_rounding`` rounds the level payment, ``interest_rounding`` each period's interest, both to ``cents``
    decimal places. The last payment is whatever closes the balance.
    """

    amount: Decimal
    rate: Decimal
    payments: int
    period: UnitPeriod
    disbursed: date
    first_payment: date
    day_count: DayCount
    down_payment: Decimal = Decimal(0)
    payment_rounding: Rounding = "half_up"
    interest_rounding: Rounding = "half_up"
    cents: int = 2


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One row: what is due when, what of it is interest and principal, and the balance afterwards."""

    due: date
    payment: Decimal
    interest: Decimal
    principal: Decimal
    balance: Decimal


def schedule(terms: Terms) -> tuple[Instalment, ...]:
    """Return the rows of a contract; a down payment is a row of its own on the first day. BadInput (OP412)."""
    findings = check_terms(terms)
    if findings:
        raise BadInput(findings)
    down = _cents(Fraction(terms.amount) * Fraction(terms.down_payment), terms.payment_rounding, terms.cents)
    balance = terms.amount - down
    dates = repeated(terms.first_payment, terms.payments, terms.period)
    rates = period_rates(terms, dates)
    level = level_payment(terms, balance, rates)
    rows = [Instalment(due=terms.disbursed, payment=down, interest=Decimal(0), principal=down, balance=balance)]
    for due, rate in zip(dates, rates, strict=True):
        interest = _cents(Fraction(balance) * rate, terms.interest_rounding, terms.cents)
        payment = balance + interest if due == dates[-1] else min(level, balance + interest)
        balance = balance + interest - payment
        rows.append(
            Instalment(due=due, payment=payment, interest=interest, principal=payment - interest, balance=balance)
        )
    return tuple(rows if down else rows[1:])


def period_rates(terms: Terms, dates: Sequence[date]) -> list[Fraction]:
    """Return the rate of each period, from the disbursement or the payment before to the payment."""
    starts = [terms.disbursed, *dates[:-1]]
    rate = Fraction(terms.rate)
    return [rate * year_fraction(start, end, terms.day_count) for start, end in zip(starts, dates, strict=True)]


def level_payment(terms: Terms, balance: Decimal, rates: Sequence[Fraction]) -> Decimal:
    """Return the level payment of a balance, rounded by the contract's rule."""
    grown, annuity = Fraction(1), Fraction(0)
    for rate in reversed(rates):
        annuity += grown
        grown *= 1 + rate
    return _cents(Fraction(balance) * grown / annuity, terms.payment_rounding, terms.cents)


def _cents(exact: Fraction, rounding: Rounding, places: int) -> Decimal:
    """Return an exact amount rounded to so many decimal places; no binary fraction comes between."""
    scaled = exact * 10**places
    whole = {"half_up": floor(scaled + Fraction(1, 2)), "half_even": round(scaled), "up": ceil(scaled)}[rounding]
    return Decimal(whole).scaleb(-places)


def check_terms(terms: Terms) -> list[Finding]:
    """Return findings about terms that no schedule follows from."""
    tests = (
        ("amount", terms.amount, terms.amount > 0, "an amount above zero"),
        ("rate", terms.rate, terms.rate >= 0, "a fraction a year, zero or more"),
        ("payments", terms.payments, terms.payments >= 1, "at least one payment"),
        ("down_payment", terms.down_payment, 0 <= terms.down_payment < 1, "a share of 0 or more and below 1"),
        ("first_payment", terms.first_payment, terms.first_payment > terms.disbursed, "a day after the disbursement"),
    )
    return [
        Finding(
            code="OP412", source="terms", subject=name, message=f"is {given}: expected {words}", next_step="correct it"
        )
        for name, given, held, words in tests
        if not held
    ]


class Schedules(msgspec.Struct, frozen=True):
    """Many schedules, arrays (loans, periods), float64 in money; zero after a loan's last period."""

    payment: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    balance: np.ndarray


def level_schedules(principal: np.ndarray, rates: np.ndarray, payments: np.ndarray) -> Schedules:
    """Return schedules of level payments for ``principal`` (n,), period ``rates`` (n, T), number of ``payments`` (n,).

    Nothing is rounded. A legal schedule of the same terms differs by the cent that each of its rows rounds away, and
    by the interest on the cents before.
    """
    periods = rates.shape[1]
    running = np.arange(periods) < payments[:, None]
    growth = np.where(running, 1.0 + rates, 1.0)
    after = np.cumprod(growth[:, ::-1], axis=1)[:, ::-1]  # growth from the start of period k to the end
    later = np.column_stack([after[:, 1:], np.ones(len(principal))])
    level = principal * after[:, 0] / np.sum(np.where(running, later, 0.0), axis=1)
    payment = np.where(running, level[:, None], 0.0)
    before = np.cumprod(growth, axis=1)
    paid = np.cumsum(payment / before, axis=1)
    balance = np.where(running, before * (principal[:, None] - paid), 0.0)
    opening = np.column_stack([principal, balance[:, :-1]])
    interest = np.where(running, rates * opening, 0.0)
    return Schedules(payment=payment, interest=interest, principal=payment - interest, balance=balance)
