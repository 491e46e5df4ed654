"""Three customers of a plan that show how it chooses: the clearest case, the closest call, and one left alone."""

from typing import Any

import msgspec
import numpy as np

from opportune.decisioning import choose, explain_choice, unit_charges
from opportune.domain import Candidates, Plan


def example_choices(options: Candidates, made: Plan) -> list[dict[str, Any]]:
    """Return up to three customers as plain data: why each was picked, and the two best offers with their charges."""
    return [
        {"why": why, **msgspec.to_builtins(explain_choice(options, made.places, made.prices, row))}
        for why, row in _picked(options, made).items()
    ]


def _picked(options: Candidates, made: Plan) -> dict[str, int]:
    net = choose(options, unit_charges(made.places, made.prices, options.attributes)).net
    ranked = np.sort(np.column_stack([np.where(options.eligible, net, -np.inf), np.zeros(len(options))]), axis=1)
    margin, worth = ranked[:, -1] - ranked[:, -2], np.where(options.eligible, options.value, 0.0).max(axis=1)
    offered = np.flatnonzero(made.choice >= 0)
    spared = np.flatnonzero((made.choice < 0) & (worth > 0.0))
    picked = {}
    if len(offered):
        picked["the clearest case"] = int(offered[np.argmax(margin[offered])])
        picked["the closest call"] = int(offered[np.argmin(margin[offered])])
    if len(spared):
        picked["left alone although worth most"] = int(spared[np.argmax(worth[spared])])
    return picked
