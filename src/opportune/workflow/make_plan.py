"""Make a plan: the allocation with what a project asks of it beside limits, and what its draw realises."""

from collections.abc import Sequence

import numpy as np

from opportune.allocation import (
    ExplorationTerms,
    allocate,
    allocate_with_margins,
    draw,
    explore,
    is_cut_short,
    nearest_plan,
)
from opportune.decisioning import Rulebook
from opportune.domain import BrokenPromise, Candidates, Finding, Limit, Opportunities, Plan, Reserved
from opportune.numerics import keyed_uniform
from opportune.workflow.horizon import Seen
from opportune.workflow.row_errors import row_errors
from opportune.workflow.settings import Exploration, Settings


def make_plan(settings: Settings, seen: Seen, options: Candidates, limits: Sequence[Limit], rulebook: Rulebook) -> Plan:
    """Return the plan of what is seen under resolved limits, with margins and exploring where the project says so.

    ``options`` are what is seen without those held out. Of the forecast nothing is tried: it teaches nobody.

    BrokenPromise (OP510, OP512) where limits cannot hold together: which, the way out of each, and the nearest plan
    where one was found.
    """
    try:
        return _planned(settings, seen, options, limits, rulebook)
    except BrokenPromise as error:
        near = nearest_plan(options, limits, **settings.asked)
        raise BrokenPromise([*error.findings, _told(near)]) from error


def _planned(settings: Settings, seen: Seen, options: Candidates, limits: Sequence[Limit], rulebook: Rulebook) -> Plan:
    terms = settings.exploration
    if any(limit.margin is not None for limit in limits):
        errors = row_errors(limits, options.attributes, seen.batch, seen.facts, rulebook, _folds(settings))
        plan = allocate_with_margins(options, limits, errors, **settings.asked)
    else:
        plan = allocate(options, limits, **settings.asked)
    if terms.floor is None or terms.budget is None or is_cut_short(plan):
        return plan
    allowed = explorable(terms, options, rulebook)
    allowed[seen.listed :] = False
    explored = ExplorationTerms(floor=terms.floor, budget=terms.budget)
    return explore(options, limits, plan, allowed, explored, settings.objective.offers_per_customer, margins_of(plan))


def margins_of(plan: Plan) -> dict[str, Reserved]:
    """Return the margins that a plan keeps free, by row: plans that are compared with it must keep them too."""
    return {row.name: Reserved(margin=row.margin) for row in plan.certificate.rows if row.margin}


def value_unexplored(plan: Plan) -> float:
    """Return what a plan would be worth without exploring: a plan that does not explore is compared with that."""
    told = plan.certificate.explored
    return plan.certificate.value + (0.0 if told is None else told.cost)


def _folds(settings: Settings) -> int:
    return next(iter(settings.models.values())).folds


def _told(near: Plan | None) -> Finding:
    """Return what the nearest plan passes and what it is worth, or that none was found."""
    if near is None:
        message, step = "was not found: expected one that passes the limits by little", "relax a limit as told above"
    else:
        proof = near.certificate
        passed = [f"{row.name} ({row.used:g} where {row.limit:g} is asked)" for row in proof.rows if row.slack < 0.0]
        message = f"passes {', '.join(passed) or 'nothing by more than a hair'} and is worth {proof.value:,.0f}"
        step = "relax these limits to what it uses, and it is the best plan"
    return Finding(code="OP512", source="limits.toml", subject="the nearest plan", message=message, next_step=step)


def explorable(terms: Exploration, options: Candidates, rulebook: Rulebook) -> np.ndarray:
    """Return which offers (n, K) may be tried: none dearer than the standard offer, none too large, none too often."""
    price = rulebook.catalogue.terms(options.attributes[rulebook.catalogue.catalogue.price.band])
    dear = next(iter(price.values()))
    allowed = options.eligible & (dear <= dear[:, [options.offer_ids.index(str(terms.standard))]])
    for resource, largest in terms.largest.items():
        allowed &= options.uses[resource] <= largest
    if terms.tried is not None and terms.repeats is not None:
        tried = np.asarray(options.attributes[terms.tried], dtype=np.float64)
        allowed &= (tried < terms.repeats)[:, None]  # a count that is not known bars trying
    return allowed


def realised_choice(settings: Settings, made: Plan, batch: Opportunities) -> np.ndarray:
    """Return what each opportunity gets (n,): drawn by customer and list, so that asking again draws the same."""
    if made.probability is None:
        return made.choice
    return draw(made.probability, keyed_uniform(settings.identity.seed, f"explore {batch.at}", batch.customer_id))
