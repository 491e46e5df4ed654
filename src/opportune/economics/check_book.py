"""Checks of a book: every row belongs to a loan, lies within what was observed, and no loan ends twice."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import Finding

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("payment", "prepayment", "default", "recovery")
WHOLE = "expected a whole number of months"
MOST = 2.0
"""Interest and fees come back too, so that a loan may recover more than its balance, but hardly as much again."""


class BookRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows as given, float64, NaN where a value is null or unknown.

    Of n loans: ``loan_id``, ``place`` of the first row with that id, ``term`` and ``observed`` months. Of m payments:
    ``paid_by`` (a loan_id), ``row`` of that loan, ``kind`` as place in KINDS, ``month`` of age and ``amount``.
    """

    loan_id: Any
    place: np.ndarray
    term: np.ndarray
    observed: np.ndarray
    paid_by: Any
    row: np.ndarray
    kind: np.ndarray
    month: np.ndarray
    amount: np.ndarray

    def of(self, kind: str) -> np.ndarray:
        """Return which payments are of a kind and of a loan of the book (m,)."""
        return np.asarray((self.kind == KINDS.index(kind)) & ~np.isnan(self.row))

    def of_loan(self, values: np.ndarray) -> np.ndarray:
        """Return the loans' values (n,) at each payment (m,); NaN for payments of no loan."""
        padded = np.append(values, np.nan)
        return np.asarray(padded[np.where(np.isnan(self.row), len(values), self.row).astype(np.intp)])

    def count(self, which: np.ndarray) -> np.ndarray:
        """Return at each payment (m,) how many of the given payments its loan has; 0 for payments of no loan."""
        counts = np.bincount(self.row[which].astype(np.intp), minlength=len(self.term)).astype(np.float64)
        return np.asarray(np.nan_to_num(self.of_loan(counts)))

    def at_default(self, values: np.ndarray) -> np.ndarray:
        """Return at each payment (m,) the value that stands in the row of its loan's default; NaN without one."""
        defaults = self.of("default")
        of_loans = np.full(len(self.term), np.nan)
        of_loans[self.row[defaults].astype(np.intp)] = values[defaults]
        return self.of_loan(of_loans)

    def recovered(self) -> np.ndarray:
        """Return at each payment (m,) all that its loan recovers."""
        rows = self.of("recovery")
        return self.of_loan(np.bincount(self.row[rows].astype(np.intp), self.amount[rows], len(self.term)))


def check_columns(source: str, table: "pa.Table", wanted: Sequence[str], filled: Sequence[str]) -> list[Finding]:
    """Return findings about columns that are missing, and about nulls in columns that must be filled."""
    missing = [name for name in wanted if name not in table.column_names]
    empty = [name for name in filled if name not in missing and table[name].null_count]
    has = ", ".join(table.column_names)
    told = [(name, f"is missing: expected it beside {has}", "add it, or correct its name") for name in missing]
    told += [(name, f"is null in {table[name].null_count:,} rows: expected a value", FILL) for name in empty]
    return [_column(source, *each) for each in told]


FILL = "fill it from where the facts are, or leave these loans out and say so"


def check_rows(rows: BookRows) -> list[Finding]:
    """Return findings about rows, one for each way of being wrong, with the first row and how many there are."""
    if not len(rows.term):
        return [_column("loans", "loan_id", "has no rows: expected at least one loan", "look at the query")]
    return [*_loans(rows), *_links(rows), *_months(rows), *_amounts(rows), *_ends(rows)]


def _whole(months: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(months) & (months == np.floor(months)))


def _loans(rows: BookRows) -> Iterator[Finding]:
    told = _Told("loans", rows.loan_id)
    yield from told("loan_id", rows.place != np.arange(len(rows.term)), "stands twice: expected one row per loan")
    yield from told("term_months", ~(rows.term >= 1), "expected one month or more", rows.term)
    yield from told("term_months", (rows.term >= 1) & ~_whole(rows.term), WHOLE, rows.term)
    yield from told("observed_months", ~(rows.observed >= 0), "expected zero or more", rows.observed)
    yield from told("observed_months", (rows.observed >= 0) & ~_whole(rows.observed), WHOLE, rows.observed)


def _links(rows: BookRows) -> Iterator[Finding]:
    told = _Told("payments", rows.paid_by)
    yield from told("loan_id", np.isnan(rows.row), "is no loan of the book: expected a loan_id of loans")
    yield from told("kind", np.isnan(rows.kind), f"is another word: expected one of {', '.join(KINDS)}")


def _months(rows: BookRows) -> Iterator[Finding]:
    told = _Told("payments", rows.paid_by)
    term, observed = rows.of_loan(rows.term), rows.of_loan(rows.observed)
    unknown = np.isnan(rows.month)
    yield from told("month", unknown & ~rows.of("recovery"), "is null: only a recovery's month may be unknown")
    yield from told("month", rows.month < 1, "expected months of age from 1", rows.month)
    yield from told("month", (rows.month >= 1) & ~_whole(rows.month), WHOLE, rows.month)
    yield from told("month", rows.month > observed, "expected a month that was observed", rows.month)
    early = rows.of("prepayment") & (rows.month >= term)
    yield from told("month", early, "expected a prepayment before the last month", rows.month)
    late = rows.of("default") & (rows.month > term)
    yield from told("month", late, "expected a default within the term", rows.month)
    before = rows.of("recovery") & (rows.month < rows.at_default(rows.month))
    yield from told("month", before, "expected a recovery in the month of the loan's default or later", rows.month)


def _amounts(rows: BookRows) -> Iterator[Finding]:
    told = _Told("payments", rows.paid_by)
    without = rows.of("default") & ~((rows.amount > 0.0) & np.isfinite(rows.amount))
    yield from told("amount", without, "expected the balance at default, above zero", rows.amount)
    odd = rows.of("recovery") & ~np.isfinite(rows.amount)
    yield from told("amount", odd, "expected money, net of the cost of collection", rows.amount)
    back, balance = rows.recovered(), rows.at_default(rows.amount)
    above = rows.of("recovery") & (back > MOST * balance)
    words = f"expected recoveries of a loan of at most {MOST:g} times its balance at default"
    yield from told("amount", above, words, back)


def _ends(rows: BookRows) -> Iterator[Finding]:
    told = _Told("payments", rows.paid_by)
    closes = rows.of("prepayment") | rows.of("default")
    yield from told("kind", closes & (rows.count(closes) > 1), "ends the loan twice: expected one end")
    none = rows.of("recovery") & (rows.count(rows.of("default")) == 0)
    yield from told("kind", none, "is recovery of a loan without default: expected its default")


class _Told(msgspec.Struct, frozen=True):
    """Makes one finding of all rows that are wrong in the same way."""

    source: str
    loan_ids: Any

    def __call__(
        self, column: str, wrong: np.ndarray, words: str, values: np.ndarray | None = None
    ) -> Iterator[Finding]:
        rows = np.flatnonzero(wrong)
        if len(rows):
            given = "" if values is None else f"is {values[rows[0]]:g}: "
            more = f" ({len(rows):,} rows are so)" if len(rows) > 1 else ""
            loan = self.loan_ids[int(rows[0])].as_py()
            yield Finding(
                code="OP434", source=self.source, subject=f"{column} of loan {loan}", message=f"{given}{words}{more}",
                next_step="correct the rows, or leave these loans out and say so",
            )  # fmt: skip


def _column(source: str, name: str, message: str, step: str) -> Finding:
    return Finding(code="OP435", source=source, subject=name, message=message, next_step=step)
