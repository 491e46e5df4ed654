"""The economics of a project's offers, of the kind that economics.toml says: what it needs, uses and is worth."""

from typing import Any

import msgspec
import numpy as np

from opportune.domain import Forecast, Value
from opportune.economics import flat_loans, instalment_offers
from opportune.economics.assumptions import AS_ASSUMED, FIGURES, Assumption, Assumptions
from opportune.economics.booked_offers import BOOKED, realised_offers
from opportune.economics.flat_loans import QUANTITIES, RESOURCE_QUANTITIES, expected_value, realised_value
from opportune.economics.instalment_offers import OFFER_UNITS, InstalmentAssumptions, offers_value
from opportune.economics.lifetime_assumptions import UNITS

FLAT_BOOKED = ("interest", "amount_lent", "amount_months", "term_months", "arrears")
Economics = Assumptions | InstalmentAssumptions
"""Flat-rate loans by formula, or instalment loans by lifetime curves (``kind = "instalment"``)."""


def quantities_of(given: Economics) -> tuple[str, ...]:
    """Return the roles of models.toml that a forecast of the offers must hold."""
    return given.quantities if isinstance(given, InstalmentAssumptions) else QUANTITIES


def resources_used(given: Economics) -> dict[str, tuple[str, ...]]:
    """Return the limited resources that an offer uses, each with the quantities that it depends on."""
    return given.resources if isinstance(given, InstalmentAssumptions) else dict(RESOURCE_QUANTITIES)


def figures_of(given: Economics) -> tuple[str, ...]:
    """Return the names of the assumptions that economics.toml must give."""
    return (*UNITS, *OFFER_UNITS) if isinstance(given, InstalmentAssumptions) else FIGURES


def assumptions_of(given: Economics) -> dict[str, Assumption]:
    """Return each assumption of economics.toml by its name."""
    if isinstance(given, InstalmentAssumptions):
        of_loans = {name: getattr(given.loans, name) for name in UNITS}
        return {**of_loans, **{name: getattr(given, name) for name in OFFER_UNITS}}
    return {name: getattr(given, name) for name in FIGURES}


def contribution_says(given: Economics) -> str:
    """Return what contribution is made of, in words, with the scenario where it is not the forecast itself."""
    says = instalment_offers.SAYS if isinstance(given, InstalmentAssumptions) else flat_loans.SAYS
    scenario = given.scenario
    return says if scenario == AS_ASSUMED else f"{says} Forecasts are in the scenario {scenario.name}: {scenario.says}."


def value_of_offers(forecast: Forecast, price: np.ndarray, band: np.ndarray, given: Economics, currency: str) -> Value:
    """Return lifetime lines and uses per offer, in the shape of ``price``, (n,) or (n, K); ``band`` (n,)."""
    if isinstance(given, InstalmentAssumptions):
        return offers_value(forecast, price, band, given, currency)
    return expected_value(forecast, price, given, currency)


def booked_columns(given: Economics) -> tuple[str, ...]:
    """Return the columns of `outcomes` that the value of a booked loan is made of."""
    return BOOKED if isinstance(given, InstalmentAssumptions) else FLAT_BOOKED


def value_of_booked(
    taken: np.ndarray,
    outcomes: dict[str, np.ndarray],
    given: Economics,
    currency: str,
    contacted: np.ndarray | float = 1.0,
) -> Value:
    """Return lifetime lines and uses per decision (n,) from booked outcomes; zero where ``taken`` is 0.

    Where nobody was ``contacted`` (n,) a loan is one that the customer took unasked: it has no cost of contact.
    """
    if isinstance(given, InstalmentAssumptions):
        return realised_offers(taken, outcomes, given, currency, contacted)
    return realised_value(taken, outcomes, given, currency, contacted)


def economics_from(plain: Any) -> Economics:
    """Return the economics of plain data, such as JSON: what a release or the record of a plan holds."""
    if isinstance(plain, dict) and "kind" in plain:
        return msgspec.convert(plain, InstalmentAssumptions)
    return msgspec.convert(plain, Assumptions)
