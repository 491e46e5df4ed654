"""The tail: the mean of the worst outcomes under a policy (CVaR, expected shortfall).

With share a, CVaR_a = max_c { c - E[(c - Y)^+] / a }, the mean of the worst a of all decisions' outcomes; the c that
reaches it is their a-quantile (Rockafellar and Uryasev 2000). The expectation under the policy is the self-normalised
one, a decision without an offer being worth 0 (Huang, Leqi, Lipton and Azizzadenesheli 2021, Off-policy risk assessment
in contextual bandits). c is searched again in every bootstrap replicate, over outcomes near the quantile.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from opportune.domain import BadInput, Estimate
from opportune.evaluation.delayed import Completion
from opportune.evaluation.inference import Interval, as_clusters, inferred
from opportune.evaluation.logged import LoggedDecisions, refuse_unusable
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio_or_zero
from opportune.evaluation.support import effective_n, refuse_unsupported
from opportune.evaluation.untold import WAIT, hardly, is_point, refuse_untold

POINTS = 41
WIDEST = 4.0
WIDEST_COMPLETED = 16.0
"""Cuts are searched between the quantiles at ``share`` over this and times this. A grid can only miss downwards."""


def cvar(
    logged: LoggedDecisions,
    policy: Judged,
    *,
    measure: str = "outcome",
    share: float = 0.05,
    interval: Interval = "bootstrap",
    cluster: str = "customer_id",
    completion: Completion | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Return the mean of the worst ``share`` of outcomes per decision under a policy, in the measure's unit.

    ``completion`` tells what outcomes that are not yet known (NaN) come to: of each shortfall (c - Y)^+, not of the
    outcome, because a mean has no tail. Any interval of ``estimate`` but ``"sequence"``. BadInput (OP606, OP609, OP610,
    OP620, OP629) when the log cannot carry it, as where its worst outcomes are all alike: rarer ones were not seen.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share is {share}: expected above 0 and at most 1")
    outcome = logged.measured(measure)
    refuse_unusable(logged, {measure: outcome}, may_be_open=completion is not None)
    refuse_unsupported(logged, policy)
    clusters = as_clusters(logged.clustered_by(cluster), alone=cluster == "decision_id")
    weights = policy.weights(logged)
    refuse_untold(logged, [policy], [weights], outcome, completion)
    statistic = _shortfall(outcome, weights, policy.told(logged), share, completion)
    found = inferred(statistic, clusters, interval, replicates, seed)
    told = found.estimate(len(logged), f"snipw, CVaR {100.0 * share:g}%", level, effective_n(weights))
    if weights.any() and is_point(told.low, told.high):
        worst = f"its worst {100.0 * share:g}% of decisions"
        message = f"is worth {told.value:g} in each of {worst}: expected some that differ"
        step = "take a larger share, in which outcomes differ, or another measure if none can be worse"
        step = step if share < 1.0 else WAIT
        raise BadInput([hardly(f"policy '{policy.name}'", message, step)])
    return told


def _shortfall(
    outcome: np.ndarray, weights: np.ndarray, told: np.ndarray, share: float, completion: Completion | None
) -> Statistic:
    """Return CVaR as a function of totals: of w, m, 1, and of what tells sum w (c - y)^+ for each cut c."""
    cuts = _cuts(outcome, weights, told, share, completion)
    columns, shortfalls = _shortfalls(outcome, weights, cuts, completion)

    def value(totals: np.ndarray) -> np.ndarray:
        reached = (totals[..., 1] / totals[..., 2])[..., None]
        short = reached * ratio_or_zero(shortfalls(totals[..., 3:]), totals[..., :1])
        short = short + (1.0 - reached) * np.maximum(cuts, 0.0)
        return np.asarray(np.max(cuts - short / share, axis=-1))

    return Statistic(np.column_stack([weights, told, np.ones(len(outcome)), columns]), value)


def _shortfalls(
    outcome: np.ndarray, weights: np.ndarray, cuts: np.ndarray, completion: Completion | None
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return columns (n, m), and what tells from their totals (..., m) the sum of w (c - y)^+ for each cut (..., c)."""
    if completion is None:
        return weights[:, None] * np.maximum(cuts - outcome[:, None], 0.0), lambda totals: totals
    own, known = [], []
    for cut in cuts:
        short = completion.of(partial(_below, cut))
        below = _below(cut, outcome)  # an open outcome (NaN) stays open
        known.append(weights * short.known(below))
        own.append(short.own(below, weights))
    shared = completion.shared(outcome, weights)
    edges = np.cumsum([len(cuts), shared.shape[1]])

    def value(totals: np.ndarray) -> np.ndarray:
        below, of_all, of_each = np.split(totals, edges, axis=-1)
        of_each = of_each.reshape(*totals.shape[:-1], len(cuts), -1)
        return np.asarray(below + completion.missing(of_all[..., None, :], of_each))

    return np.column_stack([*known, shared, *own]), value


def _below(cut: float, outcome: np.ndarray) -> np.ndarray:
    return np.maximum(cut - outcome, 0.0)


def _cuts(
    outcome: np.ndarray, weights: np.ndarray, told: np.ndarray, share: float, completion: Completion | None
) -> np.ndarray:
    """Return where CVaR is searched: near the quantile of what is known, and at 0, where decisions without offers lie.

    What open outcomes come to moves the quantile, so the search is wider where there are some.
    """
    known, widest = np.ones(len(outcome), dtype=bool), WIDEST
    if completion is not None:
        known, outcome, widest = ~completion.is_open(outcome), completion.known(outcome), WIDEST_COMPLETED
    order = np.argsort(outcome[known], kind="stable")
    idle = float(np.mean(1.0 - told))
    weights = weights[known][order]
    total = max(float(weights.sum()), np.finfo(np.float64).tiny)
    mass = np.append(weights / total * (1.0 - idle), idle)
    values = np.append(outcome[known][order], 0.0)
    again = np.argsort(values, kind="stable")
    reached = np.cumsum(mass[again])
    near = share * np.geomspace(1.0 / widest, widest, POINTS)
    found = values[again][np.minimum(np.searchsorted(reached, near), len(values) - 1)]
    return np.unique(np.append(found, 0.0))
