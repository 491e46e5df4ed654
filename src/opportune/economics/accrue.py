"""Interest as days go by on a contract, its bills, and its level payment after a change."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec

from opportune.economics.cents import to_cents
from opportune.economics.contract import Account, Bill
from opportune.economics.schedule import level_payment
from opportune.economics.terms import Terms, due_dates, interest_dates
from opportune.numerics import year_fraction


def accrued_to(account: Account, day: date) -> Account:
    """Return the account with interest up to a day of the period: what is owed, times the rate, times the time.

    Parts of a period add up to its whole year fraction, whatever the day count. After the last instalment interest
    runs on what is owed, but flat interest does not. Where an instalment is due after the end of its interest, on a
    moved date, the days between are early interest of the next one.
    """
    ends = interest_dates(account.contract.terms)
    period = min(account.next, len(ends) - 1)
    account = _counted(account, ends, period, day)
    if period + 1 == len(ends) or day <= ends[period + 1]:
        return account
    later = _counted(account, ends, period + 1, day)
    return msgspec.structs.replace(later, early=account.early + later.accrued - account.accrued)


def _counted(account: Account, ends: list[date], period: int, day: date) -> Account:
    """Return the account with the interest of one period up to a day."""
    terms = account.contract.terms
    to = min(day, ends[period + 1]) if period + 1 < len(ends) else day
    on_flat = terms.interest_on == "flat"
    if to <= account.counted_to or (on_flat and period + 1 == len(ends)):
        return account
    start = ends[period]
    time = year_fraction(start, to, terms.day_count) - year_fraction(
        start, max(account.counted_to, start), terms.day_count
    )
    bears = account.lent if on_flat and account.balance else account.balance
    accrued = account.accrued + Fraction(bears) * Fraction(account.rate) * time
    return msgspec.structs.replace(account, accrued=accrued, counted_to=to)


def billed(account: Account) -> Account:
    """Return the account after its next instalment has fallen due, with the interest of its whole period."""
    terms, number = account.contract.terms, account.next
    account = accrued_to(account, interest_dates(terms)[number + 1])
    interest = to_cents(account.accrued - account.early, terms.interest_rounding, terms.cents)
    unbilled = account.unbilled
    level = account.level if terms.interest_on == "flat" else max(account.level - interest, Decimal(0))
    principal = unbilled if number == terms.payments - 1 else min(level, unbilled)
    early = _early_left(account, principal)
    after = msgspec.structs.replace(account, next=number + 1, accrued=early, early=Fraction(0))
    if not interest + principal:
        return after
    bill = Bill(
        due=due_dates(terms)[number], interest=interest, principal=principal, left_interest=interest,
        left_principal=principal, balance=unbilled - principal, instalment=number,
    )  # fmt: skip
    return msgspec.structs.replace(after, bills=(*after.bills, bill))


def _early_left(account: Account, principal: Decimal) -> Fraction:
    """Return the early interest without that on principal which only now falls due: paid today, it is in time."""
    terms = account.contract.terms
    if not account.early or terms.interest_on == "flat":
        return account.early
    time = year_fraction(interest_dates(terms)[account.next + 1], account.counted_to, terms.day_count)
    return max(account.early - Fraction(principal) * Fraction(account.rate) * time, Fraction(0))


def levelled(account: Account) -> Account:
    """Return the account with the level payment that repays its principal over the instalments left.

    What has accrued, and what principal past due will bear until the next instalment, is paid with it.
    """
    terms = account.contract.terms
    if account.next >= terms.payments:
        return account
    rates = [Fraction(account.rate) * part for part in _fractions_left(account, terms)]
    balance = Fraction(account.unbilled)
    if terms.interest_on == "balance":
        past_due = Fraction(account.left("principal")) * rates[0]
        balance += (account.accrued + past_due) / (1 + rates[0])
    return msgspec.structs.replace(account, level=level_payment(terms, balance, rates))


def _fractions_left(account: Account, terms: Terms) -> list[Fraction]:
    """Return the year fractions of the periods left, of those begun what is still to come."""
    return [
        year_fraction(start, end, terms.day_count)
        - year_fraction(start, min(max(account.counted_to, start), end), terms.day_count)
        for start, end in pairwise(interest_dates(terms)[account.next :])
    ]
