"""What ``--json`` prints: one object per command, each valid against the schema that is made from its class here."""

from typing import Any

import msgspec

from opportune.domain import Certificate, Finding
from opportune.workflow.apr_file import AprFile
from opportune.workflow.change import PlanChange
from opportune.workflow.horizon_told import HorizonTold
from opportune.workflow.one_customer import CustomerExplained
from opportune.workflow.steps import StepForecast
from opportune.workflow.uses import Use
from opportune.workflow.value_file import ValuedFile
from opportune.workflow.worth import SourceWorth


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command did not do its work. ``status`` is its exit status."""

    status: int
    findings: tuple[Finding, ...]


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """Customers left alone at random: share, number, and the planned value given up."""

    share: float
    customers: int
    cost: float


class PlanSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune plan`: what ran and why, the plan's proof, and what it changes against the last release.

    ``horizon`` tells the list from the forecast that was planned with it; null of a plan of the list alone.
    ``findings`` are what is doubtful and was not refused. ``customer`` is the one that --customer names.
    """

    steps: tuple[StepForecast, ...]
    certificate: Certificate
    prices: dict[str, float]
    holdout: Holdout
    horizon: HorizonTold | None
    change: PlanChange | None
    customer: CustomerExplained | None
    findings: tuple[Finding, ...]


class DiffSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune diff`: what changes between two plans."""

    change: PlanChange


class UsesSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune uses`: what depends on a name."""

    name: str
    uses: tuple[Use, ...]


class TrainSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune train`: a card per model, and what a source is worth when one was left out."""

    models: list[dict[str, Any]]
    worth: SourceWorth | None


class CheckSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune check`: what is doubtful in the tables."""

    findings: tuple[Finding, ...]


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit in ``summary.json``."""

    name: str
    used: float
    limit: float
    price: float
    slack: float


class PlanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in ``summary.json``. ``ahead``, only of a plan that looks ahead: so many of its opportunities are a
    forecast, and all figures are of list and forecast together.
    """

    status: str
    value: float
    bound: float
    gap: float
    rows: tuple[PlanRow, ...]
    ahead: int = 0


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One estimate in ``summary.json``; ``against`` is null for a policy by itself."""

    policy: str
    against: str | None
    measure: str
    value: float
    low: float
    high: float
    n: int
    effective_n: float | None
    method: str


class RunSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune run`: what ``summary.json`` holds; ``release`` is null when a gate failed."""

    plan: PlanSummary
    evidence: tuple[EvidenceRow, ...]
    release: str | None


class ReleaseSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune release`: the hash of the sealed release."""

    release: str


class ReportSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune report`: the path of the page."""

    report: str


class AprSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`opportune apr`: a fraction a year, not rounded; null where ``status`` says that there is no single root.

    ``residual``: what the flows leave at that rate, in money. ``irregular``: which tolerance holds. ``accurate``: of
    the rate given with --disclosed; ``within_cap``: of 36 %, with --include mapr.
    """

    apr: float | None
    status: str
    unit_period: str
    finance_charge: float
    amount_financed: float
    residual: float | None
    irregular: bool
    accurate: bool | None
    within_cap: bool | None


OUTPUTS = {
    "failure": Failure, "plan": PlanSaid, "diff": DiffSaid, "uses": UsesSaid, "train": TrainSaid, "check": CheckSaid,
    "run": RunSaid, "release": ReleaseSaid, "report": ReportSaid, "apr": AprSaid,
    "apr-file": AprFile, "value": ValuedFile,
}  # fmt: skip
"""The class of each command's output, by the name of its schema."""
