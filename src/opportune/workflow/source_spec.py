"""What sources.toml declares: where columns come from, what they cost, and at which stages they may be used."""

from typing import Literal

import msgspec

Stage = Literal["marketing", "prescreen", "prequalification", "application", "account_review"]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One source of facts.

    ``columns`` are those it fills, as ``table.column``; ``arrival_delay_days`` is how long after a fact it is here;
    ``no_hit`` maps a column to the codes that stand for "nothing found" and must not reach a feature;
    ``cost_per_pull`` is money per customer looked up; ``stages`` are those at which the law and the contract allow it.
    """

    says: str
    vendor: str
    version: str
    columns: tuple[str, ...]
    arrival_delay_days: int
    cost_per_pull: float
    stages: tuple[Stage, ...]
    no_hit: dict[str, tuple[float | str, ...]] = {}

    def __post_init__(self) -> None:
        if self.arrival_delay_days < 0:
            raise ValueError(f"arrival_delay_days is {self.arrival_delay_days}: expected zero or more")
        if not self.cost_per_pull >= 0:
            raise ValueError(f"cost_per_pull is {self.cost_per_pull}: expected zero or more")

    def feeds(self, table: str | None, column: str | None) -> bool:
        """Whether a column of a table comes from this source."""
        return f"{table}.{column}" in self.columns
