"""The forecast inside the horizon: how many opportunities come, by week, surface and segment, in whole numbers."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import AsOf, BadInput, Finding
from opportune.workflow.horizon_weeks import TABLE

if TYPE_CHECKING:
    from opportune.tables import Engine

SHOWN = 3


class ForecastRow(msgspec.Struct, frozen=True, kw_only=True):
    """So many ``opportunities`` on a surface in a segment, in the week that begins on the Monday ``week``."""

    week: str
    surface: str
    segment: str
    opportunities: int


def forecast_rows(engine: "Engine", plan_at: AsOf, weeks: int) -> tuple[ForecastRow, ...]:
    """Return the rows of the Mondays from ``plan_at`` up to ``weeks`` later, the last excluded, in the table's order.

    Expected numbers become whole ones by rounding the running total of a surface and segment: each week is less than
    one off, and so is any run of weeks. BadInput (OP839) when a week of the horizon has no row at all.
    """
    mondays = _mondays(plan_at.at, weeks)
    rows = engine.query(
        "SELECT strftime(week, '%Y-%m-%d') AS week, surface, segment, opportunities FROM forecast ORDER BY 2, 3, 1"
    ).to_pylist()
    inside = [row for row in rows if row["week"] in set(mondays)]
    missing = sorted(set(mondays) - {row["week"] for row in inside})
    if missing:
        raise BadInput([_uncovered(missing, weeks)])
    return tuple(ForecastRow(**row) for row in _in_whole_numbers(inside))


def _mondays(start: datetime, weeks: int) -> list[str]:
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + timedelta(days=-midnight.weekday() % 7)
    if first < start:
        first += timedelta(days=7)
    return [(first + timedelta(days=7 * week)).date().isoformat() for week in range(weeks)]


def _in_whole_numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = [(row["surface"], row["segment"]) for row in rows]
    whole: list[dict[str, Any]] = []
    for key in dict.fromkeys(keys):
        mine = [row for row, its in zip(rows, keys, strict=True) if its == key]
        totals = np.floor(np.cumsum([row["opportunities"] for row in mine]) + 0.5)
        counts = np.diff(totals, prepend=0.0).astype(np.int64).tolist()
        whole += [{**row, "opportunities": count} for row, count in zip(mine, counts, strict=True)]
    return whole


def _uncovered(missing: list[str], weeks: int) -> Finding:
    shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
    message = f"has no row for {len(missing)} of {weeks} weeks ({shown}): expected every week of the horizon"
    step = "add them, with 0 opportunities where none is expected, or ask for fewer weeks"
    return Finding(code="OP839", source=TABLE, subject="week", message=message, next_step=step)
