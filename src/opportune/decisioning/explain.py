"""Explain one customer's choice: the winner, the runner-up, and what each limit charges for both."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.decisioning.choose import limit_charges
from opportune.domain import NO_OFFER_ID, Candidates, Places


class OfferExplained(msgspec.Struct, frozen=True, kw_only=True):
    """One offer for one customer, in money: its value, what each limit charges for its uses, and what is left."""

    offer_id: str
    value: float
    charges: dict[str, float]
    net: float


class ChoiceExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's offers by what is left after charges, the best first; ``NO_OFFER`` is always among them at 0."""

    opportunity_id: str
    ranked: tuple[OfferExplained, ...]


def explain_choice(
    candidates: Candidates, places: Sequence[Places], prices: Mapping[str, float], row: int, most: int = 2
) -> ChoiceExplained:
    """Return the ``most`` best offers of one row of the candidates at the prices of limits."""
    charges = {name: amounts[row] for name, amounts in limit_charges(candidates, places, prices).items()}
    offers = [_offer(candidates, charges, row, int(k)) for k in np.flatnonzero(candidates.eligible[row])]
    none = OfferExplained(offer_id=NO_OFFER_ID, value=0.0, charges=dict.fromkeys(charges, 0.0), net=0.0)
    ranked = sorted([none, *offers], key=lambda offer: -offer.net)  # stable: NO_OFFER wins ties, as in `choose`
    return ChoiceExplained(opportunity_id=str(candidates.opportunity_id[row]), ranked=tuple(ranked[:most]))


def _offer(candidates: Candidates, charges: Mapping[str, np.ndarray], row: int, k: int) -> OfferExplained:
    paid = {name: float(amounts[k]) for name, amounts in charges.items()}
    value = float(candidates.value[row, k])
    return OfferExplained(offer_id=candidates.offer_ids[k], value=value, charges=paid, net=value - sum(paid.values()))
