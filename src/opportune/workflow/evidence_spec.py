"""What evidence.toml declares: the policies to judge, against whom, on which measure."""

from typing import Literal

import msgspec

PolicyKind = Literal["as_logged", "offer_to_all", "best_offer_per_band", "plan"]


class PolicySpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One policy.

    ``as_logged``: contact some customers at the offer they were logged with: a random ``share``, or the ``share``
    with the smallest ``rank_by`` (a feature), or those whom the plan chose (``planned = true``).
    ``offer_to_all``: one ``offer`` to everyone. ``best_offer_per_band``: the offer that did best in the training
    decisions of the customer's band. ``plan``: the plan's customers and offers.
    """

    name: str
    kind: PolicyKind
    says: str
    share: float = 1.0
    rank_by: str | None = None
    planned: bool = False
    offer: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share of policy {self.name!r} is {self.share}: expected above 0 and at most 1")
        if (self.kind == "offer_to_all") != (self.offer is not None):
            raise ValueError(f"policy {self.name!r}: expected `offer` for kind offer_to_all and for no other")


class Versus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference to estimate: ``policy`` less ``against``."""

    policy: str
    against: str


class WhatIfSubset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subset of takers on whom the contribution is shown again. ``where`` is SQL over decisions and outcomes."""

    name: str
    where: str
    says: str


class EvidenceSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the plan and its rivals are judged on the outcomes of the planned list."""

    cap: float
    """Each customer's value is cut to this much either way in the capped measure, in money."""
    replicates: int
    folds: int
    headline: tuple[str, str]
    """The difference that the first sentence of the report tells: policy, against."""
    assumption: str
    """What the measure assumes of customers who are left alone."""
    not_shown: str
    """What this evidence does not show, in one sentence."""
    today: str | None = None
    """The policy that is today's practice: a point on the frontier of the plan."""
    chosen_by: tuple[str, str] | None = None
    """Two features, a text and a number, by which the report shows who is chosen."""
    fairness: dict[str, str] = {}
    """Group name to an SQL expression over customers, for the fairness tables."""
    policy: tuple[PolicySpec, ...] = ()
    compare: tuple[Versus, ...] = ()
    subset: tuple[WhatIfSubset, ...] = ()

    def __post_init__(self) -> None:
        if not self.cap > 0:
            raise ValueError(f"cap is {self.cap}: expected an amount above zero")
        if self.replicates < 100:
            raise ValueError(f"replicates is {self.replicates}: expected at least 100 for a 95 % interval")
        if self.folds < 2:
            raise ValueError(f"folds is {self.folds}: expected at least 2")
