"""A limit: a sum, a ratio, a floor or a parity that a plan must keep."""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

Side = Literal["at_most", "at_least"]
Period = Literal["week", "month", "quarter"]
Amounts = dict[str, float]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``sum(uses) <= at_most`` or ``>= at_least``; with ``per``, the ratio ``sum(uses) / sum(per)`` instead.

    A ratio row is linear: ``sum(uses - at_most * per) <= 0``. ``soft_price`` makes the limit soft: each unit over it
    costs that much value. ``in_scenarios`` names scenarios of economics.toml in which it must hold as well.

    ``where`` is a condition on the opportunities that it is about. ``by`` names a column, ``period`` a stretch of time:
    the limit has a row for each value, with the same bound, or with that of ``amounts`` (an upper bound by value; for a
    column and a period the value is ``VALUE, PERIOD``). ``within`` bounds, for each value of ``by``, how far its use
    per opportunity may lie from that of all, either way. ``opening`` is what is used already, ``opening_per`` the same
    of ``per``: one number, or one by value. In limits.toml ``amounts`` and ``opening`` name SQL files.
    ``margin`` keeps the limit with so many standard errors of its use to spare.
    """

    name: str
    uses: str
    at_most: float | None = None
    at_least: float | None = None
    per: str | None = None
    where: str | None = None
    by: str | None = None
    amounts: str | Amounts | None = None
    period: Period | None = None
    within: float | None = None
    opening: str | float | Amounts | None = None
    opening_per: float | Amounts | None = None
    soft_price: float | None = None
    margin: float | None = None
    in_scenarios: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, number in self._numbers():
            if not math.isfinite(number):
                raise ValueError(f"{field} of limit {self.name!r} is {number}: expected a finite number")
        if all(each is None for each in (self.at_most, self.at_least, self.amounts, self.within)):
            raise ValueError(f"limit {self.name!r} bounds nothing: expected at_most, at_least, amounts or within")
        if self.soft_price is not None and self.soft_price < 0:
            raise ValueError(f"soft_price of limit {self.name!r} is {self.soft_price}: expected zero or more")
        if self.margin is not None and (self.margin < 0 or self.soft_price is not None):
            raise ValueError(f"margin of limit {self.name!r}: expected zero or more, and a limit that is not soft")
        self._refuse_unmatched()

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for field in ("at_most", "at_least", "amounts", "within", "opening", "opening_per", "soft_price", "margin"):
            given = getattr(self, field)
            if isinstance(given, dict):
                yield from ((f"{field}[{value!r}]", number) for value, number in given.items())
            elif isinstance(given, int | float):
                yield field, given

    def _refuse_unmatched(self) -> None:
        grouped = self.by is not None or self.period is not None
        if self.amounts is not None and not grouped:
            raise ValueError(f"amounts of limit {self.name!r} need a column `by`, or a `period`")
        if self.amounts is not None and self.at_most is not None:
            raise ValueError(f"limit {self.name!r} has at_most and amounts: expected one of them")
        if self.within is not None and (self.by is None or self.per is not None or self.bounds()):
            raise ValueError(f"within of limit {self.name!r} needs `by` and nothing else: no per, no other bound")
        if self.within is not None and self.within < 0:
            raise ValueError(f"within of limit {self.name!r} is {self.within}: expected zero or more")

    def bounds(self) -> list[tuple[Side, float | None]]:
        """Return the sides that are bounded; the bound is None where ``amounts`` has one for each value."""
        sides: list[tuple[Side, float | None]] = [] if self.at_most is None else [("at_most", self.at_most)]
        if self.amounts is not None:
            sides.append(("at_most", None))
        return sides if self.at_least is None else [*sides, ("at_least", self.at_least)]
