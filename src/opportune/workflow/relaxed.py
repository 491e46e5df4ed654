"""What each limit costs: the best plan without it, beside the plan that keeps it."""

from pathlib import Path
from typing import Any

import numpy as np

from opportune.allocation import allocate
from opportune.domain import NO_OFFER_ID, Candidates, Plan
from opportune.tables import write_json, write_parquet
from opportune.workflow.settings import Settings


def write_relaxed(settings: Settings, out: Path, options: Candidates, made: Plan) -> None:
    """Write ``plan/limit_costs.json`` and ``plan/relaxed.parquet``: the offer of each plan that lacks one limit."""
    import pyarrow as pa

    plans = {limit.name: _without(settings, options, made, limit.name) for limit in settings.limits}
    ids = np.array([*options.offer_ids, NO_OFFER_ID], dtype=object)
    chosen = {name: pa.array(ids[plan.choice], pa.string()) for name, plan in plans.items()}
    table = pa.table({"opportunity_id": pa.array(options.opportunity_id, pa.string()), **chosen})
    write_parquet(out / "plan" / "relaxed.parquet", table)
    write_json(out / "plan" / "limit_costs.json", [_cost(name, plan, made) for name, plan in plans.items()])


def _without(settings: Settings, options: Candidates, made: Plan, name: str) -> Plan:
    others = [limit for limit in settings.limits if limit.name != name]
    start = {row.name: made.prices[row.name] for limit in others for row in limit.rows()}
    return allocate(options, others, seed=settings.identity.seed, start=start)


def _cost(name: str, plan: Plan, made: Plan) -> dict[str, Any]:
    value = plan.certificate.value
    return {"limit": name, "value_without": value, "cost": value - made.certificate.value}
