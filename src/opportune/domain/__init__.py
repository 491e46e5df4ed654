"""The nouns of lending opportunities: frozen structs of scalars and arrays, without files, network or data frames."""

from opportune.domain.asof import AsOf
from opportune.domain.candidates import Candidates
from opportune.domain.decision import Decision
from opportune.domain.errors import BadInput, BrokenPromise, OpportuneError
from opportune.domain.estimate import Estimate
from opportune.domain.facts import Facts
from opportune.domain.finding import Finding, Severity, errors
from opportune.domain.forecast import Forecast
from opportune.domain.limit import Limit, LimitRow, resource_in
from opportune.domain.money import Money
from opportune.domain.offer import NO_OFFER, NO_OFFER_ID, Offer
from opportune.domain.opportunity import STAGES, Opportunities, Opportunity, Stage, column
from opportune.domain.outcome import Outcome
from opportune.domain.plan import Certificate, Plan, RowReport, Status
from opportune.domain.policy import Policy
from opportune.domain.release import RELEASE_FORMAT, ReleaseManifest
from opportune.domain.value import Basis, Value

__all__ = [
    "NO_OFFER",
    "NO_OFFER_ID",
    "RELEASE_FORMAT",
    "STAGES",
    "AsOf",
    "BadInput",
    "Basis",
    "BrokenPromise",
    "Candidates",
    "Certificate",
    "Decision",
    "Estimate",
    "Facts",
    "Finding",
    "Forecast",
    "Limit",
    "LimitRow",
    "Money",
    "Offer",
    "OpportuneError",
    "Opportunities",
    "Opportunity",
    "Outcome",
    "Plan",
    "Policy",
    "ReleaseManifest",
    "RowReport",
    "Severity",
    "Stage",
    "Status",
    "Value",
    "column",
    "errors",
    "resource_in",
]
