"""Exploration: every offer that is nearly best gets a probability, inside a budget in money, and limits still hold.

With probability ``floor`` each, a customer gets one of its near offers S instead of the chosen one. A plan that makes
choice k with the rest is worth (1 - floor |S|) v_k + floor sum_S v, which is linear in the choice like every use. So
the allocator plans the mixture itself: what exploring uses is reserved in every row first, values and uses of choices
are shrunk by what is left, and its certificate holds for the expectation. How near an offer must lie is the largest
distance whose cost fits the budget.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation.certificate import certify_mixture
from opportune.allocation.charges import unit_charges
from opportune.allocation.solver import allocate
from opportune.domain import BrokenPromise, Candidates, Explored, Limit, Plan, Reserved, limit_rows, places_of

SHRINK = 0.6
ATTEMPTS = 8


class ExplorationTerms(msgspec.Struct, frozen=True, kw_only=True):
    """``floor``: probability of each near offer; ``budget``: money that randomising may cost.

    ValueError for a floor outside 0 to 0.2, and for a budget that is negative or not finite.
    """

    floor: float
    budget: float

    def __post_init__(self) -> None:
        if not 0.0 < self.floor <= 0.2:
            raise ValueError(f"floor is {self.floor}: expected a probability above 0 and at most 0.2")
        if not 0.0 <= self.budget < np.inf:
            raise ValueError(f"budget is {self.budget}: expected money, zero or more")


def explore(
    candidates: Candidates,
    limits: Sequence[Limit],
    plain: Plan,
    allowed: np.ndarray,
    terms: ExplorationTerms,
    offers_per_customer: int | None = None,
    reserved: Mapping[str, Reserved] | None = None,
) -> Plan:
    """Return the plan that keeps the limits in expectation, exploring included, with P(each offer) (n, K).

    ``plain`` is the best plan without exploring, of the same candidates, limits and ``reserved``; the same gap is asked
    for. ``allowed`` (n, K) marks the offers that may be tried on a customer: none that is worse for it than the
    standard offer, none above the amount that may be risked, none for who was tried often enough. ``choice`` is what
    each customer gets most likely. The cost, in the certificate, is the value of the best plan without exploring less
    that of this one; it is at most the budget. Where even the least exploring costs more or leaves no plan, as it may
    on a short list whose whole choices are lumpy, nothing is tried: every probability is 0 or 1.

    A customer who may get only so many offers, and is tried on, gets one where ``plain`` makes one and nowhere else:
    whatever is drawn, there are no more than it may get.
    """
    distance, budget = _distances(candidates, plain, allowed, offers_per_customer), terms.budget
    for _ in range(ATTEMPTS):
        near = _within(distance, terms.floor, budget)
        near = _with_room(near, distance, candidates, limits, terms.floor, reserved or {})
        plan = _mixed_plan(candidates, limits, near, terms.floor, plain, offers_per_customer, reserved or {})
        if plan is not None and plain.certificate.value - plan.certificate.value <= terms.budget:
            return _told(plan, near, terms, plain.certificate.value - plan.certificate.value)
        budget = SHRINK * float(np.sum(distance[near])) * terms.floor
    certain = (np.arange(near.shape[1]) == plain.choice[:, None]).astype(np.float64)
    return _told(msgspec.structs.replace(plain, probability=certain), np.zeros_like(near), terms, 0.0)


def _distances(candidates: Candidates, plain: Plan, allowed: np.ndarray, most: int | None) -> np.ndarray:
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


def _within(distance: np.ndarray, floor: float, budget: float) -> np.ndarray:
    """Return the offers (n, K) that lie nearest, as many as the budget pays for at the prices."""
    order = np.argsort(distance, axis=None, kind="stable")
    costs = floor * np.cumsum(np.where(np.isfinite(distance.ravel()[order]), distance.ravel()[order], np.inf))
    near = np.zeros(distance.size, dtype=bool)
    near[order[costs <= budget]] = True
    return near.reshape(distance.shape)


def _with_room(
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


def _mixed_plan(
    candidates: Candidates,
    limits: Sequence[Limit],
    near: np.ndarray,
    floor: float,
    plain: Plan,
    most: int | None,
    reserved: Mapping[str, Reserved],
) -> Plan | None:
    """Return the best plan that tries these offers; None where what they use leaves no plan that keeps the limits."""
    rest = 1.0 - floor * near.sum(axis=1, keepdims=True)
    barred = _barred(candidates, near, plain, most)[:, None]
    chosen = np.where(barred, 0.0, rest)
    shrunk = msgspec.structs.replace(
        candidates, eligible=candidates.eligible & ~barred, value=candidates.value * chosen,
        uses={name: amounts * chosen for name, amounts in candidates.uses.items()},
    )  # fmt: skip
    explored = _explored_use(candidates, limits, near, floor, reserved)
    asked = plain.certificate
    try:
        plan = allocate(shrunk, limits, asked.gap_asked, asked.seed, plain.prices, most, explored)
    except BrokenPromise:
        return None
    probability = np.where(near, floor, 0.0)
    offered = np.flatnonzero(plan.choice >= 0)
    probability[offered, plan.choice[offered]] += rest[offered, 0]
    base = float(floor * np.sum(candidates.value[near]))
    proof = certify_mixture(candidates, limits, probability, plan, base, reserved, most)
    return msgspec.structs.replace(plan, probability=probability, certificate=proof)


def _barred(candidates: Candidates, near: np.ndarray, plain: Plan, most: int | None) -> np.ndarray:
    """Return which opportunities (n,) get nothing, because others of their customer are tried on."""
    if most is None:
        return np.zeros(len(candidates), dtype=bool)
    tried_on = set(candidates.customer_id[near.any(axis=1)].tolist())
    return np.array([each in tried_on for each in candidates.customer_id]) & (plain.choice < 0)


def _explored_use(
    candidates: Candidates, limits: Sequence[Limit], near: np.ndarray, floor: float, reserved: Mapping[str, Reserved]
) -> dict[str, Reserved]:
    """Return what of each row exploring uses, on top of what was reserved already."""
    places = places_of(limits, [candidates.attributes])
    codes = [each.codes(candidates.attributes) for each in places]
    total = {name: floor * np.sum(np.where(near, amounts, 0.0), axis=1) for name, amounts in candidates.uses.items()}
    found = {}
    for row in limit_rows(places):
        about = row.multiplier(codes[row.source])
        already = reserved.get(row.name, Reserved())
        used, per = (
            0.0 if name is None else float(np.sum(total[name] if about is None else about * total[name]))
            for name in (row.uses, row.per)
        )
        found[row.name] = Reserved(margin=already.margin, used=already.used + used, per=already.per + per)
    return found


def _told(plan: Plan, near: np.ndarray, terms: ExplorationTerms, cost: float) -> Plan:
    tried = near & (np.arange(near.shape[1]) != plan.choice[:, None])
    told = Explored(
        floor=terms.floor, budget=terms.budget, cost=cost, offers=int(tried.sum()),
        opportunities=int(tried.any(axis=1).sum()),
    )  # fmt: skip
    return msgspec.structs.replace(plan, certificate=msgspec.structs.replace(plan.certificate, explored=told))


def draw(probability: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return the offer (n,) that each keyed draw (n,) of 0 to 1 realises, -1 for none; ``probability`` is (n, K)."""
    edges = np.cumsum(probability, axis=1)
    drawn = np.sum(uniform[:, None] >= edges, axis=1)
    return np.where(drawn == probability.shape[1], -1, drawn)
