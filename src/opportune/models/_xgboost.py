"""Boosted trees by XGBoost: the only module that imports it. One thread per booster, so that bits never vary."""

from collections.abc import Mapping

import numpy as np
import xgboost as xgb

from opportune.models.encoding import Columns
from opportune.models.spec import Kind

ROUNDS = 120
PARAMETERS = {
    "max_depth": 3,
    "eta": 0.05,
    "min_child_weight": 20,
    "subsample": 0.7,
    "colsample_bytree": 0.8,
    "lambda": 10.0,
    "tree_method": "hist",
    "nthread": 1,
    "verbosity": 0,
}
"""Small, slow trees. Fixed in advance for data of this size, not tuned."""

Booster = xgb.Booster


def fit_boosting(kind: Kind, columns: Columns, target: np.ndarray, signs: Mapping[str, int], seed: int) -> Booster:
    """Fit one booster; a column with a declared sign is constrained to move the prediction that way only."""
    objective = "binary:logistic" if kind == "binary" else "reg:tweedie"
    constraints = tuple(signs.get(name, 0) for name in columns)
    parameters = {**PARAMETERS, "objective": objective, "monotone_constraints": constraints, "seed": seed}
    if kind == "amount":
        parameters |= {"tweedie_variance_power": 1.5, "min_child_weight": 1}
    data = xgb.DMatrix(_matrix(columns), label=target, nthread=1)
    return xgb.train(parameters, data, num_boost_round=ROUNDS)


def predict_boosting(booster: Booster, columns: Columns) -> np.ndarray:
    """Return E[y] (n,) as float64."""
    return np.asarray(booster.inplace_predict(_matrix(columns)), dtype=np.float64)


def _matrix(columns: Columns) -> np.ndarray:
    return np.ascontiguousarray(np.column_stack([values.astype(np.float32) for values in columns.values()]))


def to_bytes(booster: Booster) -> bytes:
    """Return the booster in XGBoost's own format, which holds no code."""
    return bytes(booster.save_raw(raw_format="ubj"))


def from_bytes(content: bytes) -> Booster:
    """Return the booster that was saved."""
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    return booster
