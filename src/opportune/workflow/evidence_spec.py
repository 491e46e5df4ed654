"""What evidence.toml declares: the policies to judge, against whom, on which measure."""

from typing import Literal

import msgspec

from opportune.domain import AsOf

PolicyKind = Literal["as_logged", "offer_to_all", "offer_to_planned", "best_offer_per_band", "plan", "nobody"]


class PolicySpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One policy.

    ``as_logged``: contact some customers at the offer they were logged with: a random ``share``, or the ``share``
    with the smallest ``rank_by`` (a feature), or those whom the plan chose (``planned = true``).
    ``offer_to_all``: one ``offer`` to everyone; ``offer_to_planned``: to those whom the plan chose.
    ``best_offer_per_band``: the offer that did best in the training decisions of the customer's band. ``plan``: the
    plan's customers and offers. ``nobody``: no offer to anybody. ``without`` names a limit: the plan meant is then the
    best one without that limit.
    """

    name: str
    kind: PolicyKind
    says: str
    share: float = 1.0
    rank_by: str | None = None
    planned: bool = False
    offer: str | None = None
    without: str | None = None

    @property
    def is_plan(self) -> bool:
        """Whether this is the plan itself."""
        return self.kind == "plan" and self.without is None

    @property
    def follows_plan(self) -> bool:
        """Whether the policy depends on whom a plan chose."""
        return self.planned or self.kind in ("plan", "offer_to_planned")

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share of policy {self.name!r} is {self.share}: expected above 0 and at most 1")
        if (self.kind in ("offer_to_all", "offer_to_planned")) != (self.offer is not None):
            raise ValueError(f"policy {self.name!r}: expected `offer` for the kinds that offer one, and for no other")
        if self.without is not None and not self.follows_plan:
            raise ValueError(f"policy {self.name!r}: `without` is for policies that follow a plan")


class Versus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference to estimate: ``policy`` less ``against``."""

    policy: str
    against: str


class WhatIfSubset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subset of takers on whom the contribution is shown again. ``where`` is SQL over decisions and outcomes."""

    name: str
    where: str
    says: str


class ImmatureEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that may still come, such as take-up or the first missed payment, in periods since the decision.

    ``watched`` and ``at`` are SQL over decisions ``d`` and opportunities ``o``: the whole periods that a decision has
    been watched, and the period in which the event came, null while it has not. After ``horizon`` it counts no more.
    """

    watched: str
    at: str
    horizon: int

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"horizon of immature.event is {self.horizon}: expected at least 1 period")


class Immature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decisions of the list whose outcome is not yet known are worth the mean of the known ones of their ``cell``.

    ``cell`` is SQL over decisions ``d`` and opportunities ``o``: an early sign, such as the first payment, and the
    offer. With an ``event``, rows of a cell share its hazards, and the means are those of the known rows with it and
    without it. ``says`` tells a reader why decisions of one cell are alike.
    """

    cell: str
    says: str
    event: ImmatureEvent | None = None

    @property
    def sql(self) -> dict[str, str]:
        """The SQL of the declaration, by its key in evidence.toml."""
        event = {} if self.event is None else {"event.watched": self.event.watched, "event.at": self.event.at}
        return {f"immature.{name}": sql for name, sql in {"cell": self.cell, **event}.items()}


class EvidenceSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the plan and its rivals are judged on the outcomes of the planned list."""

    cap: float
    """The value of each decision is cut to this much either way in the capped measure, in money."""
    replicates: int
    folds: int
    headline: tuple[tuple[str, str], ...]
    """The differences that the report begins with, each as policy, against: what is shown of them, and what is not."""
    assumption: str
    """What the measure assumes of customers who are left alone, and what the data cannot show because of it. Where
    decisions about the list offered nothing, what was observed in them is told in its place."""
    today: str | None = None
    """The policy that is today's practice: a point on the frontier of the plan."""
    chosen_by: tuple[str, str] | None = None
    """Two features, a text and a number, by which the report shows who is chosen."""
    tail: float = 0.05
    """The share of customers whose worst outcomes are averaged: the risk of loss."""
    immature: Immature | None = None
    """How decisions without an outcome enter; absent, they are left out and counted."""
    fairness: dict[str, str] = {}
    """Group name to an SQL expression over customers, for the fairness tables."""
    policy: tuple[PolicySpec, ...] = ()
    compare: tuple[Versus, ...] = ()
    subset: tuple[WhatIfSubset, ...] = ()
    back_test: tuple[str, ...] = ()
    """Instants of the lists that a back-test plans again; absent: all up to the list that is planned."""

    def __post_init__(self) -> None:
        if not self.cap > 0:
            raise ValueError(f"cap is {self.cap}: expected an amount above zero")
        if self.replicates < 100:
            raise ValueError(f"replicates is {self.replicates}: expected at least 100 for a 95 % interval")
        if not self.headline:
            raise ValueError('headline is empty: expected at least one difference, such as [["planned", "standard"]]')
        if not 0.0 < self.tail <= 1.0:
            raise ValueError(f"tail is {self.tail}: expected a share above 0 and at most 1")
        if self.folds < 2:
            raise ValueError(f"folds is {self.folds}: expected at least 2")
        for text in self.back_test:
            try:
                AsOf.parse(text)
            except ValueError as error:
                raise ValueError(f"back_test holds {text!r}: expected dates such as 2003-10-01") from error
