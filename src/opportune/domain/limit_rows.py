"""The rows of limits: what they ask of a list, one linear inequality at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from opportune.domain.factor import factor
from opportune.domain.labels import group_label, period_label
from opportune.domain.limit import Limit, Side
from opportune.domain.where import rows_where

Attributes = Mapping[str, np.ndarray]
ROUNDING = 1e-9
"""How far, relative to the bound, a sum may lie beyond it by rounding, as in the certificate."""
NO_MORE = 1e-12
"""What is left of a bound after its opening counts as nothing below this share of the two: it is their rounding."""


def resource_in(resource: str, scenario: str | None) -> str:
    """Return the name of what is used of a resource in a scenario; None is what is expected."""
    return resource if scenario is None else f"{resource} in {scenario}"


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a limit has rows for, in order, and how many opportunities have each.

    A limit without ``by``, ``period`` and ``where`` has one value, "", and is about all opportunities alike.
    """

    limit: Limit
    labels: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def everywhere(self) -> bool:
        """Whether the limit is about all opportunities alike."""
        return self.limit.by is None and self.limit.period is None and self.limit.where is None

    def codes(self, attributes: Attributes) -> np.ndarray | None:
        """Return the place of each opportunity (n,), -1 where the limit is not about it; None: about all alike."""
        if self.everywhere:
            return None
        names, codes, inside = _labelled(self.limit, attributes)
        place = {label: at for at, label in enumerate(self.labels)}
        known = np.array([place.get(name, -1) for name in names], dtype=np.int64)
        return np.where(inside, known[codes], -1)

    def unplanned(self, attributes: Attributes) -> list[str]:
        """Return the values of opportunities that the limit is about, and for which it has no row."""
        if self.everywhere:
            return []
        names, codes, inside = _labelled(self.limit, attributes)
        return sorted({names[code] for code in codes[inside]} - set(self.labels))


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """What of a row is not there to be planned: a ``margin`` that is kept free, in units of the left side, and what
    ``used`` and ``per`` come to before anything is chosen, on top of the limit's opening.
    """

    margin: float = 0.0
    used: float = 0.0
    per: float = 0.0


NOTHING_RESERVED = Reserved()


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """``sum(m uses) + opening <= bound`` for ``at_most``, ``>=`` for ``at_least``; with ``per`` the ratio of sums.

    ``source`` is the position of its limit, ``place`` the value among that limit's that this row is about. With
    parity ``of_all`` is the number of opportunities of the limit, and ``m`` compares those of the place with all.
    ``margin`` is kept free on top, in units of the left side.
    """

    name: str
    source: int
    side: Side
    bound: float
    uses: str
    per: str | None
    soft_price: float | None
    opening: float
    opening_per: float
    margin: float
    place: int
    of_place: int
    of_all: int | None

    @property
    def sign(self) -> float:
        """1 for a ceiling, -1 for a floor, whose two sides are turned round."""
        return 1.0 if self.side == "at_most" else -1.0

    def kept(self, used: np.ndarray | float) -> np.ndarray:
        """Return whether what was used keeps the bound, but for rounding of its sum."""
        return np.asarray(self.sign * (self.bound - used) >= -self.rounding)

    @property
    def rounding(self) -> float:
        """How far a sum may lie beyond the bound by rounding."""
        return ROUNDING * max(abs(self.bound), 1.0)

    @property
    def right(self) -> float:
        """The right side of ``sum(m (uses - bound per)) <= right`` (sums: ``sum(m uses)``), before the sign."""
        allowed = self.bound if self.per is None else self.bound * self.opening_per
        left = allowed - self.opening - self.sign * self.margin
        return left if abs(left) > NO_MORE * (abs(allowed) + abs(self.opening) + self.margin) else 0.0

    def multiplier(self, codes: np.ndarray | None) -> np.ndarray | None:
        """Return what the use of each opportunity of the given places (n,) is multiplied by, or None for one."""
        if codes is None:
            return None
        about = (codes == self.place).astype(np.float64)
        if self.of_all is None:
            return np.asarray(about)
        return np.asarray(about / max(self.of_place, 1) - (codes >= 0) / max(self.of_all, 1))


def places_of(limits: Sequence[Limit], blocks: Iterable[Attributes]) -> tuple[Places, ...]:
    """Return the values that limits have rows for, over all blocks of opportunities.

    KeyError for a column that the opportunities do not have.
    """
    found = [Places(limit=limit, labels=("",), sizes=(0,)) for limit in limits]
    grouped = {source: Counter[str]() for source, each in enumerate(found) if not each.everywhere}
    for attributes in blocks if grouped else ():
        for source, sizes in grouped.items():
            names, codes, inside = _labelled(limits[source], attributes)
            sizes.update(dict(zip(names, np.bincount(codes[inside], minlength=len(names)).tolist(), strict=True)))
    for source, sizes in grouped.items():
        limit = limits[source]
        nobody = {"": 0} if limit.by is None and limit.period is None else {}
        kept = {name: count for name, count in sorted(sizes.items()) if count} or nobody
        found[source] = Places(limit=limit, labels=tuple(kept), sizes=tuple(kept.values()))
    return tuple(found)


def limit_rows(places: Sequence[Places], reserved: Mapping[str, Reserved] | None = None) -> list[LimitRow]:
    """Return every row of limits, in the order of the limits; ``reserved`` says by name what is not to be planned.

    ``amounts`` and ``opening`` must hold numbers by now, not names of files: else ValueError. KeyError for a value
    without an amount.
    """
    return [row for source, each in enumerate(places) for row in _rows(source, each, reserved or {})]


def rows_of(limits: Sequence[Limit], attributes: Attributes) -> list[LimitRow]:
    """Return every row of limits on one list of opportunities."""
    return limit_rows(places_of(limits, [attributes]))


def _rows(source: int, places: Places, reserved: Mapping[str, Reserved]) -> Iterator[LimitRow]:
    limit = places.limit
    if isinstance(limit.amounts, str) or isinstance(limit.opening, str):
        raise ValueError(f"limit {limit.name!r} names files: expected their numbers")
    for scenario in ("", *limit.in_scenarios):
        for place, label in enumerate(places.labels):
            for side, bound in _sides(limit, label):
                name = _name(limit, scenario, label, side)
                kept = reserved.get(name, NOTHING_RESERVED)
                yield LimitRow(
                    name=name, source=source, side=side, bound=bound,
                    uses=resource_in(limit.uses, scenario or None),
                    per=None if limit.per is None else resource_in(limit.per, scenario or None),
                    soft_price=limit.soft_price, opening=_of(limit.opening, label) + kept.used,
                    opening_per=_of(limit.opening_per, label) + kept.per, margin=kept.margin, place=place,
                    of_place=places.sizes[place], of_all=None if limit.within is None else sum(places.sizes),
                )  # fmt: skip


def _labelled(limit: Limit, attributes: Attributes) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the values of a limit's groups, the value (n,) of each opportunity, and who meets ``where`` (n,)."""
    count = len(next(iter(attributes.values())))
    inside = np.ones(count, dtype=bool) if limit.where is None else rows_where(limit.where, attributes)
    names, codes = [""], np.zeros(count, dtype=np.int64)
    if limit.by is not None:
        names, codes = _texts(attributes[limit.by])
    if limit.period is not None:
        periods, period_codes = _periods(attributes["at"], limit.period)
        joined = [", ".join(filter(None, (name, period))) for name in names for period in periods]
        names, codes = joined, codes * len(periods) + period_codes
    return names, codes, inside


def _texts(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    found, codes = factor(values)
    return list(map(group_label, found)), codes


def _periods(at: np.ndarray, period: str) -> tuple[list[str], np.ndarray]:
    """Return the names of weeks (by their Monday), months or quarters, and that of each instant (n,)."""
    days, codes = np.unique(at.astype("datetime64[D]"), return_inverse=True)
    names, places = np.unique([period_label(day, period) for day in days], return_inverse=True)
    return names.tolist(), places[codes]


def _sides(limit: Limit, label: str) -> Iterator[tuple[Side, float]]:
    if limit.within is not None:
        yield "at_most", limit.within
        yield "at_least", -limit.within
    for side, bound in limit.bounds():
        if bound is not None:
            yield side, bound
        elif isinstance(limit.amounts, dict):
            yield side, limit.amounts[label]


def _name(limit: Limit, scenario: str, label: str, side: Side) -> str:
    both = limit.within is not None or len(limit.bounds()) == 2
    tail = f" ({side.replace('_', ' ')})" if both else ""
    return f"{resource_in(limit.name, scenario or None)}{f' [{label}]' if label else ''}{tail}"


def _of(opening: float | dict[str, float] | str | None, label: str) -> float:
    """Return what is used already under one value; a value that the opening does not name has used nothing."""
    if isinstance(opening, dict):
        return opening.get(label, 0.0)
    return opening if isinstance(opening, int | float) else 0.0
