"""Estimate: what a policy would have earned, from decisions logged with their probabilities."""

from opportune.evaluation.balance import BalanceReport, BalanceTest, balance
from opportune.evaluation.estimate import compare, estimate, realised_use
from opportune.evaluation.estimators import Estimator
from opportune.evaluation.logged import LoggedDecisions, check_logged
from opportune.evaluation.policies import AsLogged, FixedOffers, Judged, fixed_choice
from opportune.evaluation.propensity import estimate_propensities
from opportune.evaluation.support import Support, support

__all__ = [
    "AsLogged",
    "BalanceReport",
    "BalanceTest",
    "Estimator",
    "FixedOffers",
    "Judged",
    "LoggedDecisions",
    "Support",
    "balance",
    "check_logged",
    "compare",
    "estimate",
    "estimate_propensities",
    "fixed_choice",
    "realised_use",
    "support",
]
