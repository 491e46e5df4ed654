"""Checks of loans, made by hand or read from a file: values that cannot be, and values that make one ask."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np

from opportune.domain import Finding, Severity
from opportune.economics.curves import Curves
from opportune.economics.loans import ARRAYS, Loans, last_due_month

SOURCE = "loans"
SHOWN = 20
"""Findings of one kind that are told row by row; the rest are counted."""
MEND = "correct the row; the others are valued without it"


class Wrong(msgspec.Struct, frozen=True):
    """Marks wrong rows (n,) and tells of them: each of the first rows, then how many there are."""

    rows: np.ndarray
    ids: np.ndarray

    def tell(
        self, code: str, name: str, bad: np.ndarray, words: Callable[[int], str], step: str = MEND,
        severity: Severity = "error",
    ) -> Iterator[Finding]:  # fmt: skip
        """Yield the findings of the rows ``bad`` (n,), and mark them unless they are only asked about."""
        if severity == "error":
            self.rows[:] |= bad
        found = np.flatnonzero(bad)
        for row in found[:SHOWN]:
            subject = f"row {row + 1} ({self.ids[row]}), {name}"
            yield _finding(code, subject, words(int(row)), step, severity)
        if len(found) > SHOWN:
            message = f"is so in {len(found):,} rows: the first {SHOWN} are told"
            yield _finding(code, name, message, step, severity)


Rule = tuple[str, Callable[[np.ndarray], np.ndarray], str]
RULES: tuple[Rule, ...] = (
    ("principal", lambda x: x > 0, "an amount above zero"),
    ("rate", lambda x: x >= 0, "a fraction a year, zero or more"),
    ("payments", lambda x: (x >= 1) & (x == np.floor(x)), "a whole number of payments, one or more"),
    ("per_year", lambda x: (x >= 1) & (x <= 366), "payments a year, from 1 to 366"),
    ("first_period", lambda x: x > 0, "periods, above zero"),
    ("flat", lambda x: (x == 0) | (x == 1), "0 or 1"),
    ("risk", lambda x: x >= 0, "a multiple of the default hazards, zero or more"),
    ("gmv", lambda x: x >= 0, "money, zero or more"),
    ("mdr", lambda x: (x >= 0) & (x < 1), "a fraction below 1"),
    ("interchange", lambda x: (x >= 0) & (x < 1), "a fraction below 1"),
    ("incentive", lambda x: x >= 0, "money, zero or more"),
    ("market_rate", lambda x: x >= 0, "a fraction a year, zero or more"),
    ("sold", lambda x: (x >= 0) & (x <= 1), "a share from 0 to 1"),
    ("sale_price", lambda x: x >= 0, "a price per unit of principal, zero or more"),
    ("refunded", lambda x: (x >= 0) & (x <= 1), "a share from 0 to 1"),
)  # fmt: skip


def check_loans(loans: Loans, curves: Curves) -> list[Finding]:
    """Return findings about arrays that do not fit (OP450), values that cannot be (OP451), loans longer than the curves
    (OP455), and rates above 1 (OP470), which are questions: a warning each. Subjects name row and column.
    """
    shapes = list(_shapes(loans))
    if shapes:
        return shapes
    columns = {name: np.ravel(getattr(loans, name)) for name in ARRAYS}
    wrong = Wrong(np.zeros(loans.principal.size, dtype=bool), _labels(loans))
    return list(check_values(columns, curves, wrong, {}))


def check_values(
    columns: Mapping[str, np.ndarray], curves: Curves, wrong: Wrong, unread: Mapping[str, Mapping[int, str]]
) -> Iterator[Finding]:
    """Yield a finding per wrong value of columns (n,), and mark the rows. ``unread`` holds the text of each cell, by
    column and row, that is no number (its value is NaN).
    """
    whole = ("segment", lambda x: (x >= 0) & (x < len(curves.segments)) & (x == np.floor(x)), _known(curves))
    for name, holds, words in (*RULES, whole):
        values, texts = np.asarray(columns[name], dtype=np.float64), unread.get(name, {})
        bad = ~(np.isfinite(values) & holds(np.nan_to_num(values, nan=-1.0)))
        if bad.any():
            yield from wrong.tell("OP451", name, bad, _told(values, texts, words))
    yield from _beyond(columns, curves, wrong)
    for name in ("rate", "market_rate"):
        values = columns[name]
        high = (values > 1.0) & ~wrong.rows
        if high.any():
            yield from wrong.tell("OP470", name, high, _asked(values), ASKED, "warning")


def _known(curves: Curves) -> str:
    return f"a segment that the curves have ({len(curves.segments)}, from 0)"


def _told(values: np.ndarray, texts: Mapping[int, str], words: str) -> Callable[[int], str]:
    def told(row: int) -> str:
        if row in texts:
            return f"is {texts[row]!r}: expected {words}"
        given = "not known" if np.isnan(values[row]) else f"{values[row]:g}"
        return f"is {given}: expected {words}"

    return told


ASKED = "write per cent as a fraction, 10 % as 0.1; leave it if the loan does cost so much"


def _asked(values: np.ndarray) -> Callable[[int], str]:
    return lambda row: f"is {values[row]:g}, {100 * values[row]:,.0f} % a year. Did you mean {values[row] / 100:g}?"


def _beyond(columns: Mapping[str, np.ndarray], curves: Curves, wrong: Wrong) -> Iterator[Finding]:
    """Yield a finding for each loan that runs longer than the curves reach."""
    covered = curves.default.shape[1]
    with np.errstate(all="ignore"):  # rows that are wrong already may be anything
        last = last_due_month(columns["first_period"], columns["payments"], columns["per_year"])
    far = (last > covered) & ~wrong.rows
    if far.any():
        step = "fit the curves on loans of that age; the others are valued without it"
        words = f"expected at most {covered}, which the curves cover"
        yield from wrong.tell(
            "OP455", "payments", far, lambda row: f"has its last payment in month {last[row]:.0f}: {words}", step
        )


def _labels(loans: Loans) -> np.ndarray:
    """Return what names each loan in a message: its id, with its offer where there are several."""
    if len(loans.shape) == 1:
        return loans.loan_id
    offer = np.tile(np.arange(1, loans.shape[1] + 1), loans.shape[0])
    labels = [f"{each}, offer {number}" for each, number in zip(np.ravel(loans.loan_id), offer, strict=True)]
    return np.array(labels, dtype=object)


def _shapes(loans: Loans) -> Iterator[Finding]:
    for name in ARRAYS:
        given = np.shape(getattr(loans, name))
        if given != loans.shape:
            step = "give one array per column, all of one shape"
            yield _finding("OP450", name, f"has shape {given}: expected that of principal, {loans.shape}", step)


def _finding(code: str, subject: str, message: str, step: str, severity: Severity = "error") -> Finding:
    return Finding(code=code, source=SOURCE, subject=subject, message=message, next_step=step, severity=severity)
