"""Online: the best offer of one opportunity at the prices of limits, and for how long those prices hold.

NumPy only: a service loads neither the solver nor its libraries. Prices steer what is spent and stop nothing: a hard
stop belongs where use is counted, to the ledger of reservations.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from opportune.allocation.charges import unit_charges
from opportune.domain import AsOf, BadInput, Finding, Places


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of limits, by the name of a row, that hold from ``valid_from`` and before ``valid_until``.

    ``places`` are the limits with the values that were planned, as in the plan. BadInput (OP513) for a window that has
    no instant, and for a price that is below zero or not finite.
    """

    prices: dict[str, float]
    places: tuple[Places, ...]
    valid_from: AsOf
    valid_until: AsOf

    def __post_init__(self) -> None:
        if not self.valid_from < self.valid_until:
            message = f"hold from {self.valid_from} until {self.valid_until}: expected an end after the beginning"
            raise _refused("", message, "give a later valid_until")
        for name, price in self.prices.items():
            if not 0.0 <= price < np.inf:
                message = f"is {price}: expected a finite number, zero or more"
                raise _refused(f"price of '{name}'", message, "take the prices of a plan")

    def charges(self, attributes: Mapping[str, object], at: AsOf) -> dict[str, float]:
        """Return the charge per unit of each resource for one opportunity with these attributes, at an instant.

        The instant says which week, month or quarter of a limit by ``period`` it is. BadInput (OP513) outside the
        window, because a price of yesterday says nothing of what is left today, and for a period or a value of ``by``
        that was not planned, because no price is not a price of zero; (OP503) without a column that a limit reads.
        """
        if not self.valid_from <= at < self.valid_until:
            message = f"are asked for at {at}, and hold from {self.valid_from} until {self.valid_until}"
            raise _refused("", message, "plan again, or make the standard offer until then")
        instant = np.datetime64(at.at.replace(tzinfo=None), "us")
        one = {name: np.array([value]) for name, value in {**attributes, "at": instant}.items()}
        try:
            unplanned = {each.limit.name: labels for each in self.places if (labels := each.unplanned(one))}
            found = unit_charges(self.places, self.prices, one)
        except KeyError as error:
            raise BadInput([_without(str(error.args[0]))]) from error
        if unplanned:
            raise BadInput([_unplanned(name, labels[0]) for name, labels in unplanned.items()])
        return {name: float(np.asarray(charge).reshape(())) for name, charge in found.items()}


class BestOffer(msgspec.Struct, frozen=True, kw_only=True):
    """``offer`` is the index of the best offer, -1 for ``NO_OFFER``, and ``net`` its value less charges, in money.

    ``runner_up`` is the second best with its ``runner_up_net``, ``NO_OFFER`` (-1, net 0) being one of them; None where
    there was no other choice.
    """

    offer: int
    net: float
    runner_up: int | None
    runner_up_net: float


def best_offer(values: np.ndarray, uses: Mapping[str, np.ndarray], charges: Mapping[str, float]) -> BestOffer:
    """Return the best offer of one opportunity by value less charges; ``NO_OFFER`` (net 0) wins ties, then the first.

    ``values`` (K,) in money, -inf where an offer is not eligible; ``uses`` (K,) by resource; ``charges`` per unit of
    each resource, from ``PriceList.charges``. The same bits as ``decisioning.choose`` on one row. BadInput (OP504) for
    a value or a use of an eligible offer that is not finite.
    """
    net = np.array(values, dtype=np.float64)
    _refuse_strange({"value": net, **uses}, eligible=net != -np.inf)
    for resource, charge in charges.items():
        net -= charge * uses[resource]
    ranked = [(0.0, -1), *((each, k) for k, each in enumerate(net.tolist()) if each > -np.inf)]
    ranked.sort(key=lambda each: -each[0])  # stable, so ties stay in the order of the catalogue
    (best, offer), *others = ranked
    second, runner_up = others[0] if others else (0.0, None)
    return BestOffer(offer=offer, net=best, runner_up=runner_up, runner_up_net=second)


def _refuse_strange(numbers: Mapping[str, np.ndarray], eligible: np.ndarray) -> None:
    message, step = "is not finite: expected a number", "look for what is missing, and decide nothing on it"
    strange = [
        Finding(code="OP504", source="offers", subject=f"{name}, offer {np.flatnonzero(wrong)[0]}", message=message,
                next_step=step)
        for name, array in numbers.items() if (wrong := eligible & ~np.isfinite(array)).any()
    ]  # fmt: skip
    if strange:
        raise BadInput(strange)


def _unplanned(limit: str, label: str) -> Finding:
    message = f"have none for {label!r}: expected a value that was planned"
    step = "plan with it, or make the standard offer until then"
    return Finding(code="OP513", source="prices", subject=f"limit '{limit}'", message=message, next_step=step)


def _without(column: str) -> Finding:
    message = f"is read by a limit and not given: expected the value of {column!r} for this opportunity"
    step = "give it in attributes"
    return Finding(code="OP503", source="prices", subject=column, message=message, next_step=step)


def _refused(subject: str, message: str, step: str) -> BadInput:
    return BadInput([Finding(code="OP513", source="prices", subject=subject, message=message, next_step=step)])
