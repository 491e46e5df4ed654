"""What was known at an instant: every table cut to the rows that had arrived by then."""

from pathlib import Path
from typing import TYPE_CHECKING

from opportune.domain import AsOf
from opportune.tables import CONTRACTS, write_parquet

if TYPE_CHECKING:
    from opportune.tables import Engine

ARRIVES = {
    "customers": "known_from", "events": "event_time", "opportunities": '"at"', "applications": "applied_at",
    "outcomes": "observed_until", "loans": "originated_at", "payments": "paid_at", "programmes": "effective_from",
}  # fmt: skip
"""The column of each table that says from when a row is known, if it has no later ``arrived_at``."""
ARRIVED_AT = "arrived_at"
BELONGS = {"outcomes": "decisions", "probabilities": "decisions"}
"""Tables whose rows are known no earlier than the decision that they belong to."""


def write_known(engine: "Engine", at: AsOf, tables: Path) -> None:
    """Write each of the engine's tables to ``tables`` as it was known at an instant.

    Decisions at the instant itself are not known yet: they are what is to be decided.
    """
    for name in engine.tables():
        write_parquet(tables / f"{name}.parquet", engine.query(_sql(engine, name, at)))


def _sql(engine: "Engine", table: str, at: AsOf) -> str:
    conditions = [_arrived(engine, table, at)]
    if table in BELONGS:
        decided = _arrived(engine, BELONGS[table], at)
        conditions.append(f"decision_id IN (SELECT decision_id FROM {BELONGS[table]} WHERE {decided})")
    order = ", ".join(f'"{name}"' for name in CONTRACTS[table].key)
    return f'SELECT * FROM "{table}" WHERE {" AND ".join(conditions)} ORDER BY {order}'


def _arrived(engine: "Engine", table: str, at: AsOf) -> str:
    if table == "decisions":
        return f"decided_at < TIMESTAMPTZ '{at}'"
    named = {column.name for column in CONTRACTS[table].columns} & set(engine.columns(table))
    times = [ARRIVES[table]] if table in ARRIVES else []
    times += [ARRIVED_AT] if ARRIVED_AT in named else []
    return " AND ".join(f"{time} <= TIMESTAMPTZ '{at}'" for time in times) or "true"
