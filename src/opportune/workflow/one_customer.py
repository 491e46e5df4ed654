"""One customer of a plan: what they get, why, and what each limit charges for the winner and the runner-up."""

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from opportune.decisioning import ChoiceExplained, OfferExplained, candidates, explain_choice
from opportune.domain import NO_OFFER_ID, BadInput, Finding, Opportunities
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, positions, read_facts
from opportune.workflow.holdout import draw_holdout
from opportune.workflow.places import read_places
from opportune.workflow.plan import read_rulebook
from opportune.workflow.planned import read_planned
from opportune.workflow.settings import Settings

Because = Literal["most left", "nothing eligible", "holdout", "drawn", "offers per customer", "whole customers"]


class OpportunityExplained(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity of the customer: what it ``gets`` and ``because`` of what, with its best offers in money.

    ``ranked``: winner and runner-up at the prices of the limits, and after them what it gets where that is neither.
    ``because``: ``most left`` of the winner; ``nothing eligible``; ``holdout``, left alone at random; ``drawn`` with
    ``probability``, in order to learn; ``offers per customer``, another opportunity of the customer got one; ``whole
    customers``, offers lie so near each other that limits are met by giving some customers the one and some the other.
    """

    opportunity_id: str
    surface: str
    slot: str
    gets: str
    probability: float
    because: Because
    ranked: tuple[OfferExplained, ...]


class CustomerExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Why the plan chose what it did for one customer, an entry for each opportunity on the list."""

    customer_id: str
    opportunities: tuple[OpportunityExplained, ...]


class _Given(msgspec.Struct, frozen=True):
    """What the plan gives to each opportunity of a customer, arrays (n,)."""

    offer_id: list[str]
    probability: list[float]
    held_out: np.ndarray
    full: bool
    """Whether the customer has as many offers as one may have."""


def explain_customer(settings: Settings, out: Path, customer_id: str) -> CustomerExplained:
    """Return why the plan in ``out`` chose as it did for one customer of its list. BadInput (OP845) for a stranger.

    Those of the holdout are told with the offers that they would have had.
    """
    listed = opportunities_at(open_tables(out, settings.directory), settings.plan_at, context_columns(settings))
    batch = listed.take(np.flatnonzero(listed.customer_id == customer_id))
    if not len(batch):
        raise BadInput([_stranger(customer_id, listed)])
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    options = candidates(batch, facts, read_rulebook(settings, out))
    places, prices, given = read_places(out), read_planned(out).prices, _given(settings, out, batch)
    every = len(options.offer_ids) + 1
    told = [explain_choice(options, places, prices, row, every) for row in range(len(batch))]
    explained = tuple(_explained(batch, given, row, choice) for row, choice in enumerate(told))
    return CustomerExplained(customer_id=customer_id, opportunities=explained)


def _given(settings: Settings, out: Path, batch: Opportunities) -> _Given:
    import pyarrow.parquet as pq

    mine = [("customer_id", "=", str(batch.customer_id[0]))]
    table = pq.read_table(out / "plan" / "plan.parquet", filters=mine)
    table = table.take(positions(table["opportunity_id"].to_numpy(), batch.opportunity_id, "plan/plan.parquet"))
    offers = table["offer_id"].to_pylist()
    offered = sum(offer != NO_OFFER_ID for offer in offers)
    full = offered == settings.objective.offers_per_customer
    return _Given(offers, table["probability"].to_pylist(), draw_holdout(settings, batch), full)


def _explained(batch: Opportunities, given: _Given, row: int, choice: ChoiceExplained) -> OpportunityExplained:
    gets, ranked = given.offer_id[row], choice.ranked
    return OpportunityExplained(
        opportunity_id=choice.opportunity_id,
        surface=str(batch.surface[row]),
        slot=str(batch.slot[row]),
        gets=gets,
        probability=given.probability[row],
        because=_because(given, row, ranked),
        ranked=(*ranked[:2], *(offer for offer in ranked[2:] if offer.offer_id == gets)),
    )


def _because(given: _Given, row: int, ranked: tuple[OfferExplained, ...]) -> Because:
    if len(ranked) == 1:
        return "nothing eligible"
    if given.held_out[row]:
        return "holdout"
    if given.probability[row] < 1.0:
        return "drawn"
    if given.offer_id[row] == ranked[0].offer_id:
        return "most left"
    return "offers per customer" if given.full and given.offer_id[row] == NO_OFFER_ID else "whole customers"


def _stranger(customer_id: str, listed: Opportunities) -> Finding:
    message = (
        f"has no opportunity on the list of {listed.at}: expected the customer of one of its {len(listed):,} "
        f"opportunities, such as {listed.customer_id[0]}"
    )
    step = "copy a customer_id from plan/plan.parquet, or name the list with --as-of"
    return Finding(code="OP845", source="--customer", subject=customer_id, message=message, next_step=step)
