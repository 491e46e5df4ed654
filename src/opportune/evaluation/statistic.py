"""A statistic: a number that is a smooth function of the totals of a few columns over rows.

Every estimate here is one. A bootstrap resamples the totals; an influence function is the derivative in them, so one
definition serves each kind of interval, and a difference or ratio of two statistics is again one.
"""

from collections.abc import Callable

import msgspec
import numpy as np

_STEP = float(np.finfo(np.float64).eps) ** (1.0 / 3.0)


class Statistic(msgspec.Struct, frozen=True):
    """Columns (n, m) to be summed, and the function from totals (..., m) to the estimate (...)."""

    columns: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]

    def whole(self) -> float:
        """Return the estimate on all rows."""
        return float(self.value(self.columns.sum(axis=0)))

    def gradient(self) -> np.ndarray:
        """Return the derivative (m,) of the estimate in each total, by central differences."""
        totals = self.columns.sum(axis=0)
        steps = np.diag(_STEP * np.maximum(np.abs(totals), 1.0))
        return np.asarray((self.value(totals + steps) - self.value(totals - steps)) / (2.0 * np.diag(steps)))


def sum_of(column: np.ndarray) -> Statistic:
    """Return the sum of a column (n,)."""
    return Statistic(column[:, None], lambda totals: totals[..., 0])


def mean_of(column: np.ndarray) -> Statistic:
    """Return the mean of a column (n,)."""
    return Statistic(np.column_stack([column, np.ones(len(column))]), lambda totals: totals[..., 0] / totals[..., 1])


def difference(first: Statistic, second: Statistic) -> Statistic:
    """Return ``first`` less ``second``, on the same rows."""
    return _joined(first, second, lambda a, b: np.asarray(a - b))


def ratio(above: Statistic, below: Statistic) -> Statistic:
    """Return ``above`` over ``below``, on the same rows; 0 of nothing."""
    return _joined(above, below, ratio_or_zero)


def product(first: Statistic, second: Statistic) -> Statistic:
    """Return ``first`` times ``second``, on the same rows."""
    return _joined(first, second, lambda a, b: np.asarray(a * b))


def scaled(statistic: Statistic, factor: float) -> Statistic:
    """Return the statistic times a number."""
    return Statistic(statistic.columns, lambda totals: statistic.value(totals) * factor)


def shifted(statistic: Statistic, by: float) -> Statistic:
    """Return the statistic plus a number."""
    return Statistic(statistic.columns, lambda totals: statistic.value(totals) + by)


def _joined(first: Statistic, second: Statistic, of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Statistic:
    edge = first.columns.shape[1]
    columns = np.column_stack([first.columns, second.columns])
    return Statistic(columns, lambda totals: of(first.value(totals[..., :edge]), second.value(totals[..., edge:])))


def ratio_or_zero(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, and 0 where below is 0: what nobody was offered has no mean, and weighs nothing."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below != 0))
