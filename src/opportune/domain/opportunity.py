"""An opportunity: a moment at which an offer can be made, as one record and as a batch of arrays."""

from typing import Literal

import msgspec
import numpy as np

from opportune.domain.asof import AsOf

Stage = Literal["marketing", "prescreen", "prequalification", "application", "account_review"]
STAGES: tuple[Stage, ...] = ("marketing", "prescreen", "prequalification", "application", "account_review")


class Opportunity(msgspec.Struct, frozen=True, kw_only=True):
    """Who, on which surface, when, at which stage, in what context. No outcome can be in it."""

    opportunity_id: str
    customer_id: str
    at: AsOf
    surface: str
    stage: Stage
    slot: str = "1"
    context: dict[str, str | float | None] = {}


class Opportunities(msgspec.Struct, frozen=True, kw_only=True):
    """Many opportunities at one instant and stage, as arrays of length n. ``context`` maps a name to such an array."""

    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    surface: np.ndarray
    stage: Stage
    at: AsOf
    context: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.opportunity_id)

    @classmethod
    def of(cls, one: Opportunity) -> "Opportunities":
        """Return the batch that holds one opportunity."""
        return cls(
            opportunity_id=np.array([one.opportunity_id], dtype=object),
            customer_id=np.array([one.customer_id], dtype=object),
            slot=np.array([one.slot], dtype=object),
            surface=np.array([one.surface], dtype=object),
            stage=one.stage,
            at=one.at,
            context={name: column([value]) for name, value in one.context.items()},
        )

    def take(self, rows: np.ndarray) -> "Opportunities":
        """Return the batch of the given rows (indices or mask)."""
        return Opportunities(
            opportunity_id=self.opportunity_id[rows],
            customer_id=self.customer_id[rows],
            slot=self.slot[rows],
            surface=self.surface[rows],
            stage=self.stage,
            at=self.at,
            context={name: values[rows] for name, values in self.context.items()},
        )


def column(values: list[str | float | None]) -> np.ndarray:
    """Return values as one array: numbers as float64 with NaN for missing, text as objects with None for missing."""
    if any(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
