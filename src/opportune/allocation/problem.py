"""Limits as rows of numbers, and the scaled problem that the solver works on.

Each row reads ``sum a_ik x_ik <= b``: ``at_most`` as it is, ``at_least`` with both sides negated, a ratio as
``uses - bound x per`` against zero. Scaling divides a row by |b| (or by its natural size when b = 0) and values by
the mean best value, so that prices are of order one whatever the units of money; it is undone by ``prices_of``.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import Candidates, Limit, LimitRow

SAMPLE = 20_000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One linear row: ``weights`` maps a resource to its coefficient; ``soft_price`` is infinite for a hard row."""

    name: str
    weights: dict[str, float]
    bound: float
    soft_price: float


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The scaled problem: maximise mean(value x) / value_scale with mean(a x) <= b.

    Shapes: ``value`` and ``eligible`` (n, K), the candidates' own arrays; ``uses`` (R, n, K) by resource; ``weights``
    (m, R) make the scaled rows, a = weights @ uses; ``b`` and ``cap`` (m,), the scaled soft price of each row.
    """

    rows: tuple[Row, ...]
    value: np.ndarray
    eligible: np.ndarray
    uses: np.ndarray
    weights: np.ndarray
    b: np.ndarray
    cap: np.ndarray
    row_scale: np.ndarray
    value_scale: float

    def charges(self, prices: np.ndarray) -> np.ndarray:
        """Return the charge per unit of each resource (R,) that scaled prices (m,) amount to."""
        return np.asarray(np.einsum("m,mr->r", prices, self.weights))

    def scaled(self, uses: np.ndarray) -> np.ndarray:
        """Return the scaled rows (m, ...) of uses by resource (R, ...). No BLAS: its bits may change."""
        return np.asarray(np.einsum("mr,r...->m...", self.weights, uses))

    def prices_of(self, scaled: np.ndarray) -> np.ndarray:
        """Return prices in value per unit of each row's left side, from prices of the scaled problem."""
        return np.asarray(scaled * self.value.shape[0] * self.value_scale / self.row_scale)

    def scaled_prices(self, prices: np.ndarray) -> np.ndarray:
        """Return the inverse of ``prices_of``."""
        return np.asarray(prices * self.row_scale / (self.value.shape[0] * self.value_scale))

    def take(self, customers: np.ndarray) -> "Problem":
        """Return the problem of a sample of customers, each mean now over the sample."""
        return msgspec.structs.replace(
            self, value=self.value[customers], eligible=self.eligible[customers],
            uses=np.ascontiguousarray(self.uses[:, customers]),
        )  # fmt: skip


def rows_of(limits: Sequence[Limit]) -> tuple[Row, ...]:
    """Return the rows of limits: two for a limit with both bounds, and as many again for each of its scenarios."""
    return tuple(_row(row) for limit in limits for row in limit.rows())


def _row(row: LimitRow) -> Row:
    weights = {row.uses: row.sign}
    if row.per is not None:
        weights[row.per] = weights.get(row.per, 0.0) - row.sign * row.bound
    return Row(
        name=row.name,
        weights=weights,
        bound=0.0 if row.per is not None else row.sign * row.bound,
        soft_price=np.inf if row.soft_price is None else row.soft_price,
    )


def build_problem(candidates: Candidates, limits: Sequence[Limit]) -> Problem:
    """Return the scaled problem of candidates under limits. Only the resources that limits name are looked at."""
    rows = rows_of(limits)
    count = len(candidates)
    names = sorted({resource for row in rows for resource in row.weights})
    uses = np.stack([candidates.uses[name] for name in names]) if names else np.zeros((0, *candidates.value.shape))
    weights = np.array([[row.weights.get(name, 0.0) for name in names] for row in rows]).reshape(len(rows), len(names))
    bound = np.array([row.bound for row in rows])
    row_scale = np.array([_row_scale(row.bound, weights[r], uses) for r, row in enumerate(rows)])
    value_scale = _value_scale(candidates)
    return Problem(
        rows=rows,
        value=candidates.value,
        eligible=candidates.eligible,
        uses=uses,
        weights=weights * (count / row_scale)[:, None],
        b=bound / row_scale,
        cap=np.array([row.soft_price for row in rows]) * row_scale / (count * value_scale),
        row_scale=row_scale,
        value_scale=value_scale,
    )


def _row_scale(bound: float, weights: np.ndarray, uses: np.ndarray) -> float:
    """Return |bound|, or where it is zero the size of the row's coefficients: their mean magnitude times n.

    A sample of customers tells the size: a scale need not be exact.
    """
    if bound or not uses.size:
        return abs(bound) or 1.0
    sample = uses[:, :: max(1, uses.shape[1] // SAMPLE)]
    row = np.einsum("r,rnk->nk", weights, sample)
    return uses.shape[1] * float(np.mean(np.abs(row))) or 1.0


def _value_scale(candidates: Candidates) -> float:
    best = np.max(candidates.value, axis=1, initial=0.0, where=candidates.eligible)
    positive = float(np.mean(best)) if len(best) else 0.0
    return positive or float(np.max(np.abs(candidates.value), initial=0.0)) or 1.0
