"""What changes between two plans of a list: who gets another offer, what that is worth, and what the limits use."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Estimate, Finding, Opportunities
from opportune.workflow.differences import differences
from opportune.workflow.frames import open_tables, opportunities_at
from opportune.workflow.plan_swaps import SwapRow, logged_offers, plan_swaps
from opportune.workflow.recorded import Recorded, recorded_settings
from opportune.workflow.steps import read_json


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """One limit in both plans; None where a plan does not have it."""

    name: str
    used: tuple[float | None, float | None]
    bound: tuple[float | None, float | None]
    price: tuple[float | None, float | None]


class PlanChange(msgspec.Struct, frozen=True, kw_only=True):
    """From one plan to a newer one of the same list. ``value`` is newer less older, both under the newer forecasts.

    ``settings`` says which settings differ; ``unmatched`` counts customers who are in one of the lists only. ``ahead``
    counts the forecast opportunities of either plan: where there are some, ``limits`` are of list and forecast
    together, and all else is of the list alone.
    """

    customers: int
    changed: int
    unmatched: int
    value: Estimate
    settings: tuple[str, ...]
    swaps: tuple[SwapRow, ...]
    """By group and kind of change."""
    kinds: tuple[SwapRow, ...]
    """By kind alone, everyone together."""
    limits: tuple[LimitChange, ...]
    ahead: tuple[int, int]


def plan_change(older: Path, newer: Path, settings: tuple[str, ...]) -> PlanChange:
    """Return the change from the plan in ``older`` (plan.parquet, certificate.json) to that in out folder ``newer``.

    The models of ``newer`` value both. Bags of the models must leave out the same clusters: equal ``bags`` and
    ``folds`` of all roles, else BadInput (OP826).
    """
    recorded = recorded_settings(newer)
    _check_bags(recorded)
    band = _catalogue(newer)["price"]["band"]
    batch = opportunities_at(open_tables(newer, newer), recorded.plan_at, (band,))
    before, after = (_choices(folder, batch, newer) for folder in (older, newer / "plan"))
    both = before != UNMATCHED
    logged = logged_offers(newer, recorded, batch)
    proofs = read_json(older / "certificate.json"), read_json(newer / "plan" / "certificate.json")
    swaps = plan_swaps(newer, recorded, batch.take(np.flatnonzero(both)), before[both], after[both], logged[both])
    return PlanChange(
        customers=len(set(batch.customer_id)),
        changed=len(set(batch.customer_id[both & (before != after)])),
        unmatched=len(set(batch.customer_id[~both])),
        value=swaps.value,
        settings=settings,
        swaps=swaps.by_group,
        kinds=swaps.by_kind,
        limits=_limits(*proofs),
        ahead=(proofs[0].get("ahead", 0), proofs[1]["ahead"]),  # an older release may not tell
    )


def _check_bags(recorded: Recorded) -> None:
    bags = {(spec.bags, spec.folds) for spec in recorded.models.values()}
    if len(bags) > 1:
        message = f"differ between roles ({sorted(bags)}): expected one pair, so that values have an interval"
        step = "give bags and folds under [defaults] only"
        raise BadInput(
            [Finding(code="OP826", source="models.toml", subject="bags and folds", message=message, next_step=step)]
        )


def settings_between(older: Path, newer: Path) -> tuple[str, ...]:
    """Return which settings differ between the plans of two out folders."""
    before, after = (msgspec.to_builtins(recorded_settings(out)) for out in (older, newer))
    return tuple(differences(before, after))


UNMATCHED = -2
"""Stands for the choice of a customer whom the older list does not have."""


def _choices(folder: Path, batch: Opportunities, newer: Path) -> np.ndarray:
    """Return the plan's choice per opportunity of the batch: index of the offer, -1 for none.

    -2 where the plan does not list the customer, or makes an offer that the newer catalogue does not have.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "plan.parquet", columns=["opportunity_id", "offer_id"])
    ids, chosen = (table[name].to_pylist() for name in ("opportunity_id", "offer_id"))
    index = {offer: k for k, offer in enumerate(_catalogue(newer)["price"]["steps"])} | {NO_OFFER_ID: -1}
    of = {key: index.get(offer, UNMATCHED) for key, offer in zip(ids, chosen, strict=True)}
    return np.array([of.get(key, UNMATCHED) for key in batch.opportunity_id])


def _catalogue(out: Path) -> dict[str, Any]:
    return dict(read_json(out / "offers" / "catalogue.json")["catalogue"])


def _limits(before: dict[str, Any], after: dict[str, Any]) -> tuple[LimitChange, ...]:
    old, new = ({row["name"]: row for row in each["rows"]} for each in (before, after))
    return tuple(
        LimitChange(
            name=name,
            used=_pair(old, new, name, "used"),
            bound=_pair(old, new, name, "limit"),
            price=_pair(old, new, name, "price"),
        )
        for name in [*old, *(name for name in new if name not in old)]
    )


def _pair(old: dict[str, Any], new: dict[str, Any], name: str, key: str) -> tuple[float | None, float | None]:
    return (old.get(name, {}).get(key), new.get(name, {}).get(key))
