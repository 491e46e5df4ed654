"""Compute: declarations of features to SQL to as-of values, the same for one customer and for a list."""

from opportune.features.check import check_features
from opportune.features.compile import KNOWN_AT_SUFFIX, compile_features
from opportune.features.compute import compute_features, facts_of, feature_column
from opportune.features.condition import NotACondition, read_condition
from opportune.features.declare import AGGREGATES, Feature

__all__ = [
    "AGGREGATES",
    "KNOWN_AT_SUFFIX",
    "Feature",
    "NotACondition",
    "check_features",
    "compile_features",
    "compute_features",
    "facts_of",
    "feature_column",
    "read_condition",
]
