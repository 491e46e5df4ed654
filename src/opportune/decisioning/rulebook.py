"""What a decision needs besides prices: catalogue, eligibility, models and assumptions, loaded and ready."""

import msgspec

from opportune.economics import Economics
from opportune.models import Model
from opportune.offers import Eligibility, PricedCatalogue


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a release that turn facts into candidates. ``models`` maps a role to its model."""

    catalogue: PricedCatalogue
    eligibility: tuple[Eligibility, ...]
    models: dict[str, Model]
    assumptions: Economics
    currency: str
    features: tuple[str, ...]
    """Names of the facts that a decision must be given."""
    model_hash: str = ""
