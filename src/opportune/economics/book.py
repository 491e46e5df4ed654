"""A book as arrays: what became of each loan, read from tables of loans and payments.

Loans hold one row per loan: ``loan_id``, ``term_months``, ``observed_months`` (months of age that the lender has seen;
a loan still open after them is not a good loan, it is one that nobody has seen the end of; where a default is known
at charge-off only, they end as many months before as charge-off comes after it) and the segment columns.
Payments hold ``loan_id``, ``month`` (of age, from 1), ``kind`` and ``amount``:

- ``payment``: money that was due. Says nothing about how a loan ends.
- ``prepayment``: the loan was paid in full before its last due month.
- ``default``: the first payment missed that was never caught up; ``amount`` is the balance at the start of the month.
- ``recovery``: money after charge-off, net of the cost of collection; ``month`` is null where only the total is known.

A loan without prepayment or default was open after its observed months, or ran to its term.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.check_book import KINDS, BookRows, check_columns, check_rows
from opportune.economics.segments import segment_keys

if TYPE_CHECKING:
    import pyarrow as pa

LOAN_COLUMNS = ("loan_id", "term_months", "observed_months")
PAYMENT_COLUMNS = ("loan_id", "month", "kind", "amount")


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays of n loans, S segments and m recoveries.

    ``keys`` (S, L) are the segments' values of the L columns ``by``; ``segment`` (n,) is each loan's place in them.
    ``term`` and ``observed`` (n,) are months; ``ended`` (n,) the month of the closing event, 0 where there is none;
    ``defaulted`` (n,) whether it was a default, ``balance`` (n,) what was owed then. Recoveries (m,) have the row of
    their loan, their month of age (NaN where not known) and their amount.
    """

    by: tuple[str, ...]
    keys: np.ndarray
    segment: np.ndarray
    term: np.ndarray
    observed: np.ndarray
    ended: np.ndarray
    defaulted: np.ndarray
    balance: np.ndarray
    recovery_loan: np.ndarray
    recovery_month: np.ndarray
    recovery_amount: np.ndarray


def read_book(loans: Any, payments: Any, by: Sequence[str]) -> Book:
    """Return the book of two tables (anything that pyarrow takes). BadInput (OP434, OP435) with every finding."""
    import pyarrow as pa

    loans, payments = pa.table(loans), pa.table(payments)
    _stop(
        [
            *check_columns("loans", loans, (*LOAN_COLUMNS, *by), filled=(*LOAN_COLUMNS, *by)),
            *check_columns("payments", payments, PAYMENT_COLUMNS, filled=("loan_id", "kind")),
        ]
    )
    rows = _rows(loans, payments)
    _stop(check_rows(rows))
    return _book(rows, *segment_keys(loans, by), tuple(by))


def _rows(loans: "pa.Table", payments: "pa.Table") -> BookRows:
    import pyarrow as pa
    import pyarrow.compute as pc

    ids, paid_by = loans["loan_id"].combine_chunks(), payments["loan_id"]
    if ids.type != paid_by.type:
        ids, paid_by = ids.cast("string"), paid_by.cast("string")
    return BookRows(
        loan_id=ids,
        place=_floats(pc.index_in(ids, value_set=ids)),
        term=_floats(loans["term_months"]),
        observed=_floats(loans["observed_months"]),
        paid_by=paid_by,
        row=_floats(pc.index_in(paid_by, value_set=ids)),
        kind=_floats(pc.index_in(payments["kind"].cast("string"), value_set=pa.array(KINDS))),
        month=_floats(payments["month"]),
        amount=_floats(payments["amount"]),
    )


def _floats(column: Any) -> np.ndarray:
    """Return a column as float64, NaN where it is null."""
    return np.array(column.cast("float64"), dtype=np.float64)


def _book(rows: BookRows, keys: np.ndarray, segment: np.ndarray, by: tuple[str, ...]) -> Book:
    loan = rows.row.astype(np.intp)
    closes, default, recovered = rows.of("prepayment") | rows.of("default"), rows.of("default"), rows.of("recovery")
    ended, balance = np.zeros(len(rows.term), dtype=np.int64), np.zeros(len(rows.term))
    ended[loan[closes]] = rows.month[closes]
    balance[loan[default]] = rows.amount[default]
    return Book(
        by=by,
        keys=keys,
        segment=segment,
        term=rows.term.astype(np.int64),
        observed=rows.observed.astype(np.int64),
        ended=ended,
        defaulted=np.isin(np.arange(len(ended)), loan[default]),
        balance=balance,
        recovery_loan=loan[recovered],
        recovery_month=rows.month[recovered],
        recovery_amount=rows.amount[recovered],
    )


def _stop(findings: Sequence[Finding]) -> None:
    if findings:
        raise BadInput(findings)
