"""A limit: a sum, a ratio or a floor that a plan must keep."""

import math
from typing import Literal

import msgspec

Side = Literal["at_most", "at_least"]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``sum(uses) <= at_most`` or ``>= at_least``; with ``per``, the ratio ``sum(uses) / sum(per)`` instead.

    A ratio row is linear: ``sum(uses - at_most * per) <= 0``. ``soft_price`` makes the limit soft: each unit over it
    costs that much value. ``where``, ``by``, ``amounts``, ``period`` and ``opening`` have their place here and are
    refused by the loader until the allocator takes them.
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

    def __post_init__(self) -> None:
        for field in ("at_most", "at_least", "soft_price"):
            bound = getattr(self, field)
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"{field} of limit {self.name!r} is {bound}: expected a finite number")
        if self.at_most is None and self.at_least is None and self.amounts is None:
            raise ValueError(f"limit {self.name!r} bounds nothing: expected at_most, at_least or amounts")
        if self.soft_price is not None and self.soft_price < 0:
            raise ValueError(f"soft_price of limit {self.name!r} is {self.soft_price}: expected zero or more")

    def sides(self) -> list[tuple[str, Side, float]]:
        """Return the rows that the limit makes: name, side and bound. With both bounds the name tells the side."""
        bounds: list[tuple[Side, float | None]] = [("at_most", self.at_most), ("at_least", self.at_least)]
        held = [(side, bound) for side, bound in bounds if bound is not None]
        both = len(held) == 2
        return [(f"{self.name} ({side.replace('_', ' ')})" if both else self.name, side, bound) for side, bound in held]
