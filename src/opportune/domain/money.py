"""Money: an amount with its currency. Arrays carry one currency in their schema instead."""

from decimal import Decimal

import msgspec


class Money(msgspec.Struct, frozen=True, order=True):
    """An exact amount in major units of one ISO 4217 currency. Adding two currencies is an error."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not (len(self.currency) == 3 and self.currency.isalpha() and self.currency.isupper()):
            raise ValueError(f"currency {self.currency!r}: expected three capital letters of ISO 4217, such as ZAR")
        if not self.amount.is_finite():
            raise ValueError(f"amount {self.amount}: expected a finite number")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._amount_of(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._amount_of(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def _amount_of(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}: convert one of them first")
        return other.amount
