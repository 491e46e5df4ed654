"""Fitting penalised GLMs with glum: the only module that imports it."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from glum import GeneralizedLinearRegressor, TweedieDistribution

from opportune.domain import BadInput, Finding
from opportune.models.encoding import Columns
from opportune.models.linear import LinearMember

RIDGE = {"logistic": 1e-3, "gamma": 3e-2, "tweedie": 1e-1}
"""Strength of the ridge penalty per observation. Fixed in advance for data of this size, not tuned."""


def fit_linear(learner: str, columns: Columns, target: np.ndarray, signs: Mapping[str, int]) -> LinearMember:
    """Fit one GLM with a ridge penalty; a column with a declared sign has its coefficient bounded at zero.

    A fit that did not converge says so by a warning, so the caller turns warnings into errors: it does so once for the
    process, because a filter that a thread sets and resets can stay behind when two of them overlap.
    """
    family = {"logistic": "binomial", "gamma": "gamma", "tweedie": TweedieDistribution(1.5)}[learner]
    link: Literal["logit", "log"] = "logit" if learner == "logistic" else "log"
    model = GeneralizedLinearRegressor(
        family=family,
        link=link,
        alpha=RIDGE[learner],
        l1_ratio=0.0,
        lower_bounds=np.array([0.0 if signs.get(name) == 1 else -np.inf for name in columns]),
        upper_bounds=np.array([0.0 if signs.get(name) == -1 else np.inf for name in columns]),
        max_iter=500,
        gradient_tol=1e-7,
    )
    try:
        model.fit(np.column_stack(list(columns.values())), target)
    except (ValueError, Warning) as error:
        raise BadInput([_refused(learner, target, error)]) from error
    coefficients = tuple(float(value) for value in model.coef_)
    return LinearMember(link=link, intercept=float(model.intercept_), coefficients=coefficients)


def _refused(learner: str, target: np.ndarray, error: Exception) -> Finding:
    message = f"cannot be fitted to targets from {target.min():g} to {target.max():g}: {str(error).rstrip('.')[:160]}"
    expected = "gamma needs amounts above zero, tweedie amounts of zero or more"
    return Finding(
        code="OP312", source="models.toml", subject=learner, message=message, next_step=f"mend the target; {expected}"
    )
