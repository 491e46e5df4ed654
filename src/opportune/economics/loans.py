"""Loans as arrays: what is known of each at origination, one row per loan or per (opportunity, offer)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from opportune.domain import Finding

SOURCE = "loans"
SHOWN = 20
"""Findings of one kind that are told; more would say nothing new."""


class Loans(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays (n,) of loans in one currency.

    ``principal``: amount financed, money. ``rate``: nominal fraction a year. ``payments`` after any down payment,
    ``per_year`` of them a year. ``first_period``: length of the first period in periods (1: like the others).
    ``flat``: 1 where interest is flat on the first principal, 0 where it is on the balance. ``segment``: place in the
    curves. ``gmv``: value of the goods. ``mdr`` and ``interchange``: fractions of gmv. ``incentive``: money the lender
    gives. ``market_rate``: yearly rate at which such loans are worth their principal; above ``rate`` the loan is
    bought above its value. ``sold``: share sold at origination, at ``sale_price`` per unit of principal. ``refunded``:
    share of the goods that go back before the first payment.
    """

    loan_id: np.ndarray
    principal: np.ndarray
    rate: np.ndarray
    payments: np.ndarray
    per_year: np.ndarray
    first_period: np.ndarray
    flat: np.ndarray
    segment: np.ndarray
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

    def take(self, rows: Any) -> "Loans":
        """Return the loans of the given rows (indices, mask or slice)."""
        return Loans(**{name: getattr(self, name)[rows] for name in ARRAYS}, currency=self.currency)


ARRAYS = tuple(name for name in Loans.__struct_fields__ if name != "currency")
TERMS = tuple(name for name in ARRAYS if name not in ("loan_id", "segment"))
"""The columns of a file of loans besides the id, the segment and the currency; each may be a constant instead."""


class LoansRead(msgspec.Struct, frozen=True, kw_only=True):
    """The good rows of a file with their place in it (n,), and what is wrong with the others."""

    loans: Loans
    rows: np.ndarray
    findings: tuple[Finding, ...]


def read_loans(
    table: Any, segments: Sequence[str], *, by: Sequence[str], constants: Mapping[str, float], currency: str
) -> LoansRead:
    """Return the loans of a table (anything that pyarrow takes): its good rows, and findings about the others.

    ``constants`` gives each term that is no column; a term that is neither is a finding (OP450), so nothing is assumed
    unseen. ``by`` names the columns whose values, joined with ``/``, are a segment of ``segments``. A column
    ``currency`` must hold ``currency`` throughout (OP452). Rows that cannot be (OP451, OP453) are left out, and told.
    """
    import pyarrow as pa

    table = pa.table(table)
    missing = list(_missing(table.column_names, by, constants))
    if missing:
        return LoansRead(loans=_empty(currency), rows=np.zeros(0, dtype=np.int64), findings=tuple(missing))
    columns = {name: _column(table, name, constants) for name in TERMS}
    columns["segment"] = _segments(table, segments, by)
    ids = np.array(table["loan_id"].cast("string").to_pylist(), dtype=object)
    wrong = np.zeros(table.num_rows, dtype=bool)
    findings = [*_row_findings(columns, ids, wrong), *_currency_findings(table, currency, ids, wrong)]
    good = np.flatnonzero(~wrong)
    arrays = {name: column[good] for name, column in columns.items()}
    arrays["segment"] = arrays["segment"].astype(np.int64)
    return LoansRead(loans=Loans(loan_id=ids[good], **arrays, currency=currency), rows=good, findings=tuple(findings))


def _missing(given: Sequence[str], by: Sequence[str], constants: Mapping[str, float]) -> Iterator[Finding]:
    for name in ("loan_id", *by):
        if name not in given:
            yield _finding("OP450", name, f"is missing: expected a column beside {', '.join(given)}", "add the column")
    for name in TERMS:
        if name not in given and name not in constants:
            message = "is neither a column of the loans nor a constant of the assumptions: nothing is assumed unseen"
            yield _finding("OP450", name, message, f"add the column, or write {name} under [terms]")


def _column(table: Any, name: str, constants: Mapping[str, float]) -> np.ndarray:
    """Return a column as float64, NaN where it is null; or the constant of that name."""
    if name not in table.column_names:
        return np.full(table.num_rows, float(constants[name]))
    return np.asarray(table[name].combine_chunks().cast("float64").to_numpy(zero_copy_only=False), dtype=np.float64)


def _segments(table: Any, segments: Sequence[str], by: Sequence[str]) -> np.ndarray:
    """Return each row's place among the segments (n,), NaN for one that has no curves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [table[name].combine_chunks().cast("string") for name in by]
    names = pc.binary_join_element_wise(*parts, "/") if parts else pa.array(["all"] * table.num_rows)
    found = pc.index_in(names, value_set=pa.array(list(segments)))
    return np.asarray(found.cast("float64").to_numpy(zero_copy_only=False), dtype=np.float64)


RULES: tuple[tuple[str, Callable[[np.ndarray], np.ndarray], str], ...] = (
    ("principal", lambda x: x > 0, "an amount above zero"),
    ("rate", lambda x: x >= 0, "a fraction a year, zero or more"),
    ("payments", lambda x: (x >= 1) & (x == np.floor(x)), "a whole number of payments, one or more"),
    ("per_year", lambda x: (x >= 1) & (x <= 366), "payments a year, from 1 to 366"),
    ("first_period", lambda x: x > 0, "periods, above zero"),
    ("flat", lambda x: (x == 0) | (x == 1), "0 or 1"),
    ("segment", lambda x: x >= 0, "a segment that the curves have"),
    ("gmv", lambda x: x >= 0, "money, zero or more"),
    ("mdr", lambda x: (x >= 0) & (x < 1), "a fraction below 1"),
    ("interchange", lambda x: (x >= 0) & (x < 1), "a fraction below 1"),
    ("incentive", lambda x: x >= 0, "money, zero or more"),
    ("market_rate", lambda x: x >= 0, "a fraction a year, zero or more"),
    ("sold", lambda x: (x >= 0) & (x <= 1), "a share from 0 to 1"),
    ("sale_price", lambda x: x >= 0, "a price per unit of principal, zero or more"),
    ("refunded", lambda x: (x >= 0) & (x <= 1), "a share from 0 to 1"),
)  # fmt: skip


def _row_findings(columns: Mapping[str, np.ndarray], ids: np.ndarray, wrong: np.ndarray) -> Iterator[Finding]:
    """Yield a finding per column that has wrong rows, and mark these rows."""
    for name, holds, words in RULES:
        values = columns[name]
        bad = ~(np.isfinite(values) & holds(np.nan_to_num(values, nan=-1.0)))
        wrong |= bad
        for row in np.flatnonzero(bad)[:SHOWN]:
            given = "not known" if np.isnan(values[row]) else f"{values[row]:g}"
            yield _finding("OP451", f"row {row + 1} ({ids[row]}), {name}", f"is {given}: expected {words}", MEND)
        if bad.sum() > SHOWN:
            yield _finding("OP451", name, f"is wrong in {int(bad.sum()):,} rows: expected {words}", MEND)
    twice = _twice(ids)
    wrong |= twice
    for row in np.flatnonzero(twice)[:SHOWN]:
        yield _finding(
            "OP453", f"row {row + 1} ({ids[row]}), loan_id", "stands twice or is empty: expected one row", MEND
        )


MEND = "correct the row; the others are valued without it"


def _twice(ids: np.ndarray) -> np.ndarray:
    _, code, count = np.unique(ids.astype(str), return_inverse=True, return_counts=True)
    return np.asarray((count[code] > 1) | np.array([each is None for each in ids]))


def _currency_findings(table: Any, currency: str, ids: np.ndarray, wrong: np.ndarray) -> Iterator[Finding]:
    if "currency" not in table.column_names:
        return
    given = np.array(table["currency"].cast("string").to_pylist(), dtype=object)
    other = given != currency
    wrong |= other
    for row in np.flatnonzero(other)[:SHOWN]:
        message = f"is {given[row]}: expected {currency} in every row, because amounts of two currencies have no sum"
        yield _finding("OP452", f"row {row + 1} ({ids[row]}), currency", message, "value each currency by itself")


def _empty(currency: str) -> Loans:
    return Loans(**{name: np.zeros(0) for name in ARRAYS}, currency=currency)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=SOURCE, subject=subject, message=message, next_step=step)
