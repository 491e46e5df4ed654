"""Allocate: the best whole plan under limits, the price of each limit, and a certificate that bounds any other plan.

The solver and its libraries load when first used: a service that only applies prices never needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opportune.allocation.certificate import certify
from opportune.allocation.charges import priced_rows, unit_charges
from opportune.allocation.check import check_limits, columns_of
from opportune.allocation.interruption import is_cut_short, stopped
from opportune.allocation.varied import check_varied, told_as_one, varied_field

if TYPE_CHECKING:
    from opportune.allocation.exploration import ExplorationTerms, draw, explore
    from opportune.allocation.margins import RowErrors, allocate_with_margins
    from opportune.allocation.nearest import nearest_plan
    from opportune.allocation.online import BestOffer, PriceList, best_offer
    from opportune.allocation.pacing import paced, still_planned
    from opportune.allocation.path import FrontierPoint, frontier
    from opportune.allocation.solver import allocate

_LAZY = {
    "allocate": "solver",
    "allocate_with_margins": "margins",
    "RowErrors": "margins",
    "nearest_plan": "nearest",
    "draw": "exploration",
    "explore": "exploration",
    "ExplorationTerms": "exploration",
    "frontier": "path",
    "FrontierPoint": "path",
    "BestOffer": "online",
    "PriceList": "online",
    "best_offer": "online",
    "paced": "pacing",
    "still_planned": "pacing",
}

__all__ = [
    "BestOffer",
    "ExplorationTerms",
    "FrontierPoint",
    "PriceList",
    "RowErrors",
    "allocate",
    "allocate_with_margins",
    "best_offer",
    "certify",
    "check_limits",
    "check_varied",
    "columns_of",
    "draw",
    "explore",
    "frontier",
    "is_cut_short",
    "nearest_plan",
    "paced",
    "priced_rows",
    "still_planned",
    "stopped",
    "told_as_one",
    "unit_charges",
    "varied_field",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"opportune.allocation.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'opportune.allocation' has no attribute {name!r}")
