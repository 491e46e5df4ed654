"""Opportune: which loan offer, if any, each customer should see, and the evidence of what that was worth.

Rooms are loaded when first touched, so that ``import opportune`` stays light.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "domain",
    "numerics",
    "tables",
    "features",
    "offers",
    "models",
    "economics",
    "allocation",
    "evaluation",
    "decisioning",
    "reports",
    "workflow",
)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"opportune.{name}")
    if name == "Project":
        return import_module("opportune.project").Project
    raise AttributeError(f"module 'opportune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_ROOMS, "Project", "__version__"])
