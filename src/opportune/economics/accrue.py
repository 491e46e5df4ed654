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
    runs on what is owed, but flat interest does not.
    """
    terms, ends = account.contract.terms, interest_dates(account.contract.terms)
    period = min(account.next, len(ends) - 1)
    last = ends[period + 1] if period + 1 < len(ends) else day
    to = min(day, last)
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
    interest = to_cents(account.accrued, terms.interest_rounding, terms.cents)
    unbilled = account.unbilled
    level = account.level if terms.interest_on == "flat" else max(account.level - interest, Decimal(0))
    principal = unbilled if number == terms.payments - 1 else min(level, unbilled)
    after = msgspec.structs.replace(account, next=number + 1, accrued=Fraction(0))
    if not interest + principal:
        return after
    bill = Bill(
        due=due_dates(terms)[number], interest=interest, principal=principal, left_interest=interest,
        left_principal=principal, balance=unbilled - principal, instalment=number,
    )  # fmt: skip
    return msgspec.structs.replace(after, bills=(*after.bills, bill))


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
    """Return the year fractions of the periods left, of the current one what is still to come."""
    ends = interest_dates(terms)[account.next :]
    whole = [year_fraction(start, end, terms.day_count) for start, end in pairwise(ends)]
    gone = year_fraction(ends[0], max(account.counted_to, ends[0]), terms.day_count)
    return [whole[0] - gone, *whole[1:]]
