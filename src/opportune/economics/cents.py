"""Rounding to cents, of exact numbers and of arrays by the same named rule."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import msgspec
import numpy as np

Rounding = Literal["half_up", "half_even", "up"]
LastPayment = Literal["payment_closes", "interest_closes"]
NOISE = 1e-13
"""What a float64 may be off, relatively, after a few operations: a half cent within it is taken for a half cent."""


class CentRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a schedule is rounded to ``cents`` decimal places, and what makes its last balance zero.

    ``payment_closes``: the last payment is what is left. ``interest_closes``: all payments are equal, and the last
    interest takes the cents.
    """

    payment_rounding: Rounding = "half_up"
    interest_rounding: Rounding = "half_up"
    last_payment: LastPayment = "payment_closes"
    cents: int = 2


def to_cents(exact: Fraction, rounding: Rounding, places: int) -> Decimal:
    """Return an exact amount rounded to so many decimal places; no binary fraction comes between."""
    scaled = exact * 10**places
    whole = {"half_up": floor(scaled + Fraction(1, 2)), "half_even": round(scaled), "up": ceil(scaled)}[rounding]
    return Decimal(whole).scaleb(-places)


def is_cents(amount: Decimal, places: int) -> bool:
    """Whether an amount is a whole number of the smallest unit."""
    return amount.is_finite() and amount == amount.quantize(Decimal(1).scaleb(-places))


def array_to_cents(amount: np.ndarray, rounding: Rounding, places: int) -> np.ndarray:
    """Return amounts, zero or more, in any shape, rounded to so many decimal places.

    Exact halves are halves here too, although float64 may hold them a little above or below.
    """
    scaled = amount * 10.0**places
    noise = NOISE * (1.0 + scaled)
    if rounding == "up":
        return np.asarray(np.ceil(scaled - noise) / 10.0**places)
    whole = np.floor(scaled + 0.5 + noise)
    if rounding == "half_even":
        tie = np.abs(scaled + 0.5 - whole) <= noise
        whole = np.where(tie & (whole % 2.0 == 1.0), whole - 1.0, whole)
    return np.asarray(whole / 10.0**places)
