"""How far what comes out may lie from what a plan expects of its limits: who taught the models, and chance."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from opportune.decisioning import Rulebook, forecast, value_by_member
from opportune.domain import Facts, Limit, LimitRow, Opportunities, limit_rows, places_of
from opportune.economics import RESOURCE_QUANTITIES
from opportune.numerics import jackknife_variance


def row_errors(
    limits: Sequence[Limit],
    attributes: Mapping[str, np.ndarray],
    batch: Opportunities,
    facts: Facts,
    rulebook: Rulebook,
    folds: int,
) -> Callable[[np.ndarray], Mapping[str, float]]:
    """Return the function from choices (n,) to the standard error of each row's left side, by name.

    Its square is the grouped jackknife over the clusters that taught the models, plus the chance of who takes up: a use
    that is u when expected with probability p comes out as u / p or 0, a variance of u^2 (1 - p) / p. A row about a
    scenario has the error of what is expected: the scenario is taken as given.
    """
    places = places_of(limits, [attributes])
    rows, codes = limit_rows(places), [each.codes(attributes) for each in places]
    take_up = forecast(batch, facts, rulebook).quantities["response"]

    def errors(choice: np.ndarray) -> dict[str, float]:
        members = [value.uses for value in value_by_member(batch, facts, choice, rulebook)]
        chosen = np.flatnonzero(choice >= 0)
        chance = (1.0 / np.clip(take_up[chosen, choice[chosen]], 1e-9, 1.0)) - 1.0
        found = {}
        for row in rows:
            about = row.multiplier(codes[row.source])
            parts = [_left(row, uses, about) for uses in members]
            taught = np.array([part.sum() for part in parts]).reshape(-1, folds)
            mean = np.mean(parts, axis=0)
            drawn = float(np.sum(mean[chosen] ** 2 * chance)) if _is_chance(row) else 0.0
            found[row.name] = float(np.sqrt(jackknife_variance(taught) + drawn))
        return found

    return errors


def _left(row: LimitRow, uses: Mapping[str, np.ndarray], about: np.ndarray | None) -> np.ndarray:
    """Return what each opportunity adds to the left side of a row (n,)."""
    amounts = uses[row.uses] if row.per is None else uses[row.uses] - row.bound * uses[row.per]
    return amounts if about is None else about * amounts


def _is_chance(row: LimitRow) -> bool:
    """Return whether a row is about something that depends on who takes up."""
    named = [name.split(" in ")[0] for name in (row.uses, row.per) if name is not None]
    return any(RESOURCE_QUANTITIES.get(name, ("response",)) for name in named)
