"""A ledger as logged decisions: what had been decided at an instant, and what was known of it by then.

A ledger is only added to. A decision is written once; of its outcome a row is added whenever more is known. What was
known at an instant can so be read back at any later time, which is what a back-test and an audit need.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.domain import AsOf, Finding
from opportune.evaluation._arrow import (
    arrow_table,
    column_ids,
    column_numbers,
    column_times,
    counted,
    null_findings,
    raise_all,
)
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.read_log import WATCHED, read_logged

if TYPE_CHECKING:
    import pyarrow as pa

RECORDED = "recorded_at"


def read_ledger(
    decisions: Any,
    outcomes: Any,
    eligible: Any = None,
    *,
    as_of: AsOf | str,
    measures: Sequence[str] = ("outcome",),
    cluster: str = "customer_id",
    matures_after: timedelta = timedelta(0),
) -> LoggedDecisions:
    """Return the decisions made before an instant with what was known of their outcomes at it.

    ``decisions`` and ``eligible`` are those of ``read_logged``, without outcomes. ``outcomes`` has ``decision_id,
    observed_until``, the measures and, where rows were written later, ``recorded_at``: a row counts from then, else
    from ``observed_until``. Of the rows of a decision that count, the one observed longest holds, and of several such
    the one recorded last. A decision without such a row, or with one observed for less than ``matures_after``, is open:
    its outcome is NaN, and ``estimate`` asks for a completion. Times without a zone are in UTC.

    BadInput with every finding: those of ``read_logged``, outcomes of decisions that do not exist (OP040), and outcomes
    that are told twice (OP626).
    """
    at = np.datetime64((AsOf.parse(as_of) if isinstance(as_of, str) else as_of).at.replace(tzinfo=None), "us")
    made = arrow_table(decisions, ("decision_id", "decided_at"), "decisions")
    told = arrow_table(outcomes, ("decision_id", WATCHED, *measures), "outcomes")
    times = [name for name in (WATCHED, RECORDED) if name in told.column_names]
    raise_all(
        [
            *null_findings(made, ("decision_id", "decided_at"), "decisions"),
            *null_findings(told, ("decision_id", *times), "outcomes"),
            *_in_both(made, (WATCHED, *measures)),
            *_of_nothing(made, told),
        ]
    )
    told = told.filter(column_times(told, times[-1]) <= at)
    made = made.filter(column_times(made, "decided_at") < at)
    return read_logged(
        _joined(made, told, measures, matures_after), eligible, outcomes=measures, cluster=cluster, open_outcomes=True
    )


def _joined(made: "pa.Table", told: "pa.Table", measures: Sequence[str], matures_after: timedelta) -> "pa.Table":
    """Return the decisions with the outcomes that hold, null where open, and until when they were observed."""
    rows, latest = _that_hold(made, told)
    until = np.full(made.num_rows, np.datetime64("NaT", "us"))
    until[rows] = column_times(told, WATCHED)[latest]
    mature = until - column_times(made, "decided_at") >= np.timedelta64(matures_after)  # false where there is none
    joined = made.append_column(WATCHED, [until])
    for name in measures:
        known = np.full(made.num_rows, np.nan)
        known[rows] = column_numbers(told, name)[latest]
        joined = joined.append_column(name, [np.where(mature, known, np.nan)])
    return joined


def _that_hold(made: "pa.Table", told: "pa.Table") -> tuple[np.ndarray, np.ndarray]:
    """Return the decisions (m,) that have outcomes, and the row (m,) of each that holds. BadInput (OP626) of a tie."""
    row_of = {decision: row for row, decision in enumerate(made["decision_id"].to_pylist())}
    rows = np.array([row_of.get(each, -1) for each in told["decision_id"].to_pylist()], dtype=np.int64)
    until = column_times(told, WATCHED)
    recorded = column_times(told, RECORDED) if RECORDED in told.column_names else until
    order = np.lexsort((recorded, until, rows))
    order = order[rows[order] >= 0]
    same = np.diff(rows[order]) == 0
    tied = same & (np.diff(until[order]) == timedelta(0)) & (np.diff(recorded[order]) == timedelta(0))
    if tied.any():
        ids = column_ids(told, "decision_id")[order[1:][tied]]
        says = "are told twice, observed until and recorded at the same instants: expected to know which one holds"
        step = "keep one, or give recorded_at: when each row was written"
        raise_all([counted("OP626", "outcomes", "decision_id", ids, says, step)])
    last = order[np.append(~same, True)] if len(order) else order
    return rows[last], last


def _in_both(made: "pa.Table", names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        if name in made.column_names:
            message = "stands in decisions and in outcomes: expected it in outcomes only, where it has its time"
            step = "drop or rename the column of decisions"
            yield Finding(code="OP626", source="decisions", subject=name, message=message, next_step=step)


def _of_nothing(made: "pa.Table", told: "pa.Table") -> Iterator[Finding]:
    known = set(made["decision_id"].to_pylist())
    ids = np.array([each for each in told["decision_id"].to_pylist() if each is not None and each not in known])
    if len(ids):
        says = "are outcomes of decisions that do not exist: expected each to belong to one"
        yield counted("OP040", "outcomes", "decision_id", ids, says, "compare how both sides write their keys")
