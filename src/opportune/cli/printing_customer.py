"""Printing: why one customer gets what they get."""

from typing import TYPE_CHECKING

from opportune.cli.printing import number, print_table

if TYPE_CHECKING:
    from opportune.workflow.one_customer import CustomerExplained, OpportunityExplained

PLACES = ("winner", "runner-up", "gets")
BECAUSE = {
    "most left": "most is left of it once limits have charged for what it uses",
    "nothing eligible": "no offer is eligible",
    "holdout": "the customer is in the holdout, left alone at random, whatever offers are worth",
    "offers per customer": "other opportunities of the customer have as many offers as one customer may have",
    "whole customers": "offers lie this near each other: some customers get the one and some the other, to meet limits",
}
NOTHING_LEFT = "nothing is left of any offer once limits have charged for what it uses"


def print_customer(told: "CustomerExplained | None", currency: str) -> None:
    """Print a table for each opportunity of the customer, winner and runner-up side by side; nothing where none is."""
    if told is None:
        return
    for each in told.opportunities:
        title = f"Customer {told.customer_id}, opportunity {each.opportunity_id}: {each.gets}, because {_because(each)}"
        print_table(title, ["", *_places(each)], _rows(each, currency))


def _because(told: "OpportunityExplained") -> str:
    from opportune.domain import NO_OFFER_ID

    if told.because == "drawn":
        return f"the plan explores here and drew it with probability {told.probability:.4g}"
    if told.because == "most left" and told.gets == NO_OFFER_ID:
        return NOTHING_LEFT
    return BECAUSE[told.because]


def _places(told: "OpportunityExplained") -> list[str]:
    return [f"{place}: {offer.offer_id}" for place, offer in zip(PLACES, told.ranked, strict=False)]


def _rows(told: "OpportunityExplained", currency: str) -> list[list[str]]:
    """Return value, the charge of each limit and what is left, one column per offer."""
    limits = list(told.ranked[0].charges)
    return [
        [f"value, {currency}", *(number(offer.value) for offer in told.ranked)],
        *([f"charge of {name}", *(number(offer.charges[name]) for offer in told.ranked)] for name in limits),
        ["left", *(number(offer.net) for offer in told.ranked)],
    ]
