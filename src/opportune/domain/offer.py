"""An offer: product and terms that could be extended to a customer."""

import msgspec


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A product with its terms; units stand in the names of the terms (``monthly_rate_pp``, ``term_months``)."""

    offer_id: str
    product: str
    terms: dict[str, float]
    claim: str = ""


NO_OFFER_ID = "NO_OFFER"
NO_OFFER = Offer(offer_id=NO_OFFER_ID, product="none", terms={})
"""Leaving the customer alone: an ordinary offer of value zero that uses nothing."""
