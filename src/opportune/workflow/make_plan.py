"""Make a plan: the allocation with what a project asks of it beside limits, and what its draw realises."""

from collections.abc import Sequence

import numpy as np

from opportune.allocation import ExplorationTerms, allocate, draw, explore
from opportune.decisioning import Rulebook
from opportune.domain import Candidates, Facts, Limit, Opportunities, Plan
from opportune.numerics import keyed_uniform
from opportune.workflow.settings import Exploration, Settings


def make_plan(
    settings: Settings,
    options: Candidates,
    limits: Sequence[Limit],
    batch: Opportunities,
    facts: Facts,
    rulebook: Rulebook,
) -> Plan:
    """Return the plan of a list under resolved limits, exploring where the project says so."""
    seed, most = settings.identity.seed, settings.objective.offers_per_customer
    terms = settings.exploration
    if terms.floor is None or terms.budget is None:
        return allocate(options, limits, seed=seed, offers_per_customer=most)
    return explore(
        options, limits, explorable(terms, options, rulebook), ExplorationTerms(floor=terms.floor, budget=terms.budget),
        seed=seed, offers_per_customer=most,
    )  # fmt: skip


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
