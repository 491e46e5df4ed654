"""A contract with its settings, and what it has become by a day: bills, money held, and every posting so far."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from opportune.economics.events import Surplus
from opportune.economics.terms import Terms

Part = Literal["fees", "interest", "principal"]
Across = Literal["by_instalment", "by_part"]
State = Literal["open", "paid", "refunded", "charged_off"]
PARTS: tuple[Part, ...] = ("fees", "interest", "principal")
NONE = Decimal(0)


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Terms, and how money is settled on them.

    ``parts``: in which order a payment covers the parts of what is due. ``across``: ``by_instalment`` settles the
    oldest instalment whole before the next, ``by_part`` a part of all instalments, oldest first, before the next part.
    ``surplus``: where money goes that is not due yet. ``late_fee``: charged once for an instalment not paid in full by
    the end of ``grace_days`` after its day. ``charge_off_after``: days past due of any bill, a down payment or
    a fee too (absent: never by itself).
    """

    terms: Terms
    parts: tuple[Part, ...]
    across: Across
    surplus: Surplus
    late_fee: Decimal = NONE
    grace_days: int = 0
    charge_off_after: int | None = None


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What fell due on a day, and what is left of it unpaid. ``balance``: principal that falls due later.

    ``instalment``: its number from 0; absent for a down payment, a fee, and interest after the last instalment.
    """

    due: date
    fees: Decimal = NONE
    interest: Decimal = NONE
    principal: Decimal = NONE
    left_fees: Decimal = NONE
    left_interest: Decimal = NONE
    left_principal: Decimal = NONE
    balance: Decimal = NONE
    instalment: int | None = None

    @property
    def amount(self) -> Decimal:
        """All that fell due."""
        return self.fees + self.interest + self.principal

    @property
    def left(self) -> Decimal:
        """All that is unpaid of it."""
        return self.left_fees + self.left_interest + self.left_principal


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money: where it came from (left) is where it went (right),

    cash + merchant = fees + interest + principal + held + returned + recovered.

    ``held``: money kept for coming instalments, below zero when it is used. ``lent`` and what is ``written_off`` (fees,
    interest and principal) move no cash of the customer. ``balance``: principal owed afterwards.
    """

    on: date
    kind: str
    cash: Decimal = NONE
    merchant: Decimal = NONE
    lent: Decimal = NONE
    fees: Decimal = NONE
    interest: Decimal = NONE
    principal: Decimal = NONE
    held: Decimal = NONE
    returned: Decimal = NONE
    recovered: Decimal = NONE
    written_off: tuple[Decimal, Decimal, Decimal] = (NONE, NONE, NONE)
    balance: Decimal = NONE


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A contract on a day. ``balance``: principal owed, due or not; ``accrued``: interest since the last bill, exact.

    ``early``: what of it belongs to the bill after the next. ``counted_to``: the day up to which interest is in
    ``accrued``. ``next``: number of the next instalment. ``level``: its payment, or its principal where interest is
    flat on ``lent`` (what was lent, less principal refunded).
    """

    contract: Contract
    as_of: date
    counted_to: date
    next: int
    rate: Decimal
    level: Decimal
    lent: Decimal
    balance: Decimal
    accrued: Fraction
    early: Fraction
    held: Decimal
    bills: tuple[Bill, ...]
    postings: tuple[Posting, ...]
    state: State

    def left(self, part: Part) -> Decimal:
        """What is due and unpaid of a part."""
        return sum((getattr(bill, f"left_{part}") for bill in self.bills), NONE)

    @property
    def unbilled(self) -> Decimal:
        """Principal that is not due yet."""
        return self.balance - self.left("principal")

    @property
    def financed(self) -> Decimal:
        """Principal owed, a down payment aside."""
        return self.balance - sum((bill.left_principal for bill in self.bills if bill.instalment is None), NONE)
