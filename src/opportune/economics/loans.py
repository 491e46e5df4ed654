"""Loans as arrays: what is known of each at origination, one row per loan or per (opportunity, offer)."""

from typing import Any

import msgspec
import numpy as np


class Loans(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays of loans in one currency, all of one shape: (n,), or (n, K) for K offers of n opportunities.

    Interest is 30/360 by construction: that of a period is rate / per_year, whatever days it has. Calendars and other
    day counts are those of schedules of contracts (`Terms`).

    ``principal``: amount financed, money. ``rate``: nominal fraction a year. ``payments`` after any down payment,
    ``per_year`` of them a year. ``first_period``: length of the first period in periods (1: like the others), so that
    payment t falls due (first_period + t - 1) 12 / per_year months after origination. ``flat``: 1 where interest is
    flat on the first principal, 0 where it is on the balance. ``segment``: place in the curves. ``risk``: multiple of
    the segment's default hazards (1: as the curves say). ``gmv``: value of the goods. ``mdr`` and ``interchange``:
    fractions of gmv. ``incentive``: money the lender gives. ``market_rate``: yearly rate at which such loans are worth
    their principal; above ``rate`` the loan is bought above its value. ``sold``: share sold at origination, at
    ``sale_price`` per unit of principal. ``refunded``: share of the goods that go back before the first payment.
    """

    loan_id: np.ndarray
    principal: np.ndarray
    rate: np.ndarray
    payments: np.ndarray
    per_year: np.ndarray
    first_period: np.ndarray
    flat: np.ndarray
    segment: np.ndarray
    risk: np.ndarray
    gmv: np.ndarray
    mdr: np.ndarray
    interchange: np.ndarray
    incentive: np.ndarray
    market_rate: np.ndarray
    sold: np.ndarray
    sale_price: np.ndarray
    refunded: np.ndarray
    currency: str

    def __len__(self) -> int:
        return len(self.loan_id)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of every array, (n,) or (n, K)."""
        return self.principal.shape

    def take(self, rows: Any) -> "Loans":
        """Return the loans of the given rows (indices, mask or slice)."""
        return Loans(**{name: getattr(self, name)[rows] for name in ARRAYS}, currency=self.currency)

    def in_one_row(self) -> "Loans":
        """Return the same loans with arrays of one axis (n K,), opportunity by opportunity."""
        return Loans(**{name: np.ravel(getattr(self, name)) for name in ARRAYS}, currency=self.currency)


ARRAYS = tuple(name for name in Loans.__struct_fields__ if name != "currency")
TERMS = tuple(name for name in ARRAYS if name not in ("loan_id", "segment"))
"""The columns of a file of loans besides the id, the segment and the currency; each may be a constant instead."""


def last_payment_month(loans: Loans) -> np.ndarray:
    """Return the month of age, from 1, in which each loan's last payment falls due; as float64, the loans' shape."""
    return last_due_month(loans.first_period, loans.payments, loans.per_year)


def last_due_month(first_period: np.ndarray, payments: np.ndarray, per_year: np.ndarray) -> np.ndarray:
    """Return ceil((first_period + payments - 1) 12 / per_year), at least 1."""
    return np.asarray(np.maximum(np.ceil((first_period + payments - 1.0) * 12.0 / per_year - 1e-9), 1.0))
