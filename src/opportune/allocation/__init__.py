"""Allocate: the best whole plan under limits, the price of each limit, and a certificate that bounds any other plan.

The solver and its libraries load when first used: a service that only applies prices never needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opportune.allocation.certificate import certify
from opportune.allocation.check import check_limits, columns_of

if TYPE_CHECKING:
    from opportune.allocation.exploration import ExplorationTerms, draw, explore
    from opportune.allocation.path import FrontierPoint, frontier
    from opportune.allocation.solver import allocate

_LAZY = {
    "allocate": "solver",
    "draw": "exploration",
    "explore": "exploration",
    "ExplorationTerms": "exploration",
    "frontier": "path",
    "FrontierPoint": "path",
}

__all__ = [
    "ExplorationTerms",
    "FrontierPoint",
    "allocate",
    "certify",
    "check_limits",
    "columns_of",
    "draw",
    "explore",
    "frontier",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"opportune.allocation.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'opportune.allocation' has no attribute {name!r}")
