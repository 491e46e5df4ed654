"""Completion: what decisions of the list come to whose outcome is not yet known, as evidence.toml declares it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation import Completion, EventCompletion, ProxyCompletion
from opportune.workflow.evidence_spec import Immature

if TYPE_CHECKING:
    from opportune.tables import Engine

SOURCE = "evidence.toml"
CELL, WATCHED, AT = "immature.cell", "immature.event.watched", "immature.event.at"
KINDS = {CELL: "VARCHAR", WATCHED: "DOUBLE", AT: "DOUBLE"}


def decision_sql(key: str, sql: str) -> str:
    """Return the query of a declared expression for each decision; ``key`` says where it stands in evidence.toml."""
    joined = "decisions AS d JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id"
    return f"SELECT d.decision_id, ({sql})::{KINDS[key]} AS told FROM {joined}"


def declared_completion(engine: "Engine", declared: Immature, decision_id: np.ndarray) -> Completion:
    """Return the completion of the given decisions (n,). BadInput (OP021, OP625) when SQL or periods are wrong."""
    told = {key: _told(engine, key, sql, decision_id) for key, sql in declared.sql.items()}
    cell = np.array(["" if each is None else each for each in told[CELL]], dtype=object)
    if declared.event is None:
        return ProxyCompletion(cell=cell)
    watched, event_at = (np.array(told[key], dtype=np.float64) for key in (WATCHED, AT))  # null becomes NaN
    event_at = np.where(np.isnan(event_at), 0.0, event_at)
    _refuse_periods(watched, event_at, decision_id)
    return EventCompletion(
        watched=watched.astype(np.int64), event_at=event_at.astype(np.int64), stratum=cell,
        horizon=declared.event.horizon,
    )  # fmt: skip


def _told(engine: "Engine", key: str, sql: str, decision_id: np.ndarray) -> list[Any]:
    rows = engine.query(decision_sql(key, sql), SOURCE, key)
    told = dict(zip(rows["decision_id"].to_pylist(), rows["told"].to_pylist(), strict=True))
    return [told[each] for each in decision_id]


def _refuse_periods(watched: np.ndarray, event_at: np.ndarray, decision_id: np.ndarray) -> None:
    """Raise BadInput (OP625) where periods (n,) are no whole numbers, or an event lies after all that was watched."""
    whole = (watched >= 0) & (watched == np.floor(watched))
    tests = (
        (WATCHED, ~whole, "a whole number of periods from 0", "round down to whole periods; null is not known"),
        (AT, ~((event_at >= 0) & (event_at == np.floor(event_at))), "a period from 1, or null while it has not come",
         "count the period in which the decision was made as 1"),
        (AT, whole & (event_at > watched), "none after all that `watched` says was watched",
         "count both in the same periods, the last one whole"),
    )  # fmt: skip
    findings = [
        Finding(code="OP625", source=SOURCE, subject=subject, next_step=step,
                message=f"is wrong in {int(bad.sum())} decisions ({_some(decision_id[bad])}): expected {expected}")
        for subject, bad, expected, step in tests if bad.any()
    ]  # fmt: skip
    if findings:
        raise BadInput(findings)


def _some(ids: np.ndarray) -> str:
    return ", ".join(map(str, ids[:3]))
