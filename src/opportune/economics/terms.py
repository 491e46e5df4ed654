"""What a contract says: amount, price, number of payments, dates, and the rules by which cents and days are settled."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

import msgspec

from opportune.domain import Finding
from opportune.economics.business_days import BusinessDays, business_day
from opportune.economics.cents import CentRule, LastPayment, Rounding, is_cents
from opportune.economics.unit_period import UnitPeriod, repeated
from opportune.numerics import DayCount

InterestOn = Literal["balance", "flat"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """One contract. ``rate`` is a fraction a year; ``down_payment`` a share of ``amount`` paid on the first day.

    ``interest_on``: the balance, or flat on the amount lent less refunds; a price per month is 12 times it a
    year with 30/360.
    ``interest_from``: the first day of interest where the start is deferred (absent: the disbursement).
    ``calendar`` moves dates that are no business days. ``payment_rounding`` rounds the level payment,
    ``interest_rounding`` each period's interest, both to ``cents`` decimal places; ``last_payment`` names what closes
    the balance (see `CentRule`).
    """

    amount: Decimal
    rate: Decimal
    payments: int
    period: UnitPeriod
    disbursed: date
    first_payment: date
    day_count: DayCount
    down_payment: Decimal = Decimal(0)
    interest_on: InterestOn = "balance"
    interest_from: date | None = None
    calendar: BusinessDays | None = None
    payment_rounding: Rounding = "half_up"
    interest_rounding: Rounding = "half_up"
    last_payment: LastPayment = "payment_closes"
    cents: int = 2

    @property
    def cent_rule(self) -> CentRule:
        """The rounding of this contract, as the array form takes it."""
        return CentRule(
            payment_rounding=self.payment_rounding, interest_rounding=self.interest_rounding,
            last_payment=self.last_payment, cents=self.cents,
        )  # fmt: skip


def due_dates(terms: Terms) -> list[date]:
    """Return the day on which each payment is due, moved to business days where there is a calendar."""
    days = repeated(terms.first_payment, terms.payments, terms.period)
    return days if terms.calendar is None else [business_day(day, terms.calendar) for day in days]


def interest_dates(terms: Terms) -> list[date]:
    """Return the ends of the interest periods, the first day of interest before them: one more than payments."""
    start = terms.disbursed if terms.interest_from is None else terms.interest_from
    if terms.calendar is not None and terms.calendar.interest_to == "moved":
        return [start, *due_dates(terms)]
    return [start, *repeated(terms.first_payment, terms.payments, terms.period)]


def check_terms(terms: Terms) -> list[Finding]:
    """Return findings (OP412) about terms that no schedule follows from."""
    for tests in (_kind_tests, _number_tests, _date_tests):  # each can be asked only of what passes the one before
        findings = [_finding(*test[:2], test[3]) for test in tests(terms) if not test[2]]
        if findings:
            return findings
    return []


WORDS = {
    "day_count": get_args(DayCount), "interest_on": get_args(InterestOn), "payment_rounding": get_args(Rounding),
    "interest_rounding": get_args(Rounding), "last_payment": get_args(LastPayment),
}  # fmt: skip
"""The words of each rule that has words: another one would be taken for the rule that happens to come last."""

Test = tuple[str, object, bool, str]
"""Name of the term, what was given, whether it holds, and what was expected."""


def _kind_tests(terms: Terms) -> Iterator[Test]:
    for name in ("amount", "rate", "down_payment"):
        given = getattr(terms, name)
        yield name, repr(given), isinstance(given, Decimal), "a number as Decimal, exact as written"
    yield "payments", repr(terms.payments), isinstance(terms.payments, int), "a whole number"
    for name in ("disbursed", "first_payment"):
        yield name, repr(getattr(terms, name)), isinstance(getattr(terms, name), date), "a date"
    for name, words in WORDS.items():
        yield name, repr(getattr(terms, name)), getattr(terms, name) in words, f"one of {', '.join(words)}"


def _number_tests(terms: Terms) -> Iterator[Test]:
    amount, rate, down = terms.amount, terms.rate, terms.down_payment
    yield "amount", amount, amount.is_finite() and amount > 0, "an amount above zero"
    exact = not amount.is_finite() or is_cents(amount, terms.cents)
    yield "amount", amount, exact, f"at most {terms.cents} decimal places"
    yield "rate", rate, rate.is_finite() and rate >= 0, "a fraction a year, zero or more"
    yield "payments", terms.payments, terms.payments >= 1, "at least one payment"
    yield "down_payment", down, down.is_finite() and 0 <= down < 1, "a share of 0 or more and below 1"
    closes = terms.last_payment == "payment_closes" or (terms.interest_on == "balance" and rate > 0)
    yield "last_payment", terms.last_payment, closes, "payment_closes, unless there is interest on the balance"


def _date_tests(terms: Terms) -> Iterator[Test]:
    first, begins = due_dates(terms)[0], interest_dates(terms)[0]
    yield "first_payment", first, first > terms.disbursed, f"a day after the disbursement of {terms.disbursed}"
    inside = terms.disbursed <= begins <= min(first, terms.first_payment)
    yield "interest_from", begins, inside, "a day from the disbursement to the first payment"


def _finding(name: str, given: object, expected: str) -> Finding:
    return terms_finding(name, f"is {given}: expected {expected}", "correct it")


def terms_finding(subject: str, message: str, step: str) -> Finding:
    """Return a finding about a contract's terms."""
    return Finding(code="OP412", source="terms", subject=subject, message=message, next_step=step)
