"""Roll rates: how loans, or their balances, move between states of delinquency from one month to the next."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding

STATES = ("current", "1-29", "30-59", "60-89", "90+", "charged off", "paid", "refunded")
"""Days past due of the oldest unpaid payment, and the three ends of a loan."""
FINAL = STATES[5:]
COLUMNS = ("loan_id", "month", "state")


class RollRates(msgspec.Struct, frozen=True, kw_only=True):
    """Moves from a state (rows) to the next month's (columns), (8, 8) in the order of ``states``: ``loans`` counted,
    ``weight`` the balance at the first of the two months (or the count), ``rates`` = weight over its row's sum, NaN for
    states that nothing left. ``gaps``: pairs of rows of a loan that are not of two consecutive months, left out.
    """

    states: tuple[str, ...]
    loans: np.ndarray
    weight: np.ndarray
    rates: np.ndarray
    gaps: int
    of: str


def roll_rates(states: Any, *, balance: str | None) -> RollRates:
    """Return the transition matrix of a table with ``loan_id``, ``month`` and ``state``, one row per loan and month.

    ``balance`` names the column whose amounts roll (the glossary's roll rate); None counts loans. BadInput (OP438) for
    unknown states, a month twice, months after an end.
    """
    import pyarrow as pa

    table = pa.table(states)
    _stop(_missing(table.column_names, (*COLUMNS, *([balance] if balance else []))))
    names, loan = _coded(table["loan_id"])
    month, state = _array(table["month"]), _state_codes(table["state"])
    amount = np.ones(len(month)) if balance is None else _array(table[balance].cast("float64"))
    _stop(_cell_findings(names[loan], state, amount, balance))
    order = np.lexsort((month, loan))
    loan, month, state, amount = loan[order], month[order], state[order], amount[order]
    same = loan[1:] == loan[:-1]
    step = np.diff(month)
    _stop(_sequence_findings(names[loan], month, state, same, step))
    return _matrix(state, amount, same & (step == 1), int(np.sum(same & (step > 1))), balance or "loans")


def _matrix(state: np.ndarray, amount: np.ndarray, moves: np.ndarray, gaps: int, of: str) -> RollRates:
    size = len(STATES)
    cell = (state[:-1] * size + state[1:])[moves]
    loans = np.bincount(cell, minlength=size * size).reshape(size, size)
    weight = np.bincount(cell, amount[:-1][moves], size * size).reshape(size, size)
    total = weight.sum(axis=1, keepdims=True)
    rates = np.where(total > 0.0, weight / np.where(total > 0.0, total, 1.0), np.nan)
    return RollRates(states=STATES, loans=loans, weight=weight, rates=rates, gaps=gaps, of=of)


def _state_codes(column: Any) -> np.ndarray:
    """Return the place of each state in STATES, -1 for words that are none of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return _array(pc.fill_null(pc.index_in(column.cast("string"), value_set=pa.array(STATES)), -1)).astype(np.int64)


def _coded(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct loans and the code of each row."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_numpy(zero_copy_only=False), encoded.indices.to_numpy(zero_copy_only=False)


def _array(column: Any) -> np.ndarray:
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def _cell_findings(names: np.ndarray, state: np.ndarray, amount: np.ndarray, balance: str | None) -> Iterator[Finding]:
    yield from _told("state", names, state < 0, f"is another word: expected one of {', '.join(STATES)}")
    yield from _told(str(balance), names, ~(amount >= 0.0), "is no balance: expected an amount, zero or more")


def _sequence_findings(
    names: np.ndarray, month: np.ndarray, state: np.ndarray, same: np.ndarray, step: np.ndarray
) -> Iterator[Finding]:
    yield from _told("month", names[1:], same & (step == 0), "stands twice: expected one row per loan and month")
    ended = state[:-1] >= len(STATES) - len(FINAL)
    again = same & (step > 0) & ended & (state[1:] != state[:-1])
    yield from _told("state", names[1:], again, f"changes after an end: expected none after {', '.join(FINAL)}")


def _told(subject: str, names: np.ndarray, wrong: np.ndarray, words: str) -> Iterator[Finding]:
    rows = np.flatnonzero(wrong)
    if len(rows):
        more = f" ({len(rows):,} rows are so)" if len(rows) > 1 else ""
        yield _finding(f"{subject} of loan {names[rows[0]]}", f"{words}{more}", "correct the rows")


def _missing(given: list[str], wanted: tuple[str, ...]) -> Iterator[Finding]:
    for name in wanted:
        if name not in given:
            yield _finding(name, f"is missing: expected it beside {', '.join(given)}", "add the column")


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP438", source="states", subject=subject, message=message, next_step=step)


def _stop(findings: Iterator[Finding]) -> None:
    found = list(findings)
    if found:
        raise BadInput(found)
