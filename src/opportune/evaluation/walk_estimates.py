"""Gains along a walk with intervals: a cluster bootstrap that buys anew in each sample."""

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate
from opportune.evaluation.budget_walk import BudgetWalk
from opportune.evaluation.cluster_count import refuse_few_clusters
from opportune.evaluation.inference import check_level, check_replicates
from opportune.evaluation.untold import hardly, is_point
from opportune.numerics import generator, percentile_interval

PURPOSE = "uplift bootstrap"
METHOD = "cluster bootstrap of the path"
LEVEL = 0.95


class GainPath(msgspec.Struct, frozen=True, kw_only=True):
    """Gain per customer at budgets per customer (b,).

    ``gain`` (b,) and ``standard_error`` (b,); ``area`` is the mean gain over budgets from 0 to the largest, the area
    under the path divided by that budget. ``replicates`` (replicates, b) and ``area_replicates`` (replicates,) are
    those of the bootstrap: paths on the same clusters, seed and number of replicates are resampled together.
    """

    budgets: np.ndarray
    gain: np.ndarray
    area: float
    replicates: np.ndarray
    area_replicates: np.ndarray
    n: int

    @property
    def standard_error(self) -> np.ndarray:
        """The standard deviation of the replicates at each budget."""
        return np.asarray(self.replicates.std(axis=0, ddof=1))

    def estimates(self, level: float = LEVEL) -> tuple[Estimate, ...]:
        """Return the gain at each budget with its percentile interval."""
        return tuple(
            _estimate(float(value), drawn, self.n, level)
            for value, drawn in zip(self.gain, self.replicates.T, strict=True)
        )

    def per_unit_of_budget(self, level: float = LEVEL) -> tuple[Estimate, ...]:
        """Return gain divided by budget, at each budget above zero: what a unit of budget buys on average."""
        return tuple(
            _estimate(float(value / budget), drawn / budget, self.n, level)
            for budget, value, drawn in zip(self.budgets, self.gain, self.replicates.T, strict=True)
            if budget > 0
        )

    def mean_gain(self, level: float = LEVEL) -> Estimate:
        """Return the area under the path per unit of the largest budget."""
        return _estimate(self.area, self.area_replicates, self.n, level)

    def less(self, other: "GainPath") -> "GainPath":
        """Return this path less another one on the same customers: what both share cancels in each replicate."""
        if self.replicates.shape != other.replicates.shape or not np.array_equal(self.budgets, other.budgets):
            raise ValueError("two paths are compared at the same budgets and with the same number of replicates")
        return GainPath(
            budgets=self.budgets, gain=self.gain - other.gain, area=self.area - other.area,
            replicates=self.replicates - other.replicates,
            area_replicates=self.area_replicates - other.area_replicates, n=self.n,
        )  # fmt: skip


def gain_path(walk: BudgetWalk, cluster: np.ndarray, budgets: np.ndarray, *, replicates: int, seed: int) -> GainPath:
    """Return gains along a walk at budgets per customer (b,), clusters (n,) drawn with replacement.

    BadInput when clusters are too few to be drawn (OP609), or all gains are the same (OP629): nothing tells how they
    vary. ValueError when no budget is above zero or one is no number, or replicates are too few for an interval.
    """
    refuse_few_clusters(cluster)
    check_replicates(replicates, LEVEL)
    budgets = np.asarray(budgets, dtype=np.float64)
    if not (np.isfinite(budgets).all() and np.max(budgets, initial=0.0) > 0.0):
        raise ValueError(f"budgets are {budgets.tolist()}: expected finite numbers, one of them above 0")
    if len(walk.gain) and is_point(float(walk.gain.min()), float(walk.gain.max())):
        message = f"are {walk.gain[0]:g} at each step: expected some that differ"
        raise BadInput([hardly("gains along the path", message)])
    names, codes = np.unique(np.asarray(cluster).astype(str), return_inverse=True)
    count, draw = len(names), generator(seed, PURPOSE)
    drawn = [
        _per_customer(walk, np.bincount(draw.integers(0, count, count), minlength=count)[codes], budgets)
        for _ in range(replicates)
    ]
    gain, area = _per_customer(walk, np.ones(walk.customers), budgets)
    return GainPath(
        budgets=budgets,
        gain=gain,
        area=area,
        replicates=np.array([each for each, _ in drawn]),
        area_replicates=np.array([each for _, each in drawn]),
        n=walk.customers,
    )


def _per_customer(walk: BudgetWalk, weights: np.ndarray, budgets: np.ndarray) -> tuple[np.ndarray, float]:
    customers = float(weights.sum())
    spent, gained = (each / customers for each in walk.corners(weights.astype(np.float64)))
    return np.interp(budgets, spent, gained), _mean_height(spent, gained, float(budgets.max()))


def _mean_height(spent: np.ndarray, gained: np.ndarray, budget: float) -> float:
    """Return the mean of a piecewise linear path from 0 to ``budget``, flat behind its end."""
    inside = spent < budget
    x = np.append(spent[inside], budget)
    y = np.append(gained[inside], np.interp(budget, spent, gained))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2.0) / budget)


def _estimate(value: float, drawn: np.ndarray, n: int, level: float) -> Estimate:
    check_level(level)
    check_replicates(len(drawn), level)
    low, high = percentile_interval(drawn, level)
    return Estimate(value=value, low=low, high=high, n=n, method=METHOD, level=level)
