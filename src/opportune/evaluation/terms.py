"""Continuous terms: the value of a policy that names a price or an amount, from a log that drew one at random.

No logged term equals the policy's, so those near it speak for it. With target tau_i, logged term t_i, its logged
density f_i, u = (t_i - tau_i) / h and Epanechnikov's kernel K, the weight is

    w_i = (a + b u) K(u) / (h f_i),

and ipw, snipw and dr are as for offers (Kallus and Zhou 2018, Policy evaluation and optimization with continuous
treatments). a = 1 and b = 0, but near an end of the range of terms, where they make the weights' mass one and their
first moment zero again, as in a local linear fit.

A narrow bandwidth h is noisy and a wide one biased. Where the mean outcome bends by at most B (its second derivative in
the term, on average over customers), the bias is at most B h^2 / 2 x the kernel's second absolute moment. The interval
theta +- s cv(bias / s), cv(x) being the quantile of |N(x, 1)|, covers whatever the bend is, up to B. The bandwidth is
the one at which it would be shortest with the noise of all rows: the shortest of the estimated ones would be where s
happens to be too small, as where no rare event fell into the window. One with few events is not taken. See
Armstrong and Kolesar (2020, Simple and honest confidence intervals in nonparametric regression, Quantitative Economics
11). Lepski's rule (SLOPE: Su, Srinath and Krishnamurthy 2020) chooses without a bound, but no
interval around what it chooses covers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.estimators import weighted
from opportune.evaluation.inference import (
    Clusters,
    as_clusters,
    check_level,
    effective_events,
    inferred,
    influence_of,
)
from opportune.evaluation.logged_terms import DEGREE, LoggedTerms, TermModel, refuse_terms
from opportune.evaluation.statistic import Statistic, mean_of
from opportune.evaluation.support import effective_n
from opportune.evaluation.untold import hardly, untold

if TYPE_CHECKING:
    from numpy.polynomial import Polynomial

FEWEST_EVENTS = 10.0
"""Effective events below which a bandwidth is not taken: its standard error would say little of rare outcomes."""
FEWEST = 30.0
"""Effective rows below which a bandwidth is not tried: its standard error would mean nothing."""
WIDTHS = 0.5 * 2.0 ** -np.arange(0.0, 6.5, 0.5)
"""Bandwidths tried, as shares of the range of logged terms."""
_ONE_SIDED = 100.0
"""Bias in standard errors above which the other tail is nothing: |N(x, 1)| is N(x, 1) then."""


TermsEstimator = Literal["ipw", "snipw", "dr"]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One bandwidth: the estimate with its honest interval, the most that it can be biased, and the largest weight.

    ``events``: the effective events that its standard error rests on. ``expected``: the half-width of its interval if
    the noise were the same at all terms.
    """

    bandwidth: float
    estimate: Estimate
    largest_bias: float
    largest_weight: float
    events: float
    expected: float


class TermsEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """The estimate at the chosen bandwidth, the bound on the bend that it stands on, and every bandwidth tried."""

    estimate: Estimate
    bandwidth: float
    bend: float
    tried: tuple[Tried, ...]


def estimate_terms(
    logged: LoggedTerms,
    target: np.ndarray,
    *,
    estimator: TermsEstimator = "snipw",
    model: TermModel | None = None,
    bend: float | None = None,
    widths: Sequence[float] | np.ndarray = WIDTHS,
    level: float = 0.95,
) -> TermsEstimate:
    """Return the mean outcome per decision when each is offered its ``target`` term (n,); NaN is no offer, worth 0.

    ``bend`` is the bound B in outcome per term squared, under dr that of what the model misses. Without one it is the
    largest second derivative of a polynomial of degree 4 through all rows, which is a guess: the method says so.
    ``widths`` are the bandwidths to try, as shares of the range of terms. BadInput (OP606, OP609, OP624, OP627, OP629)
    when densities, outcomes or predictions are unusable, a target lies outside the range, or too few logged terms lie
    near the targets.
    """
    _check_choices(estimator, bend, widths, level)
    refuse_terms(logged, target, model if estimator == "dr" else None)
    outcome = logged.outcome if estimator != "dr" else logged.outcome - _given(model).at_logged
    curve = _curve(logged, outcome)
    bound, said = (bend, "stated bend") if bend is not None else (_largest_bend(logged, curve), "fitted bend")
    noise = float(np.std(outcome - curve(logged.term)))
    clusters, span = as_clusters(logged.cluster), logged.between[1] - logged.between[0]
    tried = [
        _tried(logged, target, float(width) * span, estimator, model, clusters, bound, said, level, noise)
        for width in sorted(widths)
    ]
    told = _with_enough(tried)
    chosen = min(told, key=lambda each: each.expected)
    return TermsEstimate(estimate=chosen.estimate, bandwidth=chosen.bandwidth, bend=bound, tried=told)


def _with_enough(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """Return the bandwidths with enough rows and events. BadInput (OP624, OP629) where there is none."""
    near = [each for each in tried if (each.estimate.effective_n or 0.0) >= FEWEST]
    if not near:
        message = f"has fewer than {FEWEST:.0f} effective rows at every bandwidth: expected logged terms near its own"
        raise BadInput([_finding("target", message, "log with more spread, or judge a policy nearer to the log")])
    told = tuple(each for each in near if each.events >= FEWEST_EVENTS)
    if not told:
        most = max(each.events for each in near)
        message = f"are {most:.1f} effective events at most at any bandwidth: expected at least {FEWEST_EVENTS:g}"
        raise BadInput([hardly("outcomes near the targets", message)])
    return told


def _tried(
    logged: LoggedTerms, target: np.ndarray, bandwidth: float, estimator: str, model: TermModel | None,
    clusters: Clusters, bend: float, said: str, level: float, noise: float,
) -> Tried:  # fmt: skip
    weights, moment = kernel_weights(logged, target, bandwidth)
    statistic = _statistic(logged, target, weights, estimator, model)
    found = inferred(statistic, clusters, "influence", 0, 0)
    influence, entered = influence_of(statistic, clusters.sums(statistic.columns)), weights != 0.0
    bias = bend * bandwidth**2 / 2.0 * float(np.mean(moment))
    radius = _honest(bias, found.error, level)
    estimate = Estimate(
        value=found.value, low=found.value - radius, high=found.value + radius, n=len(target), level=level,
        method=f"{estimator}, kernel of bandwidth {bandwidth:.4g}, {said}", effective_n=effective_n(weights),
    )  # fmt: skip
    return Tried(
        bandwidth=bandwidth,
        estimate=estimate,
        largest_bias=bias,
        largest_weight=float(np.max(np.abs(weights))),
        events=0.0 if untold(entered, entered, logged.outcome) else effective_events(influence),
        expected=_honest(bias, noise * float(np.sqrt(np.sum(weights**2))) / len(weights), level),
    )


def _statistic(
    logged: LoggedTerms, target: np.ndarray, weights: np.ndarray, estimator: str, model: TermModel | None
) -> Statistic:
    offered = (~np.isnan(target)).astype(np.float64)
    if estimator != "dr":
        return weighted(weights, logged.outcome, None if estimator == "ipw" else offered)
    predicted = _given(model)
    missed = logged.outcome - predicted.at_logged
    return mean_of(np.where(offered > 0, predicted.at_target, 0.0) + weights * missed)


def _given(model: TermModel | None) -> TermModel:
    if model is None:
        raise ValueError("estimator 'dr' needs model: cross-fitted predictions at the policy's and the logged terms")
    return model


def _honest(bias: float, error: float, level: float) -> float:
    """Return the half-width s cv(bias / s): that of an interval which covers at any bias up to the bound."""
    from scipy.special import chndtrix, ndtri

    if bias >= _ONE_SIDED * error:
        return float(bias + error * ndtri(level))
    return float(error * np.sqrt(chndtrix(level, 1.0, (bias / error) ** 2)))


def _curve(logged: LoggedTerms, outcome: np.ndarray) -> "Polynomial":
    from numpy.polynomial import Polynomial

    return Polynomial.fit(logged.term, outcome, DEGREE, domain=list(logged.between))


def _largest_bend(logged: LoggedTerms, curve: "Polynomial") -> float:
    return float(np.max(np.abs(curve.deriv(2)(np.linspace(*logged.between, 101)))))


def kernel_weights(logged: LoggedTerms, target: np.ndarray, bandwidth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return w (n,), zero where nothing is offered, and each kernel's second absolute moment (n,)."""
    there = np.where(np.isnan(target), logged.term, target)
    left, right = (np.clip((end - there) / bandwidth, -1.0, 1.0) for end in logged.between)
    mass, first, second = (_moment(right, power) - _moment(left, power) for power in range(3))
    width = mass * second - first**2
    a, b = second / width, -first / width
    apart = (logged.term - there) / bandwidth
    kernel = (a + b * apart) * 0.75 * np.maximum(1.0 - apart**2, 0.0)
    weights, moment = kernel / (bandwidth * logged.density), _absolute_second(a, b, left, right)
    offered = ~np.isnan(target)
    return np.where(offered, weights, 0.0), np.where(offered, moment, 0.0)


def _absolute_second(a: np.ndarray, b: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the integral of u^2 |a + b u| K(u) from left to right: a + b u changes its sign at most once."""
    turn = np.clip(np.divide(-a, b, out=np.full(len(a), 2.0), where=b != 0.0), left, right)
    before, after = (
        a * (_moment(end, 2) - _moment(start, 2)) + b * (_moment(end, 3) - _moment(start, 3))
        for start, end in ((left, turn), (turn, right))
    )
    return np.asarray(np.abs(before) + np.abs(after))


def _moment(x: np.ndarray, power: int) -> np.ndarray:
    """Return the integral of u^power K(u) from 0 to x, with K(u) = 3 (1 - u^2) / 4 and x in [-1, 1]."""
    return np.asarray(0.75 * (x ** (power + 1) / (power + 1) - x ** (power + 3) / (power + 3)))


def _check_choices(estimator: str, bend: float | None, widths: Sequence[float] | np.ndarray, level: float) -> None:
    if estimator not in get_args(TermsEstimator):
        expected = ", ".join(map(repr, get_args(TermsEstimator)))
        raise ValueError(f"estimator is {estimator!r}: expected one of {expected}")
    if bend is not None and not 0.0 <= bend < np.inf:
        raise ValueError(f"bend is {bend}: expected a number from 0, in outcome per term squared, or None to fit it")
    if not len(widths) or not all(0.0 < width < np.inf for width in widths):
        raise ValueError(f"widths are {list(widths)}: expected shares of the range of terms, above 0")
    check_level(level)


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP624", source="terms", subject=subject, message=message, next_step=step)
