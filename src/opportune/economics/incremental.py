"""Incremental value: what an offer adds to what would have happened without it."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding, Value
from opportune.economics.lifetime import CAPITAL_LINE, CONTACTS, LifetimeValue

Displaces = Literal["organic order", "interest-bearing order", "shorter term", "checkout order"]
"""What an offer can take the place of: an order that would have come anyway, an order with interest by one without, a
shorter term by a longer one, a checkout order by the card."""
ROUNDING = 1e-9
"""What sums of shares may exceed one by."""


class Displaced(msgspec.Struct, frozen=True, kw_only=True):
    """``share`` of takers, of the offers' shape, who would otherwise have taken a loan worth ``value``."""

    kind: Displaces
    share: np.ndarray
    value: LifetimeValue


def incremental(
    offered: LifetimeValue, take_up: np.ndarray, displaced: Sequence[Displaced], baseline: np.ndarray
) -> LifetimeValue:
    """Return the value of making an offer rather than none, per row (n,) or per (opportunity, offer) (n, K).

    Lines of the loan count with P(take-up); contact is paid whether it is answered or not. What takers would have done
    instead is a line of its own for each kind, ``displaced: organic order``, less its share of that loan's
    contribution. ``baseline``, money: what is earned without any offer, as a line of its own; zero has to be said, and
    one column (n, 1) serves all offers of an opportunity. Uses are less what the displaced loans would have used.
    BadInput (OP473) for probabilities and shares that are none, that take more than every taker, or do not fit.
    """
    findings = list(_misfits(offered, take_up, displaced, baseline))
    if findings:
        raise BadInput(findings)
    plain, discounted = (_lines(lines, take_up, displaced, baseline, which) for which, lines in
                         ((False, offered.value.lines), (True, offered.discounted)))  # fmt: skip
    uses = {name: _use(name, offered, take_up, displaced) for name in offered.value.uses}
    value = Value(lines=plain, uses=uses, basis="lifetime", currency=offered.value.currency)
    return LifetimeValue(value=value, discounted=discounted, capital_is=offered.capital_is, of="offer")


def _lines(
    lines: dict[str, np.ndarray],
    take_up: np.ndarray,
    displaced: Sequence[Displaced],
    baseline: np.ndarray,
    discounted: bool,
) -> dict[str, np.ndarray]:
    made = {name: line if name in CONTACTS else take_up * line for name, line in lines.items()}
    for each in displaced:
        if each.value.capital_is == "hurdle":  # where it is cash, it is in the contribution that is lost
            other = each.value.discounted if discounted else each.value.value.lines
            made[CAPITAL_LINE] = made[CAPITAL_LINE] - take_up * each.share * other[CAPITAL_LINE]
    lost = dict[str, np.ndarray]()
    for each in displaced:
        name = f"displaced: {each.kind}"
        loss = -take_up * each.share * each.value.contribution(discounted=discounted)
        lost[name] = lost[name] + loss if name in lost else loss
    without = np.broadcast_to(-np.asarray(baseline, dtype=np.float64), take_up.shape)
    return {**made, **lost, "baseline": without}


def _use(name: str, offered: LifetimeValue, take_up: np.ndarray, displaced: Sequence[Displaced]) -> np.ndarray:
    if name in CONTACTS:
        return offered.value.uses[name]
    net = take_up * offered.value.uses[name]
    for each in displaced:
        net = net - take_up * each.share * each.value.value.uses[name]
    return np.asarray(net)


def _misfits(
    offered: LifetimeValue, take_up: np.ndarray, displaced: Sequence[Displaced], baseline: np.ndarray
) -> Iterator[Finding]:
    shape = next(iter(offered.value.lines.values())).shape
    if offered.of != "loan":
        yield _finding("offered", "is incremental already: expected the value of loans that are made")
    yield from _not_shares("take_up", take_up, shape)
    for each in displaced:
        yield from _not_shares(f"displaced: {each.kind}", each.share, shape)
        if next(iter(each.value.value.lines.values())).shape != shape or each.value.of != "loan":
            yield _finding(f"displaced: {each.kind}", f"has a value of another kind: expected loans of shape {shape}")
        if each.value.value.currency != offered.value.currency:
            message = f"is in {each.value.value.currency}: expected {offered.value.currency}, as the offers"
            yield _finding(f"displaced: {each.kind}", message)
    fit = [each.share for each in displaced if np.shape(each.share) == shape]
    total = np.sum(fit, axis=0) if fit else np.zeros(1)
    if np.any(total > 1.0 + ROUNDING):
        place = _place(total > 1.0 + ROUNDING)
        message = f"sum to {float(np.max(total)):g} in {place}: expected at most 1, every taker once"
        yield _finding("shares displaced", message)
    if not _fits(np.shape(baseline), shape) or not np.all(np.isfinite(baseline)):
        yield _finding("baseline", f"is no money of shape {shape}: expected finite amounts, zero where there are none")


def _not_shares(name: str, given: np.ndarray, shape: tuple[int, ...]) -> Iterator[Finding]:
    if np.shape(given) != shape:
        yield _finding(name, f"has shape {np.shape(given)}: expected {shape}, that of the offers")
        return
    wrong = ~((given >= 0.0) & (given <= 1.0))
    if wrong.any():
        first = float(given[tuple(np.argwhere(wrong)[0])])
        message = f"is {first:g} in {_place(wrong)}: expected a probability from 0 to 1"
        yield _finding(name, message)


def _place(wrong: np.ndarray) -> str:
    """Return where the first wrong entry stands, and how many there are."""
    at = np.argwhere(wrong)[0] + 1
    named = " ".join(f"{name} {number}" for name, number in zip(("row", "offer"), at, strict=False))
    return named if wrong.sum() == 1 else f"{named} and {int(wrong.sum()) - 1:,} more"


def _fits(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return given == shape or (len(shape) == 2 and given == (shape[0], 1))


def _finding(subject: str, message: str) -> Finding:
    step = "calibrate what predicts it, or correct its shape"
    return Finding(code="OP473", source="incremental", subject=subject, message=message, next_step=step)
