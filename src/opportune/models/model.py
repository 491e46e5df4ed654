"""A model: members of a bag, averaged in a fixed order and calibrated. What is applied; learning is elsewhere."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from opportune.models.calibration import Calibrator
from opportune.models.encoding import Columns, Encoding, linear_columns, tree_columns
from opportune.models.linear import LinearMember
from opportune.models.spec import ModelSpec

BLOCK = 16_384
"""Rows per block: members' predictions of one block stay in the cache."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A role's specification and learned state. ``boosters`` are XGBoost's; ``card`` tells how it was learned."""

    role: str
    spec: ModelSpec
    encoding: Encoding
    linear: tuple[LinearMember, ...]
    boosters: tuple[Any, ...]
    calibrator: Calibrator
    card: dict[str, Any]

    def predict(
        self, values: Mapping[str, np.ndarray], terms: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the expectation (n,) and its standard deviation over the bag's members (n,).

        ``values`` and ``terms`` map each declared feature and term to an array (n,).
        """
        inputs = {name: values[name] for name in self.spec.features} | {name: terms[name] for name in self.spec.terms}
        count = len(next(iter(inputs.values())))
        parts = [self._block({k: v[i : i + BLOCK] for k, v in inputs.items()}) for i in range(0, count, BLOCK)]
        return np.concatenate([mean for mean, _ in parts]), np.concatenate([spread for _, spread in parts])

    def predict_members(self, values: Mapping[str, np.ndarray], terms: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the expectation (n,) by each bag alone: the model that would stand had one fold never been there.

        The learners' members of one bag are averaged, then calibrated as the whole model is.
        """
        inputs = {name: values[name] for name in self.spec.features} | {name: terms[name] for name in self.spec.terms}
        members = member_predictions(self.encoding, self.linear, self.boosters, inputs)
        bags = self.spec.bags
        return [self.calibrator.apply(fixed_order_mean(members[bag::bags])) for bag in range(bags)]

    def _block(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        members = member_predictions(self.encoding, self.linear, self.boosters, inputs)
        mean = fixed_order_mean(members)
        calibrated = [self.calibrator.apply(member) for member in members]
        center = fixed_order_mean(calibrated)
        spread = np.sqrt(fixed_order_mean([(member - center) ** 2 for member in calibrated]))
        return self.calibrator.apply(mean), spread


def member_predictions(
    encoding: Encoding,
    linear: tuple[LinearMember, ...],
    boosters: tuple[Any, ...],
    inputs: Mapping[str, np.ndarray],
) -> list[np.ndarray]:
    """Return each member's raw prediction (n,): linear members first, then boosters."""
    predictions: list[np.ndarray] = []
    if linear:
        columns = linear_columns(encoding, inputs)
        predictions += [member.predict(columns) for member in linear]
    if boosters:
        predictions += _boosted(boosters, tree_columns(encoding, inputs))
    return predictions


def _boosted(boosters: tuple[Any, ...], columns: Columns) -> list[np.ndarray]:
    from opportune.models._xgboost import predict_boosting

    return [predict_boosting(booster, columns) for booster in boosters]


def fixed_order_mean(arrays: list[np.ndarray]) -> np.ndarray:
    """Return the mean of equal arrays, added one after another so that the bits do not depend on their length."""
    total = arrays[0].copy()
    for each in arrays[1:]:
        total += each
    return total / len(arrays)


def predict_offers(
    model: Model, values: Mapping[str, np.ndarray], terms: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return expectation and spread under every offer, arrays (n, K), for features (n,) and terms (n, K)."""
    shape = next(iter(terms.values())).shape
    repeated = {name: np.repeat(values[name], shape[1]) for name in model.spec.features}
    mean, spread = model.predict(repeated, {name: terms[name].ravel() for name in model.spec.terms})
    return mean.reshape(shape), spread.reshape(shape)
