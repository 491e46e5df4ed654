"""Incremental value: what an offer adds to what would have happened without it."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import Value
from opportune.economics.lifetime import CAPITAL_LINE, LifetimeValue

Displaces = Literal["organic order", "interest-bearing order", "shorter term", "checkout order"]
"""What an offer can take the place of: an order that would have come anyway, an order with interest by one without, a
shorter term by a longer one, a checkout order by the card."""
AT_CONTACT = ("contact",)


class Displaced(msgspec.Struct, frozen=True, kw_only=True):
    """``share`` (n,) of takers who would otherwise have taken a loan worth ``value`` (n rows)."""

    kind: Displaces
    share: np.ndarray
    value: LifetimeValue


def incremental(
    offered: LifetimeValue, take_up: np.ndarray, displaced: Sequence[Displaced], baseline: np.ndarray
) -> LifetimeValue:
    """Return the value of making an offer rather than none, per row (n,).

    Lines of the loan count with P(take-up) (n,); contact is paid whether it is answered or not. What takers would have
    done instead is a line of its own for each kind, ``displaced: organic order``, less its share of that loan's
    contribution. ``baseline`` (n,), money: what is earned without any offer, as a line of its own; zero has to be
    said. Uses are less what the displaced loans would have used.
    """
    plain, discounted = (_lines(lines, take_up, displaced, baseline, which) for which, lines in
                         ((False, offered.value.lines), (True, offered.discounted)))  # fmt: skip
    uses = {name: _use(name, offered, take_up, displaced) for name in offered.value.uses}
    value = Value(lines=plain, uses=uses, basis="lifetime", currency=offered.value.currency)
    return LifetimeValue(value=value, discounted=discounted, capital_is=offered.capital_is)


def _lines(
    lines: dict[str, np.ndarray],
    take_up: np.ndarray,
    displaced: Sequence[Displaced],
    baseline: np.ndarray,
    discounted: bool,
) -> dict[str, np.ndarray]:
    made = {name: line if name in AT_CONTACT else take_up * line for name, line in lines.items()}
    for each in displaced:
        if each.value.capital_is == "hurdle":  # where it is cash, it is in the contribution that is lost
            other = each.value.discounted if discounted else each.value.value.lines
            made[CAPITAL_LINE] = made[CAPITAL_LINE] - take_up * each.share * other[CAPITAL_LINE]
    lost = {
        f"displaced: {each.kind}": -take_up * each.share * each.value.contribution(discounted=discounted)
        for each in displaced
    }
    return {**made, **lost, "baseline": -np.asarray(baseline, dtype=np.float64)}


def _use(name: str, offered: LifetimeValue, take_up: np.ndarray, displaced: Sequence[Displaced]) -> np.ndarray:
    if name == "contacts":
        return offered.value.uses[name]
    net = take_up * offered.value.uses[name]
    for each in displaced:
        net = net - take_up * each.share * each.value.value.uses[name]
    return np.asarray(net)
