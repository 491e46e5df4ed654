"""Tables as logged decisions, from anything that speaks Arrow.

They are those of the waist: ``decision_id, customer_id, slot, decided_at, offer_id, probability, outcome`` and
``eligible``, a list of offer ids or a second table. This stands here and not in `workflow`, because the front door of
this room takes tables, and rooms import downwards only.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import Finding, errors
from opportune.evaluation._arrow import (
    arrow_table,
    column_ids,
    column_lists,
    column_numbers,
    column_times,
    counted,
    filled,
    null_findings,
    offer_codes,
    raise_all,
)
from opportune.evaluation.logged import LoggedDecisions, check_logged

if TYPE_CHECKING:
    import pyarrow as pa

KEYS = ("decision_id", "customer_id", "slot", "decided_at", "offer_id", "probability")
WATCHED = "observed_until"
_SUM_TOLERANCE = 1e-6


def as_logged(given: Any, measure: str, cluster: str, open_outcomes: bool) -> tuple[LoggedDecisions, np.ndarray]:
    """Return the log and the names of the rows' clusters (n,)."""
    if isinstance(given, LoggedDecisions):
        return given, given.clustered_by(cluster)
    logged = read_logged(given, outcomes=(measure,), cluster=cluster, open_outcomes=open_outcomes)
    return logged, logged.cluster


def read_logged(
    decisions: Any,
    eligible: Any = None,
    *,
    outcomes: Sequence[str] = ("outcome",),
    cluster: str = "customer_id",
    open_outcomes: bool = False,
) -> LoggedDecisions:
    """Return the logged decisions of a table (anything that speaks Arrow). BadInput with every finding.

    What else could have been offered is a list of offer ids in the column ``eligible``, or a second table
    ``decision_id, offer_id, probability``. Of a list only the logged offer's probability is known (``only_logged``):
    what it leaves of 1 is spread evenly over the others, which says that they could have been drawn. That does for
    weights; what needs more is refused (OP834): ``AsLogged`` where the log holds ``NO_OFFER``, and a ``"sequence"`` of
    dr. Where no decision had more than one other offer, all are known.
    ``observed_until``, where there is such a column, must not lie before ``decided_at`` (OP613). Outcomes may be null
    where ``open_outcomes`` says that they will be completed.
    """
    needed = (*KEYS, cluster, *outcomes, *(("eligible",) if eligible is None else ()))
    table = arrow_table(decisions, needed, "decisions")
    raise_all(list(null_findings(table, (*KEYS, cluster), "decisions")) + list(_too_early(table)))
    logged = (
        _from_list(table, outcomes, cluster) if eligible is None else _from_pairs(table, eligible, outcomes, cluster)
    )
    found = errors(check_logged(logged))
    raise_all([finding for finding in found if not (open_outcomes and finding.code == "OP606")])
    return logged


def _from_list(table: "pa.Table", outcomes: Sequence[str], cluster: str) -> LoggedDecisions:
    named, rows = column_lists(table, "eligible")
    offer_ids = tuple(sorted({*named.tolist(), *table["offer_id"].to_pylist()}))
    eligible = np.zeros((table.num_rows, len(offer_ids)), dtype=bool)
    eligible[rows, offer_codes(named, offer_ids)] = True
    action, own = offer_codes(table["offer_id"].to_pylist(), offer_ids), column_numbers(table, "probability")
    others = eligible & (np.arange(len(offer_ids)) != action[:, None])
    count = others.sum(axis=1)
    each = np.divide(1.0 - own, count, out=np.zeros(len(own)), where=count > 0)
    probability = np.where(others, each[:, None], 0.0)
    probability[np.arange(len(own)), action] = own
    logged = _logged(table, offer_ids, action, eligible, probability, outcomes, cluster)
    return msgspec.structs.replace(logged, only_logged=bool((count > 1).any()))


def _from_pairs(table: "pa.Table", pairs: Any, outcomes: Sequence[str], cluster: str) -> LoggedDecisions:
    side = arrow_table(pairs, ("decision_id", "offer_id", "probability"), "eligible")
    raise_all(list(null_findings(side, ("decision_id", "offer_id", "probability"), "eligible")))
    offer_ids = tuple(sorted({*side["offer_id"].to_pylist(), *table["offer_id"].to_pylist()}))
    index = {decision: row for row, decision in enumerate(table["decision_id"].to_pylist())}
    rows = np.array([index.get(each, -1) for each in side["decision_id"].to_pylist()], dtype=np.int64)
    about, columns = rows >= 0, offer_codes(side["offer_id"].to_pylist(), offer_ids)
    shape = (table.num_rows, len(offer_ids))
    probability = filled(rows, columns, column_numbers(side, "probability"), shape)
    eligible = np.zeros(shape, dtype=bool)
    eligible[rows[about], columns[about]] = True
    action, own = offer_codes(table["offer_id"].to_pylist(), offer_ids), column_numbers(table, "probability")
    apart = np.abs(probability[np.arange(len(own)), action] - own) > _SUM_TOLERANCE
    if apart.any():
        ids = np.array(table["decision_id"].to_pylist(), dtype=object)[apart]
        says = "have another probability in the side table than in their own row"
        raise_all([counted("OP614", "decisions", "probability", ids, says, "log one of them")])
    return _logged(table, offer_ids, action, eligible, probability, outcomes, cluster)


def _logged(
    table: "pa.Table", offer_ids: tuple[str, ...], action: np.ndarray, eligible: np.ndarray, probability: np.ndarray,
    outcomes: Sequence[str], cluster: str,
) -> LoggedDecisions:  # fmt: skip
    decision_id, customer_id, slot = (column_ids(table, name) for name in ("decision_id", "customer_id", "slot"))
    return LoggedDecisions(
        decision_id=decision_id, customer_id=customer_id, slot=slot,
        offer_ids=offer_ids, action=action, eligible=eligible, probability=probability,
        outside=np.zeros(len(action)), outcome={name: column_numbers(table, name) for name in outcomes},
        cluster=column_ids(table, cluster), decided_at=column_times(table, "decided_at"),
    )  # fmt: skip


def _too_early(table: "pa.Table") -> Iterator[Finding]:
    if WATCHED not in table.column_names:
        return
    early = column_times(table, WATCHED) < column_times(table, "decided_at")  # false where nothing was observed yet
    if early.any():
        ids = np.array(table["decision_id"].to_pylist(), dtype=object)[early]
        says = "have an outcome that was observed until before the decision"
        yield counted("OP613", "decisions", WATCHED, ids, says, "check the two times and their zones")
