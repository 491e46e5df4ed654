"""Dated rule packs: conditions that an authority imposes in a jurisdiction from one day to another."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

import msgspec

from opportune.domain import AsOf, Finding
from opportune.offers.eligibility import Eligibility


class RulePack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Conditions in force from ``effective_from`` to before ``effective_to`` (absent: until further notice).

    ``authority`` says which text demands them. A pack is found by the file that holds it.
    """

    name: str
    jurisdiction: str
    authority: str
    effective_from: date
    effective_to: date | None = None
    condition: tuple[Eligibility, ...] = ()

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise ValueError(f"effective_to is {self.effective_to}: expected a day after {self.effective_from}")

    def in_force(self, at: AsOf) -> bool:
        """Whether the pack holds at an instant."""
        day = at.at.date()
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


def conditions_at(packs: Sequence[RulePack], at: AsOf) -> tuple[Eligibility, ...]:
    """Return the conditions of the packs in force at an instant, in the order of the packs."""
    return tuple(condition for pack in packs if pack.in_force(at) for condition in pack.condition)


def check_packs(packs: dict[str, RulePack]) -> Iterator[Finding]:
    """Yield a finding for each two packs (by file) of one name and jurisdiction that hold on the same day."""
    for (_, first), (file, second) in combinations(packs.items(), 2):
        same = (first.name, first.jurisdiction) == (second.name, second.jurisdiction)
        if same and _overlap(first, second):
            until = f"to {first.effective_to}" if first.effective_to else "until further notice"
            message = (
                f"is {second.effective_from}, while {first.name!r} for {first.jurisdiction} already holds from "
                f"{first.effective_from} {until}: expected dates that do not overlap"
            )
            yield Finding(
                code="OP207", source=file, subject="effective_from", message=message,
                next_step="end the earlier pack with effective_to",
            )  # fmt: skip


def _overlap(first: RulePack, second: RulePack) -> bool:
    last = date.max
    return first.effective_from < (second.effective_to or last) and second.effective_from < (first.effective_to or last)
