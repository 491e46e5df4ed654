"""What a project folder declares, as records."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

import msgspec

from opportune.allocation import columns_of
from opportune.domain import AsOf, Limit
from opportune.economics import Economics
from opportune.features import Feature
from opportune.models import ModelSpec
from opportune.offers import (
    Catalogue,
    Eligibility,
    RulePack,
    conditions_at,
)
from opportune.workflow.evidence_spec import EvidenceSpec
from opportune.workflow.source_spec import Source

HOLDOUT = 0.02
"""Share of a coming list that is left alone at random by default, so that the next report can say uplift."""


class TimeSplit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which decisions teach, which list is planned, and up to when outcomes may teach. ISO 8601, UTC."""

    train_from: str
    train_until: str
    plan_at: str
    labels_as_of: str
    retrospective: str | None = None

    def __post_init__(self) -> None:
        for name in ("train_from", "train_until", "plan_at", "labels_as_of"):
            try:
                AsOf.parse(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected a date such as 2003-10-01") from error


class Protected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns that may enter fairness tables only: protected attributes, and proxies of them."""

    columns: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scalars at the top of opportune.toml."""

    name: str
    question: str
    currency: str
    engine: Literal["duckdb"]
    seed: int
    cluster: str
    """Column of opportunities whose rows share their luck: folds and intervals keep them together."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"currency is {self.currency!r}: expected three capital letters of ISO 4217, such as ZAR")


class Frontier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limit to vary and the bounds to try."""

    limit: str
    bounds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(math.isfinite(bound) for bound in self.bounds):
            raise ValueError(f"bounds are {list(self.bounds)}: expected finite numbers")


class Exploration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the plan gives up to learn. ``holdout``: share of customers left alone at random, whatever their value.

    Absent: 0.02 for a list that is still to come, and none for one that was sent long ago (``retrospective``).

    ``floor``: probability of each eligible offer that is nearly best, as many as ``budget`` in money pays for and as
    leave the chosen one as much, the nearest first. None
    that is dearer for the customer than the offer ``standard``, none that uses more of a resource than ``largest``
    allows, and none to a customer whose column ``tried`` counts ``repeats`` or more earlier tries.
    """

    holdout: float | None = None
    floor: float | None = None
    budget: float | None = None
    standard: str | None = None
    largest: dict[str, float] = {}
    tried: str | None = None
    repeats: int | None = None

    def __post_init__(self) -> None:
        given = (self.floor is not None, self.budget is not None, self.standard is not None)
        if any(given) and not all(given):
            raise ValueError("floor, budget and standard belong together: expected all of them, or none")
        if self.floor is not None and not 0.0 < self.floor <= 0.2:
            raise ValueError(f"floor is {self.floor}: expected a probability above 0 and at most 0.2")
        if self.budget is not None and not 0.0 <= self.budget < math.inf:
            raise ValueError(f"budget is {self.budget}: expected money, zero or more")
        for resource, most in self.largest.items():
            if not math.isfinite(most):
                raise ValueError(f"largest.{resource} is {most}: expected a finite number")
        if (self.tried is None) != (self.repeats is None):
            raise ValueError("tried and repeats belong together: expected both, or none")
        if self.repeats is not None and self.repeats < 0:
            raise ValueError(f"repeats is {self.repeats}: expected 0 or more")
        if self.holdout is not None and not 0.0 <= self.holdout < 1.0:
            raise ValueError(f"holdout is {self.holdout}: expected a share of 0 or more and below 1")


class Objective(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the plan maximises: the expected lifetime value of economics.toml, and nothing else yet.

    ``offers_per_customer``: how many offers one customer may get over all slots and surfaces; absent: one for each
    opportunity. ``gap``: how far below its bound a plan may lie, as a share of the bound, and still count as proved:
    `release` refuses a wider one, and the search stops at it.
    """

    maximise: Literal["value"] = "value"
    offers_per_customer: int | None = None
    gap: float = 1e-4

    def __post_init__(self) -> None:
        if not 0.0 < self.gap < 1.0:
            raise ValueError(f"gap is {self.gap}: expected a share above 0 and below 1, such as 0.001")
        if self.offers_per_customer is not None and self.offers_per_customer < 1:
            raise ValueError(f"offers_per_customer is {self.offers_per_customer}: expected 1 or more")


class Asked(TypedDict):
    """What every allocation of a project is asked, by the names of the allocator's arguments."""

    gap: float
    seed: int
    offers_per_customer: int | None


class Horizon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a plan looks ahead. ``segment``: the column of opportunities that the table `forecast` is by.

    ``weeks``: so many weeks from the instant of the list are seen too; 0: only where ``--horizon`` asks for some.
    """

    segment: str
    weeks: int = 0

    def __post_init__(self) -> None:
        if self.weeks < 0:
            raise ValueError(f"weeks is {self.weeks}: expected 0 or more")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a project folder declares, converted and checked."""

    directory: Path
    identity: Identity
    time: TimeSplit
    protected: tuple[str, ...]
    sources: dict[str, Source]
    features: dict[str, Feature]
    models: dict[str, ModelSpec]
    catalogue: Catalogue
    eligibility: tuple[Eligibility, ...]
    rules: dict[str, RulePack]
    assumptions: Economics
    objective: Objective
    limits: tuple[Limit, ...]
    frontier: Frontier | None
    exploration: Exploration
    horizon: Horizon | None
    evidence: EvidenceSpec

    @property
    def plan_at(self) -> AsOf:
        """The instant of the list to plan."""
        return AsOf.parse(self.time.plan_at)

    @property
    def asked(self) -> Asked:
        """What every allocation is asked: plans that are compared must be asked the same."""
        objective = self.objective
        return Asked(gap=objective.gap, seed=self.identity.seed, offers_per_customer=objective.offers_per_customer)

    @property
    def holdout(self) -> float:
        """The share of customers that the plan leaves alone at random."""
        if self.exploration.holdout is not None:
            return self.exploration.holdout
        return 0.0 if self.time.retrospective else HOLDOUT

    @property
    def conditions(self) -> tuple[Eligibility, ...]:
        """What makes a customer eligible for the list: the project's own conditions and the rule packs in force."""
        return (*self.eligibility, *conditions_at(tuple(self.rules.values()), self.plan_at))

    @property
    def evidence_sql(self) -> dict[str, str]:
        """The SQL inside evidence.toml, by key."""
        subsets = {f"subset '{each.name}'.where": each.where for each in self.evidence.subset}
        immature = {} if self.evidence.immature is None else self.evidence.immature.sql
        return {**{f"fairness.{name}": sql for name, sql in self.evidence.fairness.items()}, **subsets, **immature}

    @property
    def limit_columns(self) -> dict[str, list[str]]:
        """The columns of opportunities that limits and exploration read, by the name of the limit."""
        tried = {} if self.exploration.tried is None else {"exploration": [self.exploration.tried]}
        read = {each.name: [name for names in columns_of(each).values() for name in names] for each in self.limits}
        return {**read, **tried}


def settings_part(settings: Settings, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the named parts as plain data, for the content key of a step: comments and layout do not count."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in names}
