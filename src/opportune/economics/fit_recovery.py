"""Fitted recoveries: how much of the balance at default comes back, and when.

Timing is the book's, the amount the segment's. With b the balance at default and y the recoveries of a loan:

- share of month r = sum of y in month r over sum of b, both of the loans that were observed so long after charge-off;
- timing F = shares over their sum. Where only totals are known, the timing is not in the data and must be stated;
- used-up balance u = b x (share of F within what was observed), the Cape Cod method (Bühlmann and Straub 1983): a
  loan charged off yesterday does not say that nothing comes back;
- a segment's total = sum y / sum u, shrunk to its parent's by credibility (`numerics.credibility`).
"""

import math

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.book import Book
from opportune.economics.segments import prefix_groups, segment_name
from opportune.numerics.credibility import group_ratios, ratio_of_sums

SHOWN = 20
"""Segments that are told of at once."""


class Recoveries(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the balance at default that are recovered.

    ``share`` (S, R) by month after charge-off; ``total`` (S,) with standard ``deviation`` and an interval at ``level``;
    ``defaults`` behind it (S,); ``timing`` (R,), which sums to one, and whether it was stated or fitted.
    """

    share: np.ndarray
    total: np.ndarray
    deviation: np.ndarray
    low: np.ndarray
    high: np.ndarray
    defaults: np.ndarray
    timing: np.ndarray
    timing_stated: bool
    level: float


def fit_recovery(book: Book, *, charge_off_lag: int, timing: np.ndarray | None, level: float = 0.95) -> Recoveries:
    """Return recoveries per segment of the book. ``timing`` (R,) is stated, or None: fitted from months.

    BadInput: OP434 when a segment recovers more than its balance at default; OP436 when a month is not known and no
    timing is stated, or the timing does not sum to one; OP437 when no default was seen as far as its charge-off.
    """
    findings = _timing_findings(book, timing)
    if findings:
        raise BadInput(findings)
    after = np.where(book.defaulted, book.observed - book.ended - charge_off_lag, -1)
    shape = _fitted_timing(book, after, charge_off_lag) if timing is None else np.asarray(timing, dtype=np.float64)
    used = book.balance * _developed(shape, after)
    if not used.sum() > 0.0:
        raise BadInput([_no_default()])
    received = np.bincount(book.recovery_loan, book.recovery_amount, len(book.term))
    total, variance = _totals(book, np.where(used > 0.0, received, 0.0), used)
    findings = [_too_much(segment_name(book.keys[k]), total[k]) for k in np.flatnonzero(total > 1.0)[:SHOWN]]
    if findings:
        raise BadInput(findings)
    return _recoveries(book, total, np.sqrt(variance), shape, timing is not None, level)


def _recoveries(
    book: Book, total: np.ndarray, deviation: np.ndarray, shape: np.ndarray, stated: bool, level: float
) -> Recoveries:
    half = _normal_quantile(level) * deviation
    return Recoveries(
        share=total[:, None] * shape,
        total=total,
        deviation=deviation,
        low=total - half,
        high=total + half,
        defaults=np.bincount(book.segment, book.defaulted, len(book.keys)).astype(np.int64),
        timing=shape,
        timing_stated=stated,
        level=level,
    )


def _developed(shape: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the share of all recoveries that comes within the months ``after`` charge-off that were seen (n,)."""
    return np.asarray(np.concatenate([[0.0], np.cumsum(shape)])[np.clip(after + 1, 0, len(shape))])


def _fitted_timing(book: Book, after: np.ndarray, lag: int) -> np.ndarray:
    """Return when recoveries come (R,): month by month over balances observed so long. Nothing came: at once."""
    seen = after >= 0
    counted = seen[
        book.recovery_loan
    ]  # as the balances below: loans that were not seen to their charge-off tell nothing
    # What comes between the first missed payment and charge-off counts as coming at charge-off.
    since = (book.recovery_month - book.ended[book.recovery_loan] - lag)[counted]
    months = np.maximum(since, 0.0).astype(np.int64)
    horizon = int(months.max(initial=0)) + 1
    received = np.bincount(months, book.recovery_amount[counted], horizon)
    at = np.bincount(np.minimum(after[seen], horizon - 1), book.balance[seen], horizon)
    observed = np.cumsum(at[::-1])[::-1]
    share = np.where(observed > 0.0, received / np.where(observed > 0.0, observed, 1.0), 0.0)
    return np.asarray(share / share.sum()) if share.sum() > 0.0 else np.eye(1, horizon)[0]


def _totals(book: Book, received: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share recovered of each segment and its variance (S,), from the book down the tree of ``by``."""
    whole, variance = ratio_of_sums(received, used)
    found, spread, above = np.array([whole]), np.array([variance]), np.zeros(len(book.keys), dtype=np.intp)
    for depth in range(1, len(book.by) + 1):
        first, group = prefix_groups(book.keys, depth)
        found, spread = group_ratios(received, used, group[book.segment], above[first], found, spread)
        above = group
    return found, spread


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2.0))


def _timing_findings(book: Book, timing: np.ndarray | None) -> list[Finding]:
    if timing is None:
        unknown = int(np.isnan(book.recovery_month).sum())
        message = f"is not known for {unknown:,} recoveries: expected months, or a stated timing"
        return [_timing_finding("month of recoveries", message)] if unknown else []
    total = float(np.sum(timing))
    if np.all(np.asarray(timing) >= 0.0) and math.isclose(total, 1.0, abs_tol=1e-9):
        return []
    return [_timing_finding("recovery_timing", f"sums to {total:g}: expected shares that sum to 1, none below 0")]


def _timing_finding(subject: str, message: str) -> Finding:
    step = "state recovery_timing: shares by month after charge-off that sum to 1"
    return Finding(code="OP436", source="payments", subject=subject, message=message, next_step=step)


def _too_much(segment: str, total: float) -> Finding:
    return Finding(
        code="OP434", source="payments", subject=f"recoveries of segment {segment}",
        message=f"are {total:.0%} of its balances at default: expected at most all of them, net of costs",
        next_step="compare the amounts of default and recovery: the one is a balance, both are in one unit of money",
    )  # fmt: skip


def _no_default() -> Finding:
    return Finding(
        code="OP437", source="payments", subject="defaults",
        message="are none that were observed until charge-off: expected some, to tell what is recovered",
        next_step="add older loans, or shorten charge_off_lag if loans are charged off sooner",
    )  # fmt: skip
