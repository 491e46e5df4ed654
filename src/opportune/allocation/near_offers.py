"""Near offers: which offers exploring tries, those that lie nearest to the best one after charges."""

from collections.abc import Mapping, Sequence

import numpy as np

from opportune.allocation.charges import unit_charges
from opportune.domain import Candidates, Limit, Plan, Reserved, limit_rows, places_of


def distances(candidates: Candidates, plain: Plan, allowed: np.ndarray, most: int | None) -> np.ndarray:
    """Return by how much each allowed offer (n, K) is worth less than the best choice after charges; inf where barred.

    Where a customer may get only so many offers over several rows, a row without an offer is not explored.
    """
    net = candidates.value.copy()
    for resource, charge in unit_charges(plain.places, plain.prices, candidates.attributes).items():
        net -= charge * candidates.uses[resource]
    best = np.maximum(np.where(candidates.eligible, net, -np.inf).max(axis=1, initial=-np.inf), 0.0)
    usable = allowed & candidates.eligible
    if most is not None:
        usable = usable & (plain.choice >= 0)[:, None]
    return np.where(usable, np.maximum(best[:, None] - net, 0.0), np.inf)


def nearest(distance: np.ndarray, floor: float) -> np.ndarray:
    """Return the distances (n, K), inf for all but the nearest of each opportunity: the chosen keeps a floor too."""
    most = int(1.0 / floor + 1e-9) - 1
    rank = np.argsort(np.argsort(distance, axis=1, kind="stable"), axis=1, kind="stable")
    return np.where(rank < most, distance, np.inf)


def within(distance: np.ndarray, floor: float, budget: float) -> np.ndarray:
    """Return the offers (n, K) that lie nearest, as many as the budget pays for at the prices."""
    order = np.argsort(distance, axis=None, kind="stable")
    costs = floor * np.cumsum(np.where(np.isfinite(distance.ravel()[order]), distance.ravel()[order], np.inf))
    near = np.zeros(distance.size, dtype=bool)
    near[order[costs <= budget]] = True
    return near.reshape(distance.shape)


def with_room(
    near: np.ndarray,
    distance: np.ndarray,
    candidates: Candidates,
    limits: Sequence[Limit],
    floor: float,
    reserved: Mapping[str, Reserved],
) -> np.ndarray:
    """Return the offers (n, K) whose trying keeps every hard ceiling of a sum by itself; the farthest are left out."""
    places = places_of(limits, [candidates.attributes])
    codes = [each.codes(candidates.attributes) for each in places]
    tried = np.flatnonzero(near)
    tried = tried[np.argsort(distance.ravel()[tried], kind="stable")]
    customer, fits = tried // near.shape[1], np.ones(len(tried), dtype=bool)
    for row in limit_rows(places, reserved):
        if row.side == "at_most" and row.per is None and row.of_all is None and row.soft_price is None:
            about = row.multiplier(codes[row.source])
            use = floor * candidates.uses[row.uses].ravel()[tried] * (1.0 if about is None else about[customer])
            fits &= (use <= 0.0) | (np.cumsum(use) <= row.right)
    kept = np.zeros(near.size, dtype=bool)
    kept[tried[fits]] = True
    return kept.reshape(near.shape)
