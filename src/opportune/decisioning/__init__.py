"""Decide: candidates, choose, decide. One definition for list, request, replay and simulation."""

from opportune.decisioning.candidates import candidates, forecast, value_by_member, value_offers
from opportune.decisioning.choose import Choices, choose, unit_charges
from opportune.decisioning.decide import decide
from opportune.decisioning.release import Release, hashed_files, models_hash, open_release, seal
from opportune.decisioning.rulebook import Rulebook

__all__ = [
    "Choices",
    "Release",
    "Rulebook",
    "candidates",
    "choose",
    "decide",
    "forecast",
    "hashed_files",
    "models_hash",
    "open_release",
    "seal",
    "unit_charges",
    "value_by_member",
    "value_offers",
]
