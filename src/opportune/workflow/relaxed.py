"""What each limit costs: the best plan without it, beside the plan that keeps it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from opportune.allocation import allocate, is_cut_short
from opportune.domain import NO_OFFER_ID, Candidates, Limit, Plan, rows_of
from opportune.tables import write_json, write_parquet
from opportune.workflow.make_plan import margins_of, value_unexplored
from opportune.workflow.settings import Settings


def write_relaxed(
    settings: Settings, directory: Path, options: Candidates, listed: int, made: Plan, limits: Sequence[Limit]
) -> None:
    """Write ``limit_costs.json`` and ``relaxed.parquet``: the offer of each plan that lacks one limit.

    The plans are of all ``options``, the table is of the first ``listed``: those of the list. None explores, and what
    a limit costs is told against the plan as it would be without exploring.
    """
    import pyarrow as pa

    plans = {limit.name: _without(settings, options, made, limits, limit.name) for limit in limits}
    ids = np.array([*options.offer_ids, NO_OFFER_ID], dtype=object)
    chosen = {name: pa.array(ids[plan.choice[:listed]], pa.string()) for name, plan in plans.items()}
    table = pa.table({"opportunity_id": pa.array(options.opportunity_id[:listed], pa.string()), **chosen})
    write_parquet(directory / "relaxed.parquet", table)
    write_json(directory / "limit_costs.json", [_cost(name, plan, made) for name, plan in plans.items()])


def _without(settings: Settings, options: Candidates, made: Plan, limits: Sequence[Limit], name: str) -> Plan:
    others = [limit for limit in limits if limit.name != name]
    start = {row.name: made.prices[row.name] for row in rows_of(others, options.attributes)}
    plan = allocate(options, others, start=start, reserved=margins_of(made), **settings.asked)
    if is_cut_short(plan):
        raise KeyboardInterrupt
    return plan


def _cost(name: str, plan: Plan, made: Plan) -> dict[str, Any]:
    value = plan.certificate.value
    return {"limit": name, "value_without": value, "cost": value - value_unexplored(made)}
