"""Propose: the catalogue of offers and who is eligible for them."""

from opportune.offers.catalogue import Band, Catalogue, PriceAxis, PricedCatalogue, price_catalogue
from opportune.offers.check import check_catalogue, check_eligibility
from opportune.offers.eligibility import Eligibility, eligible_rows, failed_reasons
from opportune.offers.rules import RulePack, check_packs, conditions_at

__all__ = [
    "Band",
    "Catalogue",
    "Eligibility",
    "PriceAxis",
    "PricedCatalogue",
    "RulePack",
    "check_catalogue",
    "check_eligibility",
    "check_packs",
    "conditions_at",
    "eligible_rows",
    "failed_reasons",
    "price_catalogue",
]
