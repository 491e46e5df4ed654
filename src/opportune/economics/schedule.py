"""Schedules of instalments, in two forms of one definition.

Legal: one contract on a calendar, in exact cents. Array: many loans at once in float64, without rounding, or rounded
row by row by the same rule. Both follow from

    balance_k = balance_(k-1) + interest_k - payment_k,     interest_k = r_k balance_(k-1),  flat: r_k balance_0,

with r_k the yearly rate times the year fraction of period k. The level payment A makes the last balance zero,

    A = P prod_k (1 + r_k) / sum_k prod_(j > k) (1 + r_j);     flat: payment_k = P / n + interest_k.

The down payment is no part of P: it is paid on the first day.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.cents import CentRule, array_to_cents, to_cents
from opportune.economics.terms import Terms, check_terms, due_dates, interest_dates, terms_finding
from opportune.numerics import year_fraction


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
    down = down_payment(terms)
    first = Instalment(
        due=terms.disbursed, payment=down, interest=Decimal(0), principal=down, balance=terms.amount - down
    )
    rows = tuple(_rows(terms, first.balance))
    findings = list(_row_findings(rows))
    if findings:
        raise BadInput(findings)
    return (first, *rows) if down else rows


def down_payment(terms: Terms) -> Decimal:
    """Return what is paid on the first day."""
    return to_cents(Fraction(terms.amount) * Fraction(terms.down_payment), terms.payment_rounding, terms.cents)


def period_rates(terms: Terms) -> list[Fraction]:
    """Return the exact rate of each period: the yearly rate times the period's year fraction."""
    rate = Fraction(terms.rate)
    return [rate * year_fraction(start, end, terms.day_count) for start, end in pairwise(interest_dates(terms))]


def level_payment(terms: Terms, balance: Fraction, rates: Sequence[Fraction]) -> Decimal:
    """Return the level payment of a balance over periods of ``rates``, rounded by the contract's rule.

    Of flat interest it is the level part of principal, to which each period's interest comes.
    """
    grown, annuity = Fraction(1), Fraction(0)
    for rate in reversed(rates):
        annuity += grown
        grown *= 1 + (0 if terms.interest_on == "flat" else rate)
    return to_cents(balance * grown / annuity, terms.payment_rounding, terms.cents)


def _rows(terms: Terms, lent: Decimal) -> Iterator[Instalment]:
    rates, balance, flat = period_rates(terms), lent, terms.interest_on == "flat"
    level = level_payment(terms, Fraction(lent), rates)
    for left, due, rate in zip(range(len(rates) - 1, -1, -1), due_dates(terms), rates, strict=True):
        interest = to_cents(Fraction(lent if flat else balance) * rate, terms.interest_rounding, terms.cents)
        if left == 0 and terms.last_payment == "interest_closes":
            interest = level - balance
        principal = balance if left == 0 else min(level if flat else level - interest, balance)
        balance -= principal
        yield Instalment(due=due, payment=principal + interest, interest=interest, principal=principal, balance=balance)


def _row_findings(rows: Sequence[Instalment]) -> Iterator[Finding]:
    """Tell of rows that ask for nothing, and of a last interest below zero."""
    empty = sum(row.payment == 0 for row in rows)
    if empty:
        message = f"leaves {empty} of {len(rows)} rows of 0.00: expected an amount in each"
        yield terms_finding("payments", message, "take fewer payments, or another rounding")
    if rows[-1].interest < 0:
        message = f"interest_closes makes the last interest {rows[-1].interest}: expected zero or more"
        yield terms_finding("last_payment", message, "take payment_closes")


class Schedules(msgspec.Struct, frozen=True):
    """Many schedules, arrays (loans, periods), float64 in money; zero after a loan's last period."""

    payment: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    balance: np.ndarray


def level_schedules(
    principal: np.ndarray, rates: np.ndarray, payments: np.ndarray, *, flat: np.ndarray | None = None,
    cent_rule: CentRule | None = None,
) -> Schedules:  # fmt: skip
    """Return schedules for ``principal`` (n,), period ``rates`` (n, T) and number of ``payments`` (n,).

    ``rates`` are the yearly rate times each period's year fraction (`opportune.numerics.year_fractions`), so every day
    count and every long or short period is taken. ``flat`` (n,): where interest is on the principal. With a
    ``cent_rule`` rows are rounded one by one as the legal form's are; without one nothing is rounded.
    """
    on_principal = np.zeros(len(principal), dtype=bool) if flat is None else np.asarray(flat, dtype=bool)
    running = np.arange(rates.shape[1]) < np.asarray(payments)[:, None]
    level = _levels(principal, np.where(on_principal[:, None], 0.0, rates), running)
    if cent_rule is not None:
        level = array_to_cents(level, cent_rule.payment_rounding, cent_rule.cents)
    columns = _columns(principal, rates, np.asarray(payments), level, on_principal, cent_rule)
    paid, interest, balance = (np.where(running, each, 0.0) for each in columns)
    return Schedules(payment=paid + interest, interest=interest, principal=paid, balance=balance)


def _levels(principal: np.ndarray, rates: np.ndarray, running: np.ndarray) -> np.ndarray:
    """Return the level payments (n,)."""
    growth = np.where(running, 1.0 + rates, 1.0)
    after = np.cumprod(growth[:, ::-1], axis=1)[:, ::-1]  # growth from the start of period k to the end
    later = np.column_stack([after[:, 1:], np.ones(len(principal))])
    return np.asarray(principal * after[:, 0] / np.sum(np.where(running, later, 0.0), axis=1))


def _columns(
    lent: np.ndarray, rates: np.ndarray, payments: np.ndarray, level: np.ndarray, flat: np.ndarray,
    cent_rule: CentRule | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return principal paid, interest and balance (n, T), period after period."""
    paid, interest, left = (np.zeros(rates.shape) for _ in range(3))
    balance = np.asarray(lent, dtype=np.float64)
    for k in range(rates.shape[1]):
        last = payments == k + 1
        due = rates[:, k] * np.where(flat, lent, balance)
        if cent_rule is not None:
            due = array_to_cents(due, cent_rule.interest_rounding, cent_rule.cents)
            due = np.where(last, level - balance, due) if cent_rule.last_payment == "interest_closes" else due
        paid[:, k] = np.where(last, balance, np.minimum(np.where(flat, level, level - due), balance))
        interest[:, k] = due
        balance = balance - paid[:, k]
        if cent_rule is not None:
            balance = np.round(balance, cent_rule.cents)  # what a difference of cents is off in float64
        left[:, k] = balance
    return paid, interest, left
