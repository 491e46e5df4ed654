"""Limits as rows of numbers, and the scaled problem that the solver works on.

Each row reads ``sum a_ik x_ik <= b``: ``at_most`` as it is, ``at_least`` with both sides negated, a ratio as
``uses - bound x per`` against zero. Scaling divides a row by |b| (or by its natural size when b = 0) and values by
the mean best value, so that prices are of order one whatever the units of money; it is undone by ``prices_of``.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import Candidates, Limit


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One linear row: ``weights`` maps a resource to its coefficient; ``soft_price`` is infinite for a hard row."""

    name: str
    weights: dict[str, float]
    bound: float
    soft_price: float


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The scaled problem: maximise mean(value x) with mean(a x) <= b. Shapes: value (n, K), a (m, n, K), b (m,).

    Ineligible entries have value -inf and zero use. ``cap`` (m,) is the scaled soft price of each row.
    """

    rows: tuple[Row, ...]
    value: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cap: np.ndarray
    row_scale: np.ndarray
    value_scale: float

    def prices_of(self, scaled: np.ndarray) -> np.ndarray:
        """Return prices in value per unit of each row's left side, from prices of the scaled problem."""
        return np.asarray(scaled * self.value.shape[0] * self.value_scale / self.row_scale)

    def scaled_prices(self, prices: np.ndarray) -> np.ndarray:
        """Return the inverse of ``prices_of``."""
        return np.asarray(prices * self.row_scale / (self.value.shape[0] * self.value_scale))

    def take(self, customers: np.ndarray) -> "Problem":
        """Return the problem of a sample of customers, each mean now over the sample."""
        return msgspec.structs.replace(self, value=self.value[customers], a=self.a[:, customers])


def rows_of(limits: Sequence[Limit]) -> tuple[Row, ...]:
    """Return the rows of limits, two for a limit with both bounds."""
    return tuple(row for limit in limits for row in _limit_rows(limit))


def _limit_rows(limit: Limit) -> list[Row]:
    both = limit.at_most is not None and limit.at_least is not None
    sides = (("at most", limit.at_most, 1.0), ("at least", limit.at_least, -1.0))
    return [
        _row(limit, f"{limit.name} ({side})" if both else limit.name, bound, sign)
        for side, bound, sign in sides
        if bound is not None
    ]


def _row(limit: Limit, name: str, bound: float, sign: float) -> Row:
    weights = {limit.uses: sign}
    if limit.per is not None:
        weights[limit.per] = weights.get(limit.per, 0.0) - sign * bound
    soft_price = np.inf if limit.soft_price is None else limit.soft_price
    return Row(
        name=name,
        weights=weights,
        bound=0.0 if limit.per is not None else sign * bound,
        soft_price=soft_price,
    )


def build_problem(candidates: Candidates, limits: Sequence[Limit]) -> Problem:
    """Return the scaled problem of candidates under limits."""
    rows = rows_of(limits)
    count = len(candidates)
    a = np.zeros((len(rows), *candidates.value.shape))
    for r, row in enumerate(rows):
        for resource, weight in row.weights.items():
            a[r] += weight * candidates.uses[resource]
    a[:, ~candidates.eligible] = 0.0
    bound = np.array([row.bound for row in rows])
    row_scale = np.array([_row_scale(row.bound, a[r], count) for r, row in enumerate(rows)])
    value_scale = _value_scale(candidates)
    a *= (count / row_scale)[:, None, None]
    return Problem(
        rows=rows,
        value=np.where(candidates.eligible, candidates.value / value_scale, -np.inf),
        a=a,
        b=bound / row_scale,
        cap=np.array([row.soft_price for row in rows]) * row_scale / (count * value_scale),
        row_scale=row_scale,
        value_scale=value_scale,
    )


def _row_scale(bound: float, coefficients: np.ndarray, count: int) -> float:
    natural = count * float(np.mean(np.abs(coefficients))) if coefficients.size else 0.0
    return abs(bound) or natural or 1.0


def _value_scale(candidates: Candidates) -> float:
    best = np.max(np.where(candidates.eligible, candidates.value, 0.0), axis=1, initial=0.0)
    positive = float(np.mean(best)) if len(best) else 0.0
    return positive or float(np.max(np.abs(candidates.value), initial=0.0)) or 1.0
