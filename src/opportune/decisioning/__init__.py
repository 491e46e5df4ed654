"""Decide: candidates, choose, decide. One definition for list, request, replay and simulation."""

from opportune.allocation import unit_charges
from opportune.decisioning.candidates import (
    attributes_of,
    candidates,
    forecast,
    value_by_member,
    value_forecast,
    value_offers,
)
from opportune.decisioning.choose import Choices, choose, limit_charges
from opportune.decisioning.decide import decide
from opportune.decisioning.explain import ChoiceExplained, OfferExplained, explain_choice
from opportune.decisioning.release import Release, hashed_files, models_hash, open_release, seal
from opportune.decisioning.rulebook import Rulebook

__all__ = [
    "ChoiceExplained",
    "Choices",
    "OfferExplained",
    "Release",
    "Rulebook",
    "attributes_of",
    "candidates",
    "choose",
    "decide",
    "explain_choice",
    "forecast",
    "hashed_files",
    "limit_charges",
    "models_hash",
    "open_release",
    "seal",
    "unit_charges",
    "value_by_member",
    "value_forecast",
    "value_offers",
]
