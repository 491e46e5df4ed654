"""Cross-fitting: no row is predicted by a model that saw its cluster."""

import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.workflow.cross_fit import cross_fitted_arms


class Memory:
    """Predicts 1 for the rows that it was taught, 0 for others."""

    def fit(self, X, y):
        self.seen = set(X[:, 0])
        return self

    def predict(self, X):
        return np.array([float(each in self.seen) for each in X[:, 0]])


class Mean:
    def fit(self, X, y):
        self.mean = y.mean()

    def predict(self, X):
        return np.full(len(X), self.mean)


def test_no_row_meets_a_learner_that_saw_its_cluster():
    cluster = np.arange(120) // 4
    action = np.arange(120) % 2
    seen = cross_fitted_arms(
        Memory, cluster[:, None].astype(float), action, np.ones(120), 2, cluster=cluster, folds=3, seed=1
    )
    assert seen.tolist() == np.zeros((120, 2)).tolist()


def test_each_arm_is_learned_from_its_own_rows():
    action = np.arange(300) % 3
    predicted = cross_fitted_arms(
        Mean, np.zeros((300, 1)), action, action * 10.0, 3, cluster=np.arange(300), folds=5, seed=1
    )
    assert predicted == pytest.approx(np.tile([0.0, 10.0, 20.0], (300, 1)))


def test_an_arm_that_lies_in_one_fold_is_refused():
    with pytest.raises(BadInput, match=r"OP851.*arm 1.*has no customer outside fold"):
        cross_fitted_arms(
            Mean, np.zeros((20, 1)), (np.arange(20) == 3) * 1, np.ones(20), 2, cluster=np.arange(20), folds=2, seed=1
        )
