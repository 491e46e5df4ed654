"""Fitted hazards: each segment's own counts, shrunk to its parent's hazards where they are thin.

The tree: the whole book, then one level for each column of ``by``; a segment's parent has the same values but for the
last. Top down, with the formulas of `numerics.shrinkage`:

1. The book's hazards are its counts, thin months pooled with their neighbours.
2. A segment's level (its events over those expected at the parent's hazards) is shrunk to 1: thin segments take the
   parent's level, and the parent's course over months.
3. Its months are shrunk to the level times the parent's month: thick months keep their own course.

Strengths of prior are estimated from the spread between segments unless they are given, and are kept with the answer.
Prepayments are counted among the loans that did not default in the month, so that no two hazards sum above one.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.exposure import Exposure, check_exposure
from opportune.economics.segments import prefix_groups
from opportune.numerics.hazards import unconditional
from opportune.numerics.keyed import generator
from opportune.numerics.shrinkage import blend, level_strength, level_weights, month_strength, widened_rates

Unseen = Literal["refuse", "hold"]


class Strength(msgspec.Struct, frozen=True, kw_only=True):
    """How much the parent weighs at one level of the tree: ``level`` in expected events, ``month`` in loans at risk."""

    level: float | None = None
    month: float | None = None


class Prior(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a fit. A strength of None is estimated; ``enough_events`` says when a month of the book is thin.

    ``unseen`` says what happens in months that no loan of the book was seen in: ``refuse`` is BadInput (OP437),
    ``hold`` carries the last hazard on.
    """

    default: Strength = Strength()
    prepay: Strength = Strength()
    enough_events: float = 50.0
    unseen: Unseen = "refuse"


class Hazards(msgspec.Struct, frozen=True, kw_only=True):
    """Hazards of one event: ``mean``, ``low`` and ``high`` (S, T) at ``level``, ``rows`` (S, T) the loans at risk that
    the mean is worth, own and borrowed; ``strengths`` used, from the book down. Intervals hold month by month.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    strengths: tuple[Strength, ...]
    level: float


class FittedHazards(msgspec.Struct, frozen=True, kw_only=True):
    """The two hazards of each segment and the counts behind them. ``unseen`` are months that nobody was observed in."""

    exposure: Exposure
    default: Hazards
    prepay: Hazards
    prior: Prior
    unseen: tuple[int, ...]


class _Counts(msgspec.Struct, frozen=True):
    """One level of the tree: events and rows (G, T) of its groups, and each group's parent (G,) on the level above."""

    d: np.ndarray
    n: np.ndarray
    parent: np.ndarray


class _Posterior(msgspec.Struct, frozen=True):
    mean: np.ndarray
    rows: np.ndarray


def fit_hazards(exposure: Exposure, *, prior: Prior | None = None, level: float = 0.95) -> FittedHazards:
    """Return hazards of default and prepayment with intervals. BadInput: OP434 for counts that
    contradict each other, OP437 for months without any exposure.

    The posterior of a month is summed up by its mean and variance; the interval is that of the Beta distribution with
    them and half an event on each side (Jeffreys; Brown, Cai and DasGupta 2001, Statistical Science 16: 101-133).
    """
    findings = check_exposure(exposure)
    if findings:
        raise BadInput(findings)
    prior = prior or Prior()
    unseen = _unseen_months(exposure, prior.unseen)
    defaults, prepayments = _trees(exposure)
    default = _fit(defaults, prior.default, prior.enough_events, level)
    given = _fit(prepayments, prior.prepay, prior.enough_events, level)
    mean, low, high = (unconditional(default.mean, each) for each in (given.mean, given.low, given.high))
    prepay = msgspec.structs.replace(given, mean=mean, low=low, high=high)
    return FittedHazards(exposure=exposure, default=default, prepay=prepay, prior=prior, unseen=unseen)


def draw_hazards(fitted: FittedHazards, draws: int, seed: int, purpose: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (default, prepay) of hazards (S, T) drawn from the posterior; whole curves, not months by themselves.

    The book's counts are drawn as Gamma variates, then levels and months down the tree, with the fitted strengths.
    """
    defaults, prepayments = _trees(fitted.exposure)
    rng = generator(seed, purpose)
    enough = fitted.prior.enough_events
    for _ in range(draws):
        default = _draw(defaults, fitted.default.strengths, enough, rng)
        yield default, unconditional(default, _draw(prepayments, fitted.prepay.strengths, enough, rng))


def _trees(exposure: Exposure) -> tuple[list[_Counts], list[_Counts]]:
    n = exposure.at_risk
    survivors = n - exposure.defaults
    return _tree(exposure.keys, exposure.defaults, n), _tree(exposure.keys, exposure.prepayments, survivors)


def _tree(keys: np.ndarray, d: np.ndarray, n: np.ndarray) -> list[_Counts]:
    """Return the levels from the book to the segments, counts summed over each group."""
    above = np.zeros(len(keys), dtype=np.intp)
    levels = [_Counts(d.sum(axis=0)[None], n.sum(axis=0)[None], np.zeros(1, dtype=np.intp))]
    for depth in range(1, keys.shape[1] + 1):
        first, group = prefix_groups(keys, depth)
        sums = [np.zeros((len(first), d.shape[1])) for _ in range(2)]
        for total, counts in zip(sums, (d, n), strict=True):
            np.add.at(total, group, counts)
        levels.append(_Counts(sums[0], sums[1], above[first]))
        above = group
    return levels


def _fit(levels: list[_Counts], given: Strength, enough: float, level: float) -> Hazards:
    found = _book(levels[0], enough)
    strengths = []
    for counts in levels[1:]:
        found, strength = _descend(counts, found, given)
        strengths.append(strength)
    low, high = _interval(found, level)
    return Hazards(mean=found.mean, low=low, high=high, rows=found.rows, strengths=tuple(strengths), level=level)


def _book(counts: _Counts, enough: float) -> _Posterior:
    rate, rows = widened_rates(counts.d[0], counts.n[0], enough)
    held = _held(counts.n[0])
    # Where every loan defaulted nobody was left to prepay: zero, worth no rows, so that the interval says nothing.
    return _Posterior(np.nan_to_num(rate[held])[None], rows[held][None])


def _held(n: np.ndarray) -> np.ndarray:
    """Return for each month (T,) the last month that was seen, itself where it was."""
    return np.maximum.accumulate(np.where(n > 0, np.arange(len(n)), 0))


def _descend(counts: _Counts, above: _Posterior, given: Strength) -> tuple[_Posterior, Strength]:
    """Return the posterior of one level, given that of the level above."""
    p, p_rows = above.mean[counts.parent], above.rows[counts.parent]
    raw, month = _raw_levels(counts, p), given.month
    if month is None:
        month = month_strength(counts.d, counts.n, raw[:, None] * p, len(np.unique(counts.parent)))
    e = level_weights(counts.n, p, month)
    level = level_strength(raw * e, e, len(np.unique(counts.parent))) if given.level is None else given.level
    theta = blend(raw, np.ones(len(e)), e, level)[:, None]
    mean = blend(_ratio(counts.d, counts.n), np.minimum(theta * p, 1.0), counts.n, month)
    # What the prior's mean varies by: the parent's months and the level; Var(theta) = theta / (a + e).
    spread = theta**2 * p * (1.0 - p) / np.maximum(p_rows, 1.0) + p**2 * theta / _above_zero(level + e)[:, None]
    own = blend(np.ones_like(p), np.zeros_like(p), counts.n, month)
    variance = (1.0 - own) ** 2 * spread + mean * (1.0 - mean) / (counts.n + month + 1.0)
    return _Posterior(mean, _rows(mean, variance, counts.n)), Strength(level=level, month=month)


def _raw_levels(counts: _Counts, p: np.ndarray) -> np.ndarray:
    """Return each group's events over those expected at the parent's hazards (G,); 1 where none are expected."""
    expected = np.sum(counts.n * p, axis=1)
    return np.where(expected > 0.0, counts.d.sum(axis=1) / np.where(expected > 0.0, expected, 1.0), 1.0)


def _ratio(d: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(n > 0, d / np.where(n > 0, n, 1.0), 0.0))


def _above_zero(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(values, np.finfo(np.float64).tiny))


def _rows(mean: np.ndarray, variance: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the loans at risk whose binomial variance is the posterior's; those counted where nothing varies."""
    varies = variance > 0.0
    return np.asarray(np.where(varies, mean * (1.0 - mean) / np.where(varies, variance, 1.0), n))


def _interval(found: _Posterior, level: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    events, others = found.mean * found.rows + 0.5, (1.0 - found.mean) * found.rows + 0.5
    low, high = (np.asarray(betaincinv(events, others, at)) for at in (tail, 1.0 - tail))
    return np.asarray(np.minimum(low, found.mean)), np.asarray(np.maximum(high, found.mean))


def _draw(
    levels: list[_Counts], strengths: tuple[Strength, ...], enough: float, rng: np.random.Generator
) -> np.ndarray:
    book = levels[0]
    p = _book(_Counts(rng.standard_gamma(book.d.astype(np.float64)), book.n, book.parent), enough).mean
    for counts, strength in zip(levels[1:], strengths, strict=True):
        p = _drawn_below(counts, np.minimum(p[counts.parent], 1.0), strength, rng)
    return np.asarray(np.minimum(p, 1.0))


def _drawn_below(counts: _Counts, p: np.ndarray, strength: Strength, rng: np.random.Generator) -> np.ndarray:
    a, k = float(strength.level or 0.0), float(strength.month or 0.0)
    raw, e = _raw_levels(counts, p), level_weights(counts.n, p, k)
    theta = np.ones(len(e)) if np.isinf(a) else rng.standard_gamma(a + raw * e) / _above_zero(a + e)
    m = np.asarray(np.minimum(theta[:, None] * p, 1.0))
    if np.isinf(k):
        return m
    events, others = k * m + counts.d, k * (1.0 - m) + counts.n - counts.d
    return np.where(events + others > 0.0, rng.beta(_above_zero(events), _above_zero(others)), m)


def _unseen_months(exposure: Exposure, unseen: Unseen) -> tuple[int, ...]:
    months = tuple(int(month) + 1 for month in np.flatnonzero(exposure.at_risk.sum(axis=0) == 0))
    if months and (unseen == "refuse" or not exposure.at_risk.any()):
        raise BadInput([_nobody(months)])
    return months


def _nobody(months: tuple[int, ...]) -> Finding:
    return Finding(
        code="OP437", source="loans", subject=f"months {months[0]} to {months[-1]}",
        message="have no loan at risk: expected at least one loan that was observed so long",
        next_step='add older loans, or say unseen="hold" to carry the last hazard on',
    )  # fmt: skip
