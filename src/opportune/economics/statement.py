"""Statements: accounts by month, quarter or fiscal year, in the lines of revenue less transaction costs."""

from typing import Literal

import msgspec
import numpy as np

from opportune.economics.accounts import Accounts
from opportune.economics.postings import COSTS, INCOME

Every = Literal["month", "quarter", "year"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` (L, T) money by name: income and costs, both positive, then the three totals. ``periods`` (T,) the last
    month of each period in the calendar, where the books begin or end within it too; delinquency at each period's end,
    or where the books end before it, with what it leaves out.
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
    first = year_ends % length  # months since January 1970 at which some period begins
    period, place = np.unique((of.months.astype(np.int64) - first) // length, return_inverse=True)
    last = np.flatnonzero(np.append(np.diff(place), 1)) if len(place) else place
    rows = [np.bincount(place, sign * of.postings[name]) for name, sign in _signs()]
    revenue, costs = (np.sum(rows[a:b], axis=0) for a, b in ((0, len(INCOME)), (len(INCOME), len(rows))))
    return Statement(
        periods=((period + 1) * length + first - 1).astype("datetime64[M]"),
        names=(*INCOME, *COSTS, *TOTALS),
        lines=np.array([*rows, revenue, costs, revenue - costs]),
        dq30=of.dq30()[last],
        exclusions=of.exclusions,
        currency=of.currency,
    )


def _signs() -> list[tuple[str, float]]:
    """Return the accounts of the statement; income stands on the credit side."""
    return [(name, -1.0) for name in INCOME] + [(name, 1.0) for name in COSTS]
