"""The holdout: customers left alone at random, whatever their value, so that the next report can say uplift."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from opportune.allocation import allocate, is_cut_short
from opportune.domain import Candidates, Limit, Opportunities, Plan
from opportune.numerics import keyed_uniform
from opportune.workflow.make_plan import margins_of, value_unexplored
from opportune.workflow.settings import Settings


def draw_holdout(settings: Settings, batch: Opportunities) -> np.ndarray:
    """Return the mask (n,) of customers left alone, drawn by customer and list: asking again draws the same."""
    draw = keyed_uniform(settings.identity.seed, f"holdout {batch.at}", batch.customer_id)
    return np.asarray(draw < settings.holdout)


def without(everyone: Candidates, held_out: np.ndarray) -> Candidates:
    """Return the candidates with no offer for those held out."""
    if not held_out.any():
        return everyone
    kept = ~held_out[:, None]
    return msgspec.structs.replace(
        everyone,
        eligible=everyone.eligible & kept,
        value=np.where(kept, everyone.value, 0.0),
        uses={name: np.where(kept, amounts, 0.0) for name, amounts in everyone.uses.items()},
    )


def holdout_cost(
    settings: Settings, everyone: Candidates, held_out: np.ndarray, made: Plan, limits: Sequence[Limit]
) -> dict[str, Any]:
    """Return the share, the number of customers, and the planned value that leaving them alone gives up.

    The cost is the value of the best plan with everyone less that of the plan made, under the same limits and margins,
    neither of them exploring.
    """
    cost = 0.0
    if held_out.any():
        whole = allocate(everyone, limits, start=made.prices, reserved=margins_of(made), **settings.asked)
        if is_cut_short(whole):
            raise KeyboardInterrupt
        cost = whole.certificate.value - value_unexplored(made)
    return {"share": settings.holdout, "customers": len(set(everyone.customer_id[held_out])), "cost": cost}
