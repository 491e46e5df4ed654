"""Inference: how sure a statistic is, by resampling clusters or by its influence function.

- bootstrap: whole clusters are drawn with replacement, and the interval is that of the percentiles.
- influence: the estimate is linear in the rows to first order. With g the derivative in the totals and s_c a cluster's
  sums, psi_c = g . s_c and the variance is C / (C - 1) x sum psi_c^2 (Hampel 1974; Liang and Zeger 1986 for clusters).
  The interval has Student's t on C - 1 degrees.
- asymptotic_sequence: the same standard error with a boundary that holds at all looks at once, as clusters become many
  (``asymptotic_radius``); ``SHARPEST`` is where it is narrowest. It begins once ``FEWEST_EVENTS`` were seen.

Outcomes that say nothing of how outcomes vary are refused before (``untold``): each of these would be a point.
"""

import math
from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, LimitRow
from opportune.evaluation.logged import FEWEST_CLUSTERS, few_clusters
from opportune.evaluation.statistic import Statistic
from opportune.evaluation.untold import hardly
from opportune.numerics import asymptotic_radius, bootstrap_totals, cluster_codes, code_sums, percentile_interval

Interval = Literal["bootstrap", "influence", "sequence", "asymptotic_sequence"]
PURPOSE = "cluster bootstrap"
SHARPEST = 2_000
"""Clusters at which an asymptotic sequence is narrowest. Fixed here, because it must not depend on the data."""
FEWEST_EVENTS = 30.0
"""(sum psi^2)^2 / sum psi^4 at which an asymptotic sequence begins: of rare events about their number. Looked at every
20 rows, sequences that began at once held the truth in 85 % of streams at a rate of 0.5 %, in 87 % at weights of 10 and
in 56 % of rare skewed amounts; those that began at 30 in 98 % of each, and in 92 % of the heaviest tail that was tried.
Streams that never began are among those that held: they told nothing.
"""
_ROUNDING = 1e-6
"""Standard error, relative to the value, that is left by rounding where nothing varies."""


class Clusters(msgspec.Struct, frozen=True):
    """Rows numbered by cluster; ``codes`` is None where every row is a cluster of its own."""

    count: int
    codes: np.ndarray | None

    def sums(self, columns: np.ndarray) -> np.ndarray:
        """Return the sums (C, m) of columns (n, m)."""
        return columns if self.codes is None else code_sums(columns, self.count, self.codes)

    def within(self, rows: np.ndarray) -> int:
        """Return in how many clusters the rows of a mask (n,) lie."""
        return int(rows.sum()) if self.codes is None else len(np.unique(self.codes[rows]))


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its bootstrap replicates (R,), or with its standard error and the number of clusters."""

    value: float
    interval: Interval
    replicates: np.ndarray | None
    error: float
    clusters: int

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval."""
        check_level(level)
        if self.replicates is not None:
            check_replicates(len(self.replicates), level)
            return percentile_interval(self.replicates, level)
        radius = _RADIUS[self.interval](self.clusters, level) * self.error
        return self.value - radius, self.value + radius

    def share_within(self, row: LimitRow) -> float:
        """Return how probable it is that a limit's bound is kept: the share of replicates, or by the normal curve."""
        if self.replicates is not None:
            return float(np.mean(row.kept(self.replicates)))
        if self.error <= row.rounding:
            return float(row.kept(self.value))
        from scipy.special import ndtr

        return float(ndtr(row.sign * (row.bound - self.value) / self.error))

    def estimate(self, n: int, method: str, level: float, effective_n: float) -> Estimate:
        """Return the value as an estimate; its method says how it was got and which interval it has."""
        low, high = self.bounds(level)
        return Estimate(
            value=self.value, low=low, high=high, n=n, method=f"{method}, {self.interval}", level=level,
            effective_n=effective_n,
        )  # fmt: skip


def check_level(level: float) -> None:
    """Raise ValueError where a level is no probability between 0 and 1, such as 95."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}: expected above 0 and below 1, such as 0.95")


def check_replicates(count: int, level: float) -> None:
    """Raise ValueError where no replicate lies beyond an end of the interval on average: it would end at an extreme."""
    fewest = math.ceil(round(2.0 / (1.0 - level), 6))
    if count < fewest:
        raise ValueError(f"replicates is {count}: expected at least {fewest} for an interval of level {level}")


def as_clusters(names: np.ndarray, *, alone: bool = False) -> Clusters:
    """Return the clusters that equal names (n,) make; ``alone`` says that no two are equal.

    BadInput (OP609) when they are too few to tell anything.
    """
    count, codes = (len(names), None) if alone else cluster_codes(names)
    if count < FEWEST_CLUSTERS:
        raise BadInput([few_clusters(count)])
    return Clusters(count, codes)


def inferred(statistic: Statistic, clusters: Clusters, interval: Interval, replicates: int, seed: int) -> Inference:
    """Return a statistic with what is needed for an interval; ``sequence`` is not made here but in ``sequence``."""
    if interval not in HERE:
        also = " (and in `estimate` and `compare` 'sequence')"
        raise ValueError(f"interval is {interval!r}: expected one of {', '.join(map(repr, HERE))}{also}")
    sums, value = clusters.sums(statistic.columns), statistic.whole()
    if interval == "bootstrap":
        drawn = statistic.value(bootstrap_totals(sums, replicates, seed, PURPOSE))
        return Inference(value=value, interval=interval, replicates=drawn, error=np.nan, clusters=clusters.count)
    influence = influence_of(statistic, sums)
    error = float(np.sqrt(clusters.count / (clusters.count - 1) * np.sum(influence**2)))
    if interval == "asymptotic_sequence" and error > _ROUNDING * abs(value):
        _refuse_early(influence)
    return Inference(value=value, interval=interval, replicates=None, error=error, clusters=clusters.count)


def influence_of(statistic: Statistic, sums: np.ndarray) -> np.ndarray:
    """Return each cluster's influence (C,) from its sums (C, m) of a statistic's columns."""
    influence = np.einsum("cm,m->c", sums, statistic.gradient())
    return np.asarray(influence - influence.mean())


def effective_events(influence: np.ndarray) -> float:
    """Return (sum psi^2)^2 / sum psi^4 of an influence (C,): of rare events about their number; 0 where none varies."""
    fourth = float(np.sum(influence**4))
    return float(np.sum(influence**2)) ** 2 / fourth if fourth else 0.0


def _refuse_early(influence: np.ndarray) -> None:
    """Raise BadInput (OP629) where an asymptotic sequence has not begun."""
    events = effective_events(influence)
    if events < FEWEST_EVENTS:
        message = (
            f"has seen {events:.1f} effective events: expected at least {FEWEST_EVENTS:g}, because before them it "
            "misses the truth too often"
        )
        step = "wait for more outcomes, or take interval='bootstrap' for one look"
        raise BadInput([hardly("interval='asymptotic_sequence'", message, step)])


def _student(clusters: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(clusters - 1, 0.5 + level / 2.0))


def _boundary(clusters: int, level: float) -> float:
    """Return the radius in standard errors that holds at every look."""
    count = np.array(float(clusters))
    return float(asymptotic_radius(count, np.sqrt(count), level=level, tuned_for=SHARPEST))


_RADIUS: dict[str, Callable[[int, float], float]] = {"influence": _student, "asymptotic_sequence": _boundary}
HERE = ("bootstrap", *_RADIUS)
"""The intervals that are made here."""
