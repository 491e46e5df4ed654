"""Cross-fitting: predictions of what every arm would bring, by models that never saw the row's cluster."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.numerics import keyed_folds


class Learner(Protocol):
    """What follows scikit-learn's conventions: ``fit`` learns and ``predict`` tells the expected outcome (n,)."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        """Learn from rows X (n, p) and outcomes y (n,)."""
        ...

    def predict(self, X: np.ndarray) -> Any:
        """Return the expected outcome (n,)."""
        ...


def cross_fitted_arms(
    new_learner: Callable[[], Learner],
    features: np.ndarray,
    action: np.ndarray,
    outcome: np.ndarray,
    arms: int,
    *,
    cluster: np.ndarray,
    folds: int,
    seed: int,
) -> np.ndarray:
    """Return the expected outcome (n, arms) of every customer under every arm, one learner per arm and fold.

    ``new_learner`` gives a fresh learner each time. A row is predicted by learners that saw no row of its ``cluster``
    (n,). BadInput (OP851) when an arm has no row outside a fold.
    """
    fold = keyed_folds(seed, "cross-fitted arms", cluster, folds)
    predicted = np.empty((len(outcome), arms))
    for held_out in range(folds):
        rows = fold == held_out
        for arm in range(arms):
            taught = ~rows & (action == arm)
            _refuse_untaught(taught, arm, held_out)
            learner = new_learner()
            learner.fit(features[taught], outcome[taught])
            predicted[rows, arm] = learner.predict(features[rows])
    return predicted


def _refuse_untaught(taught: np.ndarray, arm: int, fold: int) -> None:
    if not taught.any():
        message = f"has no customer outside fold {fold}: expected some, to learn from"
        step = "use fewer folds, or leave the arm out"
        raise BadInput(
            [Finding(code="OP851", source="cross-fitting", subject=f"arm {arm}", message=message, next_step=step)]
        )
