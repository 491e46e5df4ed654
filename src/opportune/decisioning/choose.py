"""Choose: the offer that is worth most after the prices of limits are charged."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.allocation import priced_rows
from opportune.domain import Candidates, Places


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """``choice`` (n,): index of the chosen offer, -1 for ``NO_OFFER``; ``probability`` (n, K): P(each offer).

    The rest of a row's probability is on ``NO_OFFER``. ``net`` (n, K) is value less charges, in money.
    """

    choice: np.ndarray
    probability: np.ndarray
    net: np.ndarray


def choose(candidates: Candidates, charges: Mapping[str, float | np.ndarray]) -> Choices:
    """Return the best eligible offer of each row by value less charges; ``NO_OFFER`` (net 0) wins ties.

    ``charges`` maps a resource to its charge per unit, the same for all rows or (n, 1), from ``unit_charges``. Between
    offers of equal net the first of the catalogue wins.
    """
    net = candidates.value.copy()
    for resource, charge in charges.items():
        net -= charge * candidates.uses[resource]
    masked = np.where(candidates.eligible, net, -np.inf)
    best = np.argmax(masked, axis=1)
    offered = masked[np.arange(len(best)), best] > 0.0
    choice = np.where(offered, best, -1)
    return Choices(choice=choice, probability=_certain(choice, net.shape), net=net)


def limit_charges(
    candidates: Candidates, places: Sequence[Places], prices: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Return what each limit charges for each offer, arrays (n, K) in money: together what ``choose`` charges."""
    charges = {each.limit.name: np.zeros(candidates.value.shape) for each in places}
    for row, price in priced_rows(places, prices, candidates.attributes):
        uses = candidates.uses[row.uses]
        net = uses if row.per is None else uses - row.bound * candidates.uses[row.per]
        charges[places[row.source].limit.name] += price * net
    return charges


def _certain(choice: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    probability = np.zeros(shape)
    rows = np.flatnonzero(choice >= 0)
    probability[rows, choice[rows]] = 1.0
    return probability
