"""Plan: candidates of the list, the allocation under limits, its certificate and the frontier."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.allocation import frontier
from opportune.decisioning import Rulebook, candidates
from opportune.domain import BadInput, Candidates, Facts, Finding, Limit, Opportunities, Places, Plan
from opportune.models import load
from opportune.offers import PricedCatalogue
from opportune.tables import canonical_json, replace_directory, sha256_bytes, write_json, write_parquet
from opportune.workflow.examples import example_choices
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.holdout import draw_holdout, holdout_cost, without
from opportune.workflow.limit_amounts import resolved_limits
from opportune.workflow.make_plan import make_plan, realised_choice
from opportune.workflow.plan_tables import candidates_table, plan_table, probabilities_table
from opportune.workflow.relaxed import write_relaxed
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json

if TYPE_CHECKING:
    from opportune.workflow.recorded import Recorded


def plan(settings: Settings, out: Path) -> None:
    """Write ``plan/``: candidates, plan, probabilities, certificate, frontier, holdout, and what each limit costs.

    BadInput (OP830) when nobody on the list is eligible. Interrupted, it writes the best plan so far, labelled so, and
    what can be told of it at once; then it raises KeyboardInterrupt, so that nothing is built on it unseen.
    """
    engine = open_tables(out, settings.directory)
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    rulebook = read_rulebook(settings, out)
    everyone = candidates(batch, facts, rulebook)
    _refuse_empty(settings, everyone, facts)
    held_out = draw_holdout(settings, batch)
    options = without(everyone, held_out)
    limits = resolved_limits(settings.limits, engine, options.attributes)
    made = make_plan(settings, options, limits, batch, facts, rulebook)

    def build(directory: Path) -> None:
        _write_plan(settings, directory, everyone, options, held_out, made, batch)
        if made.certificate.status == "interrupted":
            return
        write_json(directory / "examples.json", example_choices(options, made))
        write_json(directory / "holdout.json", holdout_cost(settings, everyone, held_out, made, limits))
        write_relaxed(settings, directory, options, made, limits)
        _write_frontier(settings, directory, options, limits)

    replace_directory(out / "plan", build)
    if made.certificate.status == "interrupted":
        raise KeyboardInterrupt


def _write_plan(
    settings: Settings,
    directory: Path,
    everyone: Candidates,
    options: Candidates,
    held_out: np.ndarray,
    made: Plan,
    batch: Opportunities,
) -> None:
    choice = realised_choice(settings, made, batch)
    write_parquet(directory / "candidates.parquet", candidates_table(options))
    write_parquet(directory / "plan.parquet", plan_table(options, made, choice, batch))
    write_parquet(directory / "probabilities.parquet", probabilities_table(everyone, held_out, made, settings.holdout))
    write_json(directory / "places.json", made.places)
    write_json(directory / "certificate.json", {"prices": made.prices, **msgspec.to_builtins(made.certificate)})


def read_places(out: Path) -> tuple[Places, ...]:
    """Return the limits of the plan in ``out`` with the values that they have rows for."""
    return msgspec.json.decode((out / "plan" / "places.json").read_bytes(), type=tuple[Places, ...])


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


def _write_frontier(settings: Settings, directory: Path, options: Candidates, limits: Sequence[Limit]) -> None:
    declared = settings.frontier
    points = () if declared is None else frontier(
        options, limits, declared.limit, declared.bounds, seed=settings.identity.seed,
        offers_per_customer=settings.objective.offers_per_customer,
    )  # fmt: skip
    limit = None if declared is None else declared.limit
    write_json(directory / "frontier.json", {"limit": limit, "points": msgspec.to_builtins(points)})
