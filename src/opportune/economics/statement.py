"""Statements: accounts by month, quarter or fiscal year, in the lines of revenue less transaction costs."""

from typing import Literal

import msgspec
import numpy as np

from opportune.economics.accounts import Accounts
from opportune.economics.postings import COSTS, INCOME

Every = Literal["month", "quarter", "year"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` (L, T) money by name: income and costs, both positive, then the three totals. ``periods`` (T,) their
    last months; ``gmv`` (T,) or None; delinquency at each period's end with what it leaves out.
    """

    periods: np.ndarray
    names: tuple[str, ...]
    lines: np.ndarray
    dq30: np.ndarray
    exclusions: tuple[str, ...]
    currency: str

    def line(self, name: str) -> np.ndarray:
        """Return one line (T,)."""
        return np.asarray(self.lines[self.names.index(name)])

    def share_of(self, gmv: np.ndarray) -> np.ndarray:
        """Return every line as a fraction of the value of goods (L, T)."""
        return np.asarray(self.lines / gmv)


TOTALS = ("total revenue", "total transaction costs", "rltc")


def statement(of: Accounts, *, every: Every, year_ends: int = 12) -> Statement:
    """Return the statement of accounts; fiscal quarters and years end with the month ``year_ends`` (1 to 12)."""
    length = MONTHS[every]
    number = of.months.astype(np.int64)  # months since January 1970
    period = (number - year_ends % 12) // length if length > 1 else number
    _, place = np.unique(period, return_inverse=True)
    last = np.flatnonzero(np.append(np.diff(place), 1)) if len(place) else place
    rows = [np.bincount(place, sign * of.postings[name]) for name, sign in _signs()]
    revenue, costs = (np.sum(rows[a:b], axis=0) for a, b in ((0, len(INCOME)), (len(INCOME), len(rows))))
    return Statement(
        periods=of.months[last],
        names=(*INCOME, *COSTS, *TOTALS),
        lines=np.array([*rows, revenue, costs, revenue - costs]),
        dq30=of.dq30()[last],
        exclusions=of.exclusions,
        currency=of.currency,
    )


def _signs() -> list[tuple[str, float]]:
    """Return the accounts of the statement; income stands on the credit side."""
    return [(name, -1.0) for name in INCOME] + [(name, 1.0) for name in COSTS]
