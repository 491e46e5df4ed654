"""Safety margins: a limit holds with so many standard errors to spare, because forecasts are not what comes out.

The standard error of a row depends on who is chosen, so it is a fixed point: plan, count the error of that plan, keep
that much free, and plan again. The margin kept is a little more than counted, so that the next plan's error fits in it.
The first plans may err by more than the one that fits, and then it keeps more than it needs: a few plans between what
it counts and what it keeps bring the margin down again.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation.interruption import cut_short, is_cut_short, stopped
from opportune.allocation.solver import allocate, quick_plan
from opportune.domain import BrokenPromise, Candidates, Finding, Limit, Plan, Reserved, limit_rows

ROUNDS = 12
SPARE = 1.01
LOOSE, SHRINKS = 1.05, 5
"""A margin of more than this times the error counted is brought down, by so many more plans at most."""

RowErrors = Callable[[np.ndarray], Mapping[str, float]]
"""From whole choices (n,) to the standard error of the left side of each row, by its name."""


class Tried(msgspec.Struct, frozen=True):
    """A plan with the margins that it keeps, by row, and those that its own errors need."""

    plan: Plan
    kept: dict[str, float]
    needed: dict[str, float]

    @property
    def fits(self) -> bool:
        """Whether the margins kept are as large as the plan needs."""
        return all(amount <= self.kept.get(name, 0.0) for name, amount in self.needed.items())

    @property
    def loose(self) -> bool:
        """Whether some margin is well above what the plan needs."""
        return any(self.kept[name] > LOOSE * amount for name, amount in self.needed.items())

    def spared(self) -> dict[str, float]:
        """Return a little more than the plan needs."""
        return {name: SPARE * amount for name, amount in self.needed.items()}


Attempt = Callable[[Mapping[str, float], Mapping[str, float] | None], Tried]
"""From margins to keep and prices to start from to the best plan that keeps them."""


def allocate_with_margins(
    candidates: Candidates,
    limits: Sequence[Limit],
    errors: RowErrors,
    gap: float = 1e-4,
    seed: int = 0,
    offers_per_customer: int | None = None,
) -> Plan:
    """Return the plan whose rows hold with ``margin`` standard errors to spare, for limits that name a margin.

    Interrupted (Ctrl-C), it stops at once: the last plan whose errors fit comes back, or one made quickly that keeps
    its margins, and its certificate says ``interrupted``.

    BrokenPromise (OP511) where no plan was found whose errors fit the margin that it keeps.
    """
    kappa = {limit.name: limit.margin for limit in limits if limit.margin is not None}

    def told(plan: Plan, kept: Mapping[str, float]) -> Tried:
        return Tried(plan, dict(kept), _needed(plan, errors(plan.choice), kappa))

    def attempt(kept: Mapping[str, float], start: Mapping[str, float] | None) -> Tried:
        return told(allocate(candidates, limits, gap, seed, start, offers_per_customer, _reserved(kept)), kept)

    def quick(kept: Mapping[str, float], start: Mapping[str, float]) -> Tried:
        plan = quick_plan(candidates, limits, gap, seed, start, offers_per_customer, _reserved(kept))
        if plan is None:
            raise KeyboardInterrupt
        return told(plan, kept)

    if not kappa:
        return allocate(candidates, limits, gap, seed, None, offers_per_customer)
    found = attempt({}, None)
    for _ in range(ROUNDS):
        if found.fits:
            return _shrunk(found, attempt)
        again = quick if is_cut_short(found.plan) else attempt
        found = again(_raised(found), found.plan.prices)
    raise BrokenPromise([_unsettled(name) for name in kappa])


def _reserved(kept: Mapping[str, float]) -> dict[str, Reserved]:
    return {name: Reserved(margin=amount) for name, amount in kept.items()}


def _raised(tried: Tried) -> dict[str, float]:
    return {name: max(amount, tried.kept.get(name, 0.0)) for name, amount in tried.spared().items()}


def _shrunk(found: Tried, attempt: Attempt) -> Plan:
    """Return a plan that keeps little more than it needs, or the nearest to it that a few bisections find."""
    too_small: Mapping[str, float] | None = None
    for _ in range(SHRINKS):
        if is_cut_short(found.plan) or not found.loose:
            break
        try:
            tried = attempt(_between(found, too_small), found.plan.prices)
        except BrokenPromise:
            break
        except (KeyboardInterrupt, SystemError) as error:
            if not stopped(error):
                raise
            return cut_short(found.plan)
        if is_cut_short(tried.plan):
            return cut_short(found.plan)
        found, too_small = (tried, too_small) if tried.fits else (found, tried.kept)
    return found.plan


def _between(found: Tried, too_small: Mapping[str, float] | None) -> dict[str, float]:
    """Return margins from what a plan needs, or half-way from those that were too small, up to those it keeps."""
    middle = {} if too_small is None else {name: (low + found.kept[name]) / 2.0 for name, low in too_small.items()}
    return {name: min(max(low, middle.get(name, 0.0)), found.kept[name]) for name, low in found.spared().items()}


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
