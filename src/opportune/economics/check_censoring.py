"""Check of censoring: whether a book learns of defaults at charge-off, and counts loans as open until then."""

import numpy as np

from opportune.domain import Finding
from opportune.economics.book import Book

ENOUGH = 20.0
"""So many defaults expected and none seen is no chance: exp(-20) is 2e-9."""


def check_censoring(book: Book, charge_off_lag: int) -> list[Finding]:
    """Return a finding (OP439) where no default lies within the last months observed, and many would be expected.

    A default is a payment missed that was never caught up, and who only knows it at charge-off knows it
    ``charge_off_lag`` months later. Loans that have defaulted by then would count as good ones in these months. What is
    expected takes each month's hazard from loans that were observed for longer.
    """
    known = np.maximum(book.observed - charge_off_lag, 0)
    leaves = np.where(book.ended > 0, book.ended, np.minimum(book.observed, book.term))
    late = book.defaulted & (book.ended > known)
    if late.any() or not charge_off_lag:
        return []
    early = _at_risk(np.minimum(leaves, known), book)
    last = _at_risk(leaves, book) - early
    defaults = np.bincount(book.ended[book.defaulted], minlength=len(early) + 1)[1:]
    expected = float(np.sum(last * defaults / np.maximum(early, 1.0)))
    return [_finding(charge_off_lag, expected)] if expected >= ENOUGH else []


def _at_risk(until: np.ndarray, book: Book) -> np.ndarray:
    """Return how many loans were at risk in each month (T,), each one up to a month of its own."""
    ends = np.bincount(until, minlength=int(book.term.max(initial=0)) + 1)
    return np.asarray(np.cumsum(ends[::-1])[::-1][1:], dtype=np.float64)


def _finding(lag: int, expected: float) -> Finding:
    return Finding(
        code="OP439", source="loans", subject="observed_months",
        message=f"goes on for the {lag} months before charge-off with no default in them, where about {expected:,.0f} "
        "would be: expected months in which a default would be known",
        next_step=f"give the months of age less {lag} where defaults are known at charge-off only",
    )  # fmt: skip
