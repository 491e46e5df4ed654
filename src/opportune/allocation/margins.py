"""Safety margins: a limit holds with so many standard errors to spare, because forecasts are not what comes out.

The standard error of a row depends on who is chosen, so it is a fixed point: plan, count the error of that plan, keep
that much free, and plan again. The margin kept is a little more than counted, so that the next plan's error fits in it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from opportune.allocation.solver import allocate
from opportune.domain import BrokenPromise, Candidates, Finding, Limit, Plan, Reserved, limit_rows

ROUNDS = 12
SPARE = 1.01

RowErrors = Callable[[np.ndarray], Mapping[str, float]]
"""From whole choices (n,) to the standard error of the left side of each row, by its name."""


def allocate_with_margins(
    candidates: Candidates,
    limits: Sequence[Limit],
    errors: RowErrors,
    gap: float = 1e-4,
    seed: int = 0,
    offers_per_customer: int | None = None,
) -> Plan:
    """Return the plan whose rows hold with ``margin`` standard errors to spare, for limits that name a margin.

    BrokenPromise (OP511) where no plan was found whose errors fit the margin that it keeps.
    """
    kappa = {limit.name: limit.margin for limit in limits if limit.margin is not None}
    plan = allocate(candidates, limits, gap, seed, None, offers_per_customer)
    reserved: dict[str, Reserved] = {}
    for _ in range(ROUNDS if kappa else 0):
        needed = _needed(plan, errors(plan.choice), kappa)
        if all(needed[name] <= reserved.get(name, Reserved()).margin for name in needed):
            return plan
        reserved = {
            name: Reserved(margin=max(SPARE * amount, reserved.get(name, Reserved()).margin))
            for name, amount in needed.items()
        }
        plan = allocate(candidates, limits, gap, seed, plan.prices, offers_per_customer, reserved)
    if kappa:
        raise BrokenPromise([_unsettled(name) for name in kappa])
    return plan


def _needed(plan: Plan, errors: Mapping[str, float], kappa: Mapping[str, float]) -> dict[str, float]:
    """Return what each row of a limit with a margin must keep free under a plan."""
    rows = limit_rows(plan.places)
    of_limit = {row.name: plan.places[row.source].limit.name for row in rows}
    return {name: kappa[limit] * errors[name] for name, limit in of_limit.items() if limit in kappa}


def _unsettled(name: str) -> Finding:
    message = f"finds no plan whose error fits its margin after {ROUNDS} rounds: expected them to agree"
    step = "set a smaller margin, or relax the limit"
    return Finding(
        code="OP511", source="limits.toml", subject=f"limit '{name}'.margin", message=message, next_step=step
    )
