"""The nouns of lending opportunities: frozen structs of scalars and arrays, without files, network or data frames."""

from opportune.domain.asof import AsOf
from opportune.domain.candidates import CandidateBlocks, Candidates
from opportune.domain.decision import Decision
from opportune.domain.errors import BadInput, BrokenPromise, Interrupted, OpportuneError
from opportune.domain.estimate import Estimate
from opportune.domain.facts import Facts
from opportune.domain.finding import Finding, Severity, errors
from opportune.domain.forecast import Forecast
from opportune.domain.labels import PERIOD_FORMS, group_label, period_label
from opportune.domain.limit import Limit
from opportune.domain.limit_rows import LimitRow, Places, Reserved, limit_rows, places_of, resource_in, rows_of
from opportune.domain.money import Money
from opportune.domain.offer import NO_OFFER, NO_OFFER_ID, Offer
from opportune.domain.opportunity import STAGES, Opportunities, Opportunity, Stage, column
from opportune.domain.outcome import Outcome
from opportune.domain.plan import Certificate, Explored, Plan, RowReport, Status
from opportune.domain.policy import Policy
from opportune.domain.release import RELEASE_FORMAT, ReleaseManifest
from opportune.domain.value import Basis, Value
from opportune.domain.where import parse_where, rows_where

__all__ = [
    "NO_OFFER",
    "NO_OFFER_ID",
    "PERIOD_FORMS",
    "RELEASE_FORMAT",
    "STAGES",
    "AsOf",
    "BadInput",
    "Basis",
    "BrokenPromise",
    "CandidateBlocks",
    "Candidates",
    "Certificate",
    "Decision",
    "Estimate",
    "Explored",
    "Facts",
    "Finding",
    "Forecast",
    "Interrupted",
    "Limit",
    "LimitRow",
    "Money",
    "Offer",
    "OpportuneError",
    "Opportunities",
    "Opportunity",
    "Outcome",
    "Places",
    "Plan",
    "Policy",
    "ReleaseManifest",
    "Reserved",
    "RowReport",
    "Severity",
    "Stage",
    "Status",
    "Value",
    "column",
    "errors",
    "group_label",
    "limit_rows",
    "parse_where",
    "period_label",
    "places_of",
    "resource_in",
    "rows_of",
    "rows_where",
]
