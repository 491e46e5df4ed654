"""Estimate: what a policy would have earned, from decisions logged with their probabilities."""

from opportune.evaluation.balance import BalanceReport, BalanceTest, balance
from opportune.evaluation.budget_walk import BudgetWalk
from opportune.evaluation.convex_hull import hull_walk
from opportune.evaluation.covariate_adjustment import Adjusted, adjusted_difference, cuped_prediction
from opportune.evaluation.delayed import Completion, ProxyCompletion, total_of
from opportune.evaluation.estimate import compare, estimate
from opportune.evaluation.estimators import Estimator
from opportune.evaluation.experiment import Arm, Assignment, Experiment, Layer, assign, check_layers
from opportune.evaluation.experiment_power import ExperimentDesign, Power, power
from opportune.evaluation.experiment_readout import first_decided, sequential_readout
from opportune.evaluation.experiment_sql import arm_sql
from opportune.evaluation.hazards import EventCompletion, HazardCompletion
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.inference import Interval
from opportune.evaluation.limits import LimitEvidence, limit_evidence
from opportune.evaluation.logged import LoggedDecisions, check_logged
from opportune.evaluation.logged_terms import LoggedTerms, TermModel
from opportune.evaluation.loggers import balanced_log
from opportune.evaluation.policies import AsLogged, FixedOffers, Judged, fixed_choice
from opportune.evaluation.policy_curve import policy_curve, policy_gain
from opportune.evaluation.propensity import estimate_propensities
from opportune.evaluation.qini_path import one_for_all, qini_path
from opportune.evaluation.ranked_trial import RankedTrial
from opportune.evaluation.read_ledger import read_ledger
from opportune.evaluation.read_log import read_logged
from opportune.evaluation.read_policy import read_policy
from opportune.evaluation.sample_ratio import SampleRatio, sample_ratio
from opportune.evaluation.sequence import Bounds, Path, path_of
from opportune.evaluation.slates import SlateValue, estimate_slates
from opportune.evaluation.staged import Staged, StagedModel, estimate_staged
from opportune.evaluation.support import Support, support
from opportune.evaluation.swap_set import SwapCell, swap_set
from opportune.evaluation.tail import cvar
from opportune.evaluation.terms import TermsEstimate, estimate_terms
from opportune.evaluation.untold import WAIT
from opportune.evaluation.uplift_measures import auuc, qini, uplift_at
from opportune.evaluation.uplift_scores import UpliftScores, doubly_robust_scores
from opportune.evaluation.walk_estimates import GainPath, gain_path

__all__ = [
    "WAIT",
    "Adjusted",
    "Arm",
    "AsLogged",
    "Assignment",
    "BalanceReport",
    "BalanceTest",
    "Bounds",
    "BudgetWalk",
    "Completion",
    "Estimator",
    "EventCompletion",
    "Experiment",
    "ExperimentDesign",
    "FixedOffers",
    "GainPath",
    "HazardCompletion",
    "Interval",
    "Judged",
    "Layer",
    "LimitEvidence",
    "LoggedDecisions",
    "LoggedTerms",
    "Path",
    "Power",
    "ProxyCompletion",
    "RankedTrial",
    "SampleRatio",
    "SlateValue",
    "Staged",
    "StagedModel",
    "Support",
    "SwapCell",
    "TermModel",
    "TermsEstimate",
    "UpliftScores",
    "adjusted_difference",
    "arm_sql",
    "assign",
    "auuc",
    "balance",
    "balanced_log",
    "check_layers",
    "check_logged",
    "compare",
    "cuped_prediction",
    "cvar",
    "doubly_robust_scores",
    "estimate",
    "estimate_propensities",
    "estimate_slates",
    "estimate_staged",
    "estimate_terms",
    "first_decided",
    "fixed_choice",
    "gain_path",
    "hull_walk",
    "limit_evidence",
    "one_for_all",
    "path_of",
    "policy_curve",
    "policy_gain",
    "power",
    "qini",
    "qini_path",
    "read_ledger",
    "read_logged",
    "read_policy",
    "refuse_overlap",
    "sample_ratio",
    "sequential_readout",
    "support",
    "swap_set",
    "total_of",
    "uplift_at",
]
