"""The applied side of a generalised linear model: a fixed-order sum of terms and an inverse link. NumPy only."""

from typing import Literal

import msgspec
import numpy as np

from opportune.models.encoding import Columns
from opportune.numerics import expit


class LinearMember(msgspec.Struct, frozen=True, kw_only=True):
    """One fitted GLM: g(E[y]) = intercept + sum_j coefficient_j x_j with g the logit or the logarithm."""

    link: Literal["logit", "log"]
    intercept: float
    coefficients: tuple[float, ...]

    def predict(self, columns: Columns) -> np.ndarray:
        """Return E[y] (n,) for encoded columns, added term by term in order: no BLAS, so bits never depend on n."""
        eta = np.full(len(next(iter(columns.values()))), self.intercept)
        for coefficient, values in zip(self.coefficients, columns.values(), strict=True):
            eta += coefficient * values
        return expit(eta) if self.link == "logit" else np.exp(eta)
