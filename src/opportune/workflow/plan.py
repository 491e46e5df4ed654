"""Plan: candidates of the list, the allocation under limits, its certificate and the frontier."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.allocation import allocate, frontier
from opportune.decisioning import Rulebook, candidates, choose, unit_charges
from opportune.domain import NO_OFFER_ID, BadInput, Candidates, Facts, Finding, Opportunities, Plan
from opportune.models import load
from opportune.offers import PricedCatalogue
from opportune.tables import canonical_json, sha256_bytes, write_json, write_parquet
from opportune.workflow.examples import example_choices
from opportune.workflow.frames import open_tables, opportunities_at, read_facts
from opportune.workflow.holdout import draw_holdout, holdout_cost, without
from opportune.workflow.relaxed import write_relaxed
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.workflow.recorded import Recorded


def plan(settings: Settings, out: Path) -> None:
    """Write ``plan/``: candidates, plan, probabilities, certificate, frontier, holdout, and what each limit costs.

    BadInput (OP830) when nobody on the list is eligible.
    """
    batch = opportunities_at(open_tables(out, settings.directory), settings.plan_at)
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    everyone = candidates(batch, facts, read_rulebook(settings, out))
    _refuse_empty(settings, everyone, facts)
    held_out = draw_holdout(settings, batch)
    options = without(everyone, held_out)
    made = allocate(options, settings.limits, seed=settings.identity.seed)
    write_parquet(out / "plan" / "candidates.parquet", candidates_table(options))
    write_parquet(out / "plan" / "plan.parquet", plan_table(options, made, batch))
    write_parquet(out / "plan" / "probabilities.parquet", probabilities_table(settings, everyone, held_out, made))
    write_json(out / "plan" / "certificate.json", {"prices": made.prices, **msgspec.to_builtins(made.certificate)})
    write_json(out / "plan" / "examples.json", example_choices(settings, options, made))
    write_json(out / "plan" / "holdout.json", holdout_cost(settings, everyone, held_out, made))
    write_relaxed(settings, out, options, made)
    _write_frontier(settings, out, options)


def _refuse_empty(settings: Settings, everyone: Candidates, facts: Facts) -> None:
    """Raise BadInput when no offer is eligible: an empty plan would be optimal, and a mistake."""
    if everyone.eligible.any():
        return
    kept = [f"{int(rule.holds(facts.values[rule.fact]).sum())} pass '{rule.name}'" for rule in settings.conditions]
    message = f"makes none of {len(everyone)} customers eligible: expected some. {', '.join(kept)}".rstrip(". ")
    step = "look at these conditions, and at bands and surfaces of offers.toml; a missing fact passes no condition"
    raise BadInput(
        [Finding(code="OP830", source="offers.toml", subject="eligibility", message=message, next_step=step)]
    )


def read_rulebook(settings: "Settings | Recorded", out: Path) -> Rulebook:
    """Return the draft rulebook: trained models and priced catalogue of ``out`` with the project's assumptions."""
    catalogue = msgspec.json.decode((out / "offers" / "catalogue.json").read_bytes(), type=PricedCatalogue)
    index = read_json(out / "models" / "index.json")
    return Rulebook(
        catalogue=catalogue,
        eligibility=settings.conditions,
        models={role: load(out / "models" / role) for role in settings.models},
        assumptions=settings.assumptions,
        currency=settings.identity.currency,
        features=tuple(settings.features),
        model_hash=sha256_bytes(canonical_json(index["files"])),
    )


def _write_frontier(settings: Settings, out: Path, options: Candidates) -> None:
    declared = settings.frontier
    points = () if declared is None else frontier(
        options, settings.limits, declared.limit, declared.bounds, seed=settings.identity.seed
    )  # fmt: skip
    limit = None if declared is None else declared.limit
    write_json(out / "plan" / "frontier.json", {"limit": limit, "points": msgspec.to_builtins(points)})


def candidates_table(options: Candidates) -> "pa.Table":
    """Return one row per eligible (opportunity, offer), in the shape of DESIGN's table `candidates`."""
    import pyarrow as pa

    row, offer = np.nonzero(options.eligible)
    return pa.table(
        {
            "opportunity_id": pa.array(options.opportunity_id[row], pa.string()),
            "customer_id": pa.array(options.customer_id[row], pa.string()),
            "slot": pa.array(options.slot[row], pa.string()),
            "offer_id": pa.array(np.array(options.offer_ids, dtype=object)[offer], pa.string()),
            "value": options.value[row, offer],
            **{name: uses[row, offer] for name, uses in options.uses.items()},
        }
    )


def plan_table(options: Candidates, made: Plan, batch: Opportunities) -> "pa.Table":
    """Return one row per opportunity with its chosen offer, ``NO_OFFER`` included, in the shape of table `plan`."""
    import pyarrow as pa

    ids = np.array([*options.offer_ids, NO_OFFER_ID], dtype=object)
    return pa.table(
        {
            "opportunity_id": pa.array(batch.opportunity_id, pa.string()),
            "customer_id": pa.array(batch.customer_id, pa.string()),
            "slot": pa.array(batch.slot, pa.string()),
            "offer_id": pa.array(ids[made.choice], pa.string()),
            "probability": np.ones(len(batch)),
            "value": _chosen(options.value, made.choice),
            **{name: _chosen(uses, made.choice) for name, uses in options.uses.items()},
        }
    )


def _chosen(amounts: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Return the entry of each row's chosen offer, zero for ``NO_OFFER``."""
    padded = np.column_stack([amounts, np.zeros(len(amounts))])
    return np.ascontiguousarray(padded[np.arange(len(choice)), choice])


def probabilities_table(settings: Settings, everyone: Candidates, held_out: np.ndarray, made: Plan) -> "pa.Table":
    """Return the probability of every eligible offer and of ``NO_OFFER``, before the holdout was drawn.

    The planned offer has 1 less the share of the holdout, ``NO_OFFER`` the rest. For a customer who was held out the
    planned offer is the one that the prices of limits choose.
    """
    import pyarrow as pa

    by_price = choose(everyone, unit_charges(settings.limits, made.prices)).choice
    intended = np.where(held_out, by_price, made.choice)
    offered = np.column_stack([everyone.eligible, np.ones(len(everyone), dtype=bool)])
    row, offer = np.nonzero(offered)
    ids = np.array([*everyone.offer_ids, NO_OFFER_ID], dtype=object)
    none = len(everyone.offer_ids)
    chosen = np.where(intended < 0, none, intended)
    probability = np.where(offer == chosen[row], 1.0 - settings.holdout, 0.0)
    probability[offer == none] += settings.holdout
    return pa.table(
        {
            "opportunity_id": pa.array(everyone.opportunity_id[row], pa.string()),
            "offer_id": pa.array(ids[offer], pa.string()),
            "probability": probability,
        }
    )
