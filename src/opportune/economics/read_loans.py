"""A table of loans to arrays: its good rows, and what is wrong with the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from opportune.domain import Finding
from opportune.economics.cells import days_of, float64, plain
from opportune.economics.check_loans import MEND, SOURCE, Wrong, check_values
from opportune.economics.curves import Curves
from opportune.economics.loans import ARRAYS, TERMS, Loans

DATES = ("originated_at", "first_due_at", "last_due_at")
"""Columns of dates that a table may have: no line of value reads them, but their order is checked."""
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


class LoansRead(msgspec.Struct, frozen=True, kw_only=True):
    """The good rows of a table with their place in it (n,), and what is wrong with the others.

    Findings of severity ``warning`` are questions about rows that are among the good ones.
    """

    loans: Loans
    rows: np.ndarray
    findings: tuple[Finding, ...]


def read_loans(
    table: Any, curves: Curves, *, by: Sequence[str], constants: Mapping[str, float], currency: str
) -> LoansRead:
    """Return the loans of a table (anything that pyarrow takes): its good rows, and findings about the others.

    ``constants`` gives each term that is no column; a term that is neither is a finding (OP450), so nothing is assumed
    unseen; so is a column that stands twice or holds no plain cells. ``by`` names the columns whose values, joined with
    ``/``, are a segment of the curves. A column ``currency`` must hold ``currency`` throughout (OP452), the dates of
    ``DATES`` must be in order (OP471). Rows that cannot be (OP451, OP453, OP455) are left out, and told.
    """
    import pyarrow as pa

    table = pa.table(table)
    unfit = [*_missing(table.column_names, by, constants), *_unreadable(table, by)]
    if unfit:
        return LoansRead(loans=_empty(currency), rows=np.zeros(0, dtype=np.int64), findings=tuple(unfit))
    table = _plain(table, by)
    columns, unread = _terms(table, constants)
    columns["segment"] = _segments(table, curves.segments, by)
    unread["segment"] = _unknown_segments(table, columns["segment"], by)
    ids = np.array(table["loan_id"].cast("string").to_pylist(), dtype=object)
    wrong = Wrong(np.zeros(table.num_rows, dtype=bool), ids)
    findings = [
        *check_values(columns, curves, wrong, unread), *_twice(ids, wrong), *_other_currency(table, currency, wrong),
        *_disorder(table, wrong),
    ]  # fmt: skip
    good = np.flatnonzero(~wrong.rows)
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


def _used(table: Any, by: Sequence[str]) -> list[str]:
    """Return the columns of a table that are read."""
    return [name for name in dict.fromkeys(("loan_id", *by, *TERMS, "currency", *DATES)) if name in table.column_names]


def _unreadable(table: Any, by: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each column that stands twice, or whose type holds neither numbers, dates nor text."""
    import pyarrow as pa

    for name in _used(table, by):
        if table.column_names.count(name) > 1:
            yield _finding("OP450", name, "stands in two columns: expected one", "rename or remove the other")
            continue
        kind = table[name].type
        if pa.types.is_boolean(kind) and name in TERMS and name != "flat":
            yield _finding("OP450", name, "holds true and false: expected numbers", "name the column of the numbers")
        try:
            plain(table[name])
        except pa.ArrowException as error:
            message = f"is of type {kind}, which cannot be read ({str(error).splitlines()[0]}): expected plain cells"
            yield _finding("OP450", name, message, "write it as numbers, dates or text")


def _plain(table: Any, by: Sequence[str]) -> Any:
    """Return the columns that are read, in types that every later step can take."""
    import pyarrow as pa

    return pa.table({name: plain(table[name]) for name in _used(table, by)})


def _terms(table: Any, constants: Mapping[str, float]) -> tuple[dict[str, np.ndarray], dict[str, Mapping[int, str]]]:
    """Return each term as float64, NaN where it is not known, and the cells that hold text, by column and row."""
    columns, unread = {}, dict[str, Mapping[int, str]]()
    for name in TERMS:
        if name in table.column_names:
            columns[name], unread[name] = _numbers(table[name].combine_chunks())
        else:
            columns[name] = np.full(table.num_rows, float(constants[name]))
    return columns, unread


def _numbers(column: Any) -> tuple[np.ndarray, dict[int, str]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_temporal(column.type)):
        return float64(column), {}
    text = pc.utf8_trim_whitespace(column.cast("string"))
    numeric = pc.fill_null(pc.match_substring_regex(text, NUMBER), False)
    other = pc.and_(pc.invert(numeric), pc.fill_null(pc.not_equal(text, ""), False))
    rows = np.flatnonzero(other.to_numpy(zero_copy_only=False))
    values = float64(pc.if_else(numeric, text, None))
    return values, dict(zip(rows.tolist(), text.take(rows).to_pylist(), strict=True))


def _segments(table: Any, segments: Sequence[str], by: Sequence[str]) -> np.ndarray:
    """Return each row's place among the segments (n,), NaN for one that has no curves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(_segment_names(table, by), value_set=pa.array(list(segments)))
    return float64(found)


def _segment_names(table: Any, by: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [table[name].combine_chunks().cast("string") for name in by]
    return pc.binary_join_element_wise(*parts, "/") if parts else pa.array(["all"] * table.num_rows)


def _unknown_segments(table: Any, segment: np.ndarray, by: Sequence[str]) -> dict[int, str]:
    rows = np.flatnonzero(np.isnan(segment))
    names = _segment_names(table, by).take(rows).to_pylist()
    return {row: name for row, name in zip(rows.tolist(), names, strict=True) if name is not None}


def _twice(ids: np.ndarray, wrong: Wrong) -> Iterator[Finding]:
    _, code, count = np.unique(ids.astype(str), return_inverse=True, return_counts=True)
    twice = (count[code] > 1) | np.array([each is None for each in ids], dtype=bool)
    yield from wrong.tell("OP453", "loan_id", twice, lambda row: "stands twice or is empty: expected one row")


def _other_currency(table: Any, currency: str, wrong: Wrong) -> Iterator[Finding]:
    if "currency" not in table.column_names:
        return
    given = np.array(table["currency"].cast("string").to_pylist(), dtype=object)
    words = f"expected {currency} in every row, because amounts of two currencies have no sum"
    yield from wrong.tell(
        "OP452", "currency", given != currency, lambda row: f"is {given[row]}: {words}", "value each currency by itself"
    )


def _disorder(table: Any, wrong: Wrong) -> Iterator[Finding]:
    """Yield findings about dates that cannot be read, and about a date that comes before the one it follows."""
    held = {name: _dates(table[name].combine_chunks()) for name in DATES if name in table.column_names}
    for name, (_, unread) in held.items():
        bad = np.isin(np.arange(table.num_rows), list(unread))
        yield from wrong.tell("OP471", name, bad, _no_date(unread))
    for i, later in enumerate(DATES):
        for earlier in DATES[:i]:
            if earlier in held and later in held:
                yield from _before(earlier, held[earlier][0], later, held[later][0], wrong)


def _no_date(unread: Mapping[int, str]) -> Callable[[int], str]:
    return lambda row: f"is {unread[row]!r}: expected a date such as 2026-01-31"


def _before(earlier: str, first: np.ndarray, later: str, then: np.ndarray, wrong: Wrong) -> Iterator[Finding]:
    may_equal = earlier == "first_due_at"  # the first payment may be the last; none is due on the day of the loan
    bad = (then < first) if may_equal else (then <= first)
    words = "on or after" if may_equal else "after"
    yield from wrong.tell(
        "OP471", later, bad, lambda row: f"is {then[row]}: expected a date {words} {earlier}, {first[row]}", MEND
    )


def _dates(column: Any) -> tuple[np.ndarray, dict[int, str]]:
    """Return dates (n,), NaT where none is known, and the cells that hold something else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_temporal(column.type):
        return _days(column.cast("date32", safe=False)), {}
    text = pc.utf8_trim_whitespace(column.cast("string"))
    found = days_of(text)
    other = pc.and_(pc.is_null(found), pc.fill_null(pc.not_equal(text, ""), False))
    rows = np.flatnonzero(other.to_numpy(zero_copy_only=False))
    return _days(found), dict(zip(rows.tolist(), text.take(rows).to_pylist(), strict=True))


def _days(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False).astype("datetime64[D]"))


def _empty(currency: str) -> Loans:
    return Loans(**{name: np.zeros(0) for name in ARRAYS}, currency=currency)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=SOURCE, subject=subject, message=message, next_step=step)
