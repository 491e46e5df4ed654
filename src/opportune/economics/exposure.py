"""Exposure: how many loans of a segment were open at the start of each month, and how many ended in it."""

from typing import Any

import msgspec
import numpy as np

from opportune.domain import Finding
from opportune.economics.book import Book, read_book
from opportune.economics.segments import segment_name


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Counts (S, T) per segment and month of age: ``at_risk`` at its start, ``defaults`` and ``prepayments`` in it.

    ``keys`` (S, L) are the segments' values of the L columns ``by``; the columns before the last one make the parent.
    """

    by: tuple[str, ...]
    keys: np.ndarray
    at_risk: np.ndarray
    defaults: np.ndarray
    prepayments: np.ndarray

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments (S,)."""
        return tuple(segment_name(key) for key in self.keys)


def count_exposure(loans: Any, payments: Any, *, by: tuple[str, ...]) -> Exposure:
    """Return the exposure of two tables as `book` describes them, months up to the longest term. BadInput."""
    return exposure_of(read_book(loans, payments, by))


def exposure_of(book: Book) -> Exposure:
    """Return the counts of a book; a loan is at risk up to its end, its term or the last month observed.

    The estimator d / n of such counts is that of Kaplan and Meier (1958): a loan still open counts in the months that
    were seen, and says nothing about later ones.
    """
    last = np.minimum(book.observed, book.term)
    leaves = np.where(book.ended > 0, book.ended, last)
    closed = book.ended > 0
    months = int(book.term.max(initial=0))
    return Exposure(
        by=book.by,
        keys=book.keys,
        at_risk=_from_the_end(_counts(book, leaves, leaves > 0, months)),
        defaults=_counts(book, leaves, closed & book.defaulted, months),
        prepayments=_counts(book, leaves, closed & ~book.defaulted, months),
    )


def _counts(book: Book, month: np.ndarray, which: np.ndarray, months: int) -> np.ndarray:
    cell = book.segment[which] * months + month[which] - 1
    return np.bincount(cell, minlength=len(book.keys) * months).reshape(len(book.keys), months)


def _from_the_end(leaving: np.ndarray) -> np.ndarray:
    """Return how many leave in a month or later."""
    return np.asarray(np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1])


def check_exposure(exposure: Exposure) -> list[Finding]:
    """Return findings (OP434) about months in which more loans ended than were open, or fewer than none."""
    ended = exposure.defaults + exposure.prepayments
    wrong = (ended > exposure.at_risk) | (exposure.defaults < 0) | (exposure.prepayments < 0)
    names = exposure.segments
    return [_too_many(names[row], int(month), exposure.at_risk[row, month]) for row, month in np.argwhere(wrong)[:20]]


def _too_many(segment: str, month: int, at_risk: int) -> Finding:
    return Finding(
        code="OP434", source="exposure", subject=f"{segment}, month {month + 1}",
        message=f"has {at_risk:,} loans at risk: expected no more ends than that, and none below zero",
        next_step="count each loan at risk in every month up to its end, the last one included",
    )  # fmt: skip
