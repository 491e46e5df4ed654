"""A limit: a sum, a ratio or a floor that a plan must keep."""

import math
from typing import Literal

import msgspec

Side = Literal["at_most", "at_least"]


def resource_in(resource: str, scenario: str | None) -> str:
    """Return the name of what is used of a resource in a scenario; None is what is expected."""
    return resource if scenario is None else f"{resource} in {scenario}"


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One linear row: ``sum(uses) <= bound`` for ``at_most``, ``>=`` for ``at_least``; with ``per`` the ratio."""

    name: str
    side: Side
    bound: float
    uses: str
    per: str | None
    soft_price: float | None

    @property
    def sign(self) -> float:
        """1 for a ceiling, -1 for a floor, whose two sides are turned round."""
        return 1.0 if self.side == "at_most" else -1.0


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``sum(uses) <= at_most`` or ``>= at_least``; with ``per``, the ratio ``sum(uses) / sum(per)`` instead.

    A ratio row is linear: ``sum(uses - at_most * per) <= 0``. ``soft_price`` makes the limit soft: each unit over it
    costs that much value. ``in_scenarios`` names scenarios of economics.toml in which it must hold as well. ``where``,
    ``by``, ``amounts``, ``period`` and ``opening`` have their place here and are refused by the loader until the
    allocator takes them.
    """

    name: str
    uses: str
    at_most: float | None = None
    at_least: float | None = None
    per: str | None = None
    where: str | None = None
    by: str | None = None
    amounts: str | None = None
    period: str | None = None
    opening: str | None = None
    soft_price: float | None = None
    in_scenarios: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("at_most", "at_least", "soft_price"):
            bound = getattr(self, field)
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"{field} of limit {self.name!r} is {bound}: expected a finite number")
        if self.at_most is None and self.at_least is None and self.amounts is None:
            raise ValueError(f"limit {self.name!r} bounds nothing: expected at_most, at_least or amounts")
        if self.soft_price is not None and self.soft_price < 0:
            raise ValueError(f"soft_price of limit {self.name!r} is {self.soft_price}: expected zero or more")

    def rows(self) -> list[LimitRow]:
        """Return the rows of the limit: as expected, then in each of its scenarios, with two names for two bounds."""
        return [
            LimitRow(
                name=f"{resource_in(self.name, scenario)}{self._tail(side)}", side=side, bound=bound,
                uses=resource_in(self.uses, scenario), soft_price=self.soft_price,
                per=None if self.per is None else resource_in(self.per, scenario),
            )
            for scenario in (None, *self.in_scenarios)
            for side, bound in self._bounds()
        ]  # fmt: skip

    def _bounds(self) -> list[tuple[Side, float]]:
        bounds: list[tuple[Side, float | None]] = [("at_most", self.at_most), ("at_least", self.at_least)]
        return [(side, bound) for side, bound in bounds if bound is not None]

    def _tail(self, side: Side) -> str:
        return f" ({side.replace('_', ' ')})" if len(self._bounds()) == 2 else ""
