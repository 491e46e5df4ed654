"""Plan: candidates of the list, the allocation under limits, its certificate and the frontier."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.allocation import frontier, is_cut_short, stopped, told_as_one, varied_field
from opportune.decisioning import Rulebook
from opportune.domain import BadInput, Candidates, Facts, Finding, Interrupted, Limit, Opportunities, Plan
from opportune.models import load
from opportune.offers import PricedCatalogue
from opportune.tables import canonical_json, replace_directory, sha256_bytes, write_json, write_parquet
from opportune.workflow.examples import example_choices
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.holdout import draw_holdout, holdout_cost, without
from opportune.workflow.horizon import Seen, see
from opportune.workflow.horizon_file import write_horizon
from opportune.workflow.limit_amounts import resolved_limits
from opportune.workflow.make_plan import make_plan, margins_of, realised_choice
from opportune.workflow.plan_tables import candidates_table, plan_table, probabilities_table
from opportune.workflow.relaxed import write_relaxed
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json

if TYPE_CHECKING:
    from opportune.workflow.recorded import Recorded


def plan(settings: Settings, out: Path) -> None:
    """Write ``plan/``: candidates, plan, probabilities, certificate, frontier, holdout, and what each limit costs.

    With a horizon the plan is of the list and of the forecast together, and all but certificate, prices and costs is
    told of the list alone; ``horizon.json`` tells of the forecast.

    BadInput (OP830) when nobody on the list is eligible. Interrupted, it writes the best plan so far, labelled so, and
    what can be told of it at once; where the plan was whole by then, it writes that, without what was still to be
    counted of it. Then it raises Interrupted (OP840), so that nothing is built on it unseen.
    """
    engine = open_tables(out, settings.directory)
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    rulebook = read_rulebook(settings, out)
    seen = see(settings, out, engine, rulebook, batch, facts)
    _refuse_empty(settings, seen.everyone.rows(slice(len(batch))), facts)
    held_out = np.concatenate([draw_holdout(settings, batch), np.zeros(seen.ahead, dtype=bool)])
    options = without(seen.everyone, held_out)
    limits = resolved_limits(settings.limits, engine, options.attributes)
    made = seen.told(make_plan(settings, seen, options, limits, rulebook))

    told: list[Finding] = [_interrupted(made)] if is_cut_short(made) else []

    def build(directory: Path) -> None:
        _write_plan(settings, directory, seen, options, held_out, made, batch)
        if not told:
            told.extend(_write_costs(settings, directory, seen, options, held_out, made, limits))

    replace_directory(out / "plan", build)
    if told:
        raise Interrupted(told)


def _write_costs(
    settings: Settings,
    directory: Path,
    seen: Seen,
    options: Candidates,
    held_out: np.ndarray,
    made: Plan,
    limits: Sequence[Limit],
) -> list[Finding]:
    """Write what takes more plans to tell; interrupted, return what is not there (OP840)."""

    def write_holdout() -> None:
        write_json(directory / "holdout.json", holdout_cost(settings, seen.everyone, held_out, made, limits))

    left: dict[str, Callable[[], None]] = {
        "what the holdout costs": write_holdout,
        "what each limit costs": lambda: write_relaxed(settings, directory, options, seen.listed, made, limits),
        "the frontier": lambda: _write_frontier(settings, directory, options, made, limits),
    }
    try:
        for name in list(left):
            left[name]()
            del left[name]
    except (KeyboardInterrupt, SystemError) as error:
        if not stopped(error):
            raise
        return [_uncounted(list(left))]
    return []


def _uncounted(names: Sequence[str]) -> Finding:
    message = f"is whole, and the work was interrupted after it: missing are {', '.join(names)}"
    step = "use the plan as it is, or run again for these"
    return Finding(code="OP840", source="plan", subject="plan/plan.parquet", message=message, next_step=step)


def _interrupted(made: Plan) -> Finding:
    proof = made.certificate
    message = f"was interrupted: the best plan so far is there, worth {proof.value:,.0f}, with a gap of {proof.gap:.1e}"
    step = "use it as it is labelled, or run again to the end"
    return Finding(code="OP840", source="plan", subject="plan/plan.parquet", message=message, next_step=step)


def _write_plan(
    settings: Settings,
    directory: Path,
    seen: Seen,
    options: Candidates,
    held_out: np.ndarray,
    made: Plan,
    batch: Opportunities,
) -> None:
    mine, everyone = options.rows(slice(seen.listed)), seen.everyone.rows(slice(seen.listed))
    of_list, held_out = seen.of_list(made), held_out[: seen.listed]
    choice = realised_choice(settings, of_list, batch)
    write_parquet(directory / "candidates.parquet", candidates_table(mine))
    write_parquet(directory / "plan.parquet", plan_table(mine, of_list, choice, batch))
    share = settings.holdout
    write_parquet(directory / "probabilities.parquet", probabilities_table(everyone, held_out, of_list, share))
    if settings.horizon is not None and settings.horizon.weeks:
        write_horizon(settings.horizon, directory, seen, options, made)
    if not is_cut_short(made):
        write_json(directory / "examples.json", example_choices(mine, of_list))
    write_json(directory / "places.json", made.places)
    write_json(directory / "certificate.json", {"prices": made.prices, **msgspec.to_builtins(made.certificate)})


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


def _write_frontier(
    settings: Settings, directory: Path, options: Candidates, made: Plan, limits: Sequence[Limit]
) -> None:
    """Write ``frontier.json``: the points, each with the margins of the plan, and where the plan itself stands."""
    declared = settings.frontier
    if declared is None:
        write_json(directory / "frontier.json", {"limit": None, "side": None, "plan": None, "points": []})
        return
    asked, reserved = settings.asked, margins_of(made)
    points = frontier(options, limits, declared.limit, declared.bounds, reserved=reserved, **asked)
    used, price = told_as_one(made, declared.limit)
    side = next(varied_field(limit) for limit in limits if limit.name == declared.limit)
    stands = {"used": used, "price": price, "value": made.certificate.value}
    told = {"limit": declared.limit, "side": side, "plan": stands, "points": msgspec.to_builtins(points)}
    write_json(directory / "frontier.json", told)
