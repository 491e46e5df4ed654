"""Propose: the catalogue of offers and who is eligible for them."""

from opportune.offers.catalogue import Band, Catalogue, PriceAxis, PricedCatalogue, price_catalogue
from opportune.offers.check import check_catalogue, check_eligibility
from opportune.offers.eligibility import Eligibility, eligible_rows, failed_reasons

__all__ = [
    "Band",
    "Catalogue",
    "Eligibility",
    "PriceAxis",
    "PricedCatalogue",
    "check_catalogue",
    "check_eligibility",
    "eligible_rows",
    "failed_reasons",
    "price_catalogue",
]
