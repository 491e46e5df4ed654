"""What can happen to a contract after it is made, each on its day."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

Surplus = Literal["pay_ahead", "reduce_term", "reduce_payment"]
RefundOrder = Literal["last_first", "oldest_first", "spread"]


class Payment(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Money from the customer. What is not due yet goes where ``surplus`` says; absent, where the contract says.

    ``pay_ahead``: held, and pays the coming instalments on their days. ``reduce_term``: principal, payments stay as
    high and end earlier. ``reduce_payment``: principal, payments are levelled again over the same days.
    """

    on: date
    amount: Decimal
    surplus: Surplus | None = None


class Payoff(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The customer pays all that is owed on the day."""

    on: date


class Refund(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Goods go back, and the merchant pays ``amount``; what is not owed any more is returned to the customer.

    ``last_first``: principal from the last instalment on; then what is due. ``oldest_first``: what is due as a payment
    would, then principal from the last instalment on. ``spread``: principal, payments are levelled again.
    """

    on: date
    amount: Decimal
    order: RefundOrder


class RateChange(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From this day's interest on, ``rate`` (a fraction a year) holds, and payments are levelled again."""

    on: date
    rate: Decimal


class Draw(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """More money is lent; it bears interest from the next day, and payments are levelled again."""

    on: date
    amount: Decimal


class Charge(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A fee that is due on its day."""

    on: date
    amount: Decimal


class ChargeOff(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All that is owed is written off; a contract may do so by itself after days past due. Nothing, where it ended."""

    on: date


class Recovery(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Money that comes after the charge-off."""

    on: date
    amount: Decimal


Event = Payment | Payoff | Refund | RateChange | Draw | Charge | ChargeOff | Recovery
SAME_DAY = ("due", "Payment", "Payoff", "Refund", "Draw", "Charge", "late_fee", "ChargeOff", "charge_off", "Recovery",
            "RateChange")  # fmt: skip
"""The order of what happens on one day; events of one kind keep the order in which they are given.

``due`` bills an instalment, ``late_fee`` and ``charge_off`` are the contract's own rules. A change of rate comes at the
end of the day before its own.
"""
