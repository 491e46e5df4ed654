"""Estimate: what a policy would have earned, from decisions logged with their probabilities."""

from opportune.evaluation.balance import BalanceReport, BalanceTest, balance
from opportune.evaluation.delayed import Completion, HazardCompletion, ProxyCompletion
from opportune.evaluation.estimate import compare, estimate
from opportune.evaluation.estimators import Estimator
from opportune.evaluation.inference import Interval
from opportune.evaluation.limits import LimitEvidence, limit_evidence
from opportune.evaluation.logged import LoggedDecisions, check_logged
from opportune.evaluation.loggers import balanced_log
from opportune.evaluation.policies import AsLogged, FixedOffers, Judged, fixed_choice
from opportune.evaluation.propensity import estimate_propensities
from opportune.evaluation.read_log import read_logged
from opportune.evaluation.read_policy import read_policy
from opportune.evaluation.sequence import Bounds, Path, path_of
from opportune.evaluation.slates import SlateValue, estimate_slates
from opportune.evaluation.staged import Staged, StagedModel, estimate_staged
from opportune.evaluation.support import Support, support
from opportune.evaluation.tail import cvar
from opportune.evaluation.terms import LoggedTerms, TermModel, TermsEstimate, estimate_terms

__all__ = [
    "AsLogged",
    "BalanceReport",
    "BalanceTest",
    "Bounds",
    "Completion",
    "Estimator",
    "FixedOffers",
    "HazardCompletion",
    "Interval",
    "Judged",
    "LimitEvidence",
    "LoggedDecisions",
    "LoggedTerms",
    "Path",
    "ProxyCompletion",
    "SlateValue",
    "Staged",
    "StagedModel",
    "Support",
    "TermModel",
    "TermsEstimate",
    "balance",
    "balanced_log",
    "check_logged",
    "compare",
    "cvar",
    "estimate",
    "estimate_propensities",
    "estimate_slates",
    "estimate_staged",
    "estimate_terms",
    "fixed_choice",
    "limit_evidence",
    "path_of",
    "read_logged",
    "read_policy",
    "support",
]
