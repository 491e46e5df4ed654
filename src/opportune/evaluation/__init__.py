"""Estimate: what a policy would have earned, from decisions logged with their probabilities."""

from opportune.evaluation.balance import BalanceReport, BalanceTest, balance
from opportune.evaluation.budget_walk import BudgetWalk
from opportune.evaluation.convex_hull import hull_walk
from opportune.evaluation.estimate import compare, estimate, realised_use
from opportune.evaluation.estimators import Estimator
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.logged import LoggedDecisions, check_logged
from opportune.evaluation.policies import AsLogged, FixedOffers, Judged, fixed_choice
from opportune.evaluation.policy_curve import policy_curve, policy_gain
from opportune.evaluation.propensity import estimate_propensities
from opportune.evaluation.qini_path import one_for_all, qini_path
from opportune.evaluation.ranked_trial import RankedTrial
from opportune.evaluation.support import Support, support
from opportune.evaluation.uplift_measures import auuc, qini, uplift_at
from opportune.evaluation.uplift_scores import UpliftScores, doubly_robust_scores
from opportune.evaluation.walk_estimates import GainPath, gain_path

__all__ = [
    "AsLogged",
    "BalanceReport",
    "BalanceTest",
    "BudgetWalk",
    "Estimator",
    "FixedOffers",
    "GainPath",
    "Judged",
    "LoggedDecisions",
    "RankedTrial",
    "Support",
    "UpliftScores",
    "auuc",
    "balance",
    "check_logged",
    "compare",
    "doubly_robust_scores",
    "estimate",
    "estimate_propensities",
    "fixed_choice",
    "gain_path",
    "hull_walk",
    "one_for_all",
    "policy_curve",
    "policy_gain",
    "qini",
    "qini_path",
    "realised_use",
    "refuse_overlap",
    "support",
    "uplift_at",
]
