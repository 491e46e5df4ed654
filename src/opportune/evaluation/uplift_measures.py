"""Qini, AUUC and uplift at a share, each under a named convention: libraries disagree, so none is a default.

``sklift`` is scikit-uplift 0.5; ``causalml`` is CausalML since its chance line is straight, and
``causalml_random_orders`` as it was before, when chance was the mean of ten random orders. Their numbers cannot be
compared with each other. None has an interval: to decide, use ``policy_curve`` or ``qini_path``.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.budget_walk import group_ends
from opportune.evaluation.ranked_trial import RankedTrial, refuse_amounts, refuse_one_arm, running_counts
from opportune.evaluation.ranking import refuse_share

QiniConvention = Literal["sklift", "causalml", "causalml_random_orders"]
AuucConvention = Literal["sklift", "causalml"]
ShareConvention = Literal["sklift_overall", "sklift_by_group"]
Curve = tuple[np.ndarray, np.ndarray]
RANDOM_ORDERS, RANDOM_ORDERS_SEED = 10, 42
_ROUNDING = 1e-12


def qini(trial: RankedTrial, *, convention: QiniConvention) -> float:
    """Return the Qini coefficient.

    - sklift: area between the curve y_T - y_C n_T / n_C and the chord to its end, over the same area of the perfect
      order (responders of the treated arm first, of the control arm last); equal scores are one step.
    - causalml: mean over k = 0..n of the curve divided by the size of its end, less that of the chord; equal scores in
      the order given; where no control is reached yet, interpolated.
    - causalml_random_orders: the same less the mean curve of ten random orders (NumPy's RandomState, seed 42).

    ValueError when the convention is none of these; BadInput (OP663) when causalml's curve ends at zero, or sklift's
    perfect order is no better than chance.
    """
    _refuse_unnamed(convention, QiniConvention)
    match convention:
        case "sklift":
            perfect = trial.outcome * trial.treated - trial.outcome * (1 - trial.treated)
            return _over_perfect(sklift_qini_curve(trial, trial.score), sklift_qini_curve(trial, perfect))
        case "causalml":
            curve = causalml_qini_curve(trial, trial.score)
            chance = np.linspace(0.0, curve[-1], len(curve))
        case "causalml_random_orders":
            curve, chance = causalml_qini_curve(trial, trial.score), _random_orders(trial)
    return float(np.mean(_of_its_end(curve) - _of_its_end(chance)))


def auuc(trial: RankedTrial, *, convention: AuucConvention) -> float:
    """Return the area under the uplift curve (mean_T - mean_C) x k.

    - sklift: area between the curve and the chord, over the same area of the perfect order, which is known of outcomes
      of 0 and 1 only: BadInput (OP662) about others.
    - causalml: mean over k = 0..n of the curve divided by the size of its end: chance has one half, not zero.

    ValueError when the convention is none of these; BadInput (OP663) when causalml's curve ends at zero, or sklift's
    perfect order is no better than chance.
    """
    _refuse_unnamed(convention, AuucConvention)
    if convention == "sklift":
        refuse_amounts(trial)
        return _over_perfect(sklift_uplift_curve(trial, trial.score), sklift_uplift_curve(trial, _perfect_order(trial)))
    return float(np.mean(_of_its_end(causalml_gain_curve(trial))))


def uplift_at(trial: RankedTrial, share: float, *, convention: ShareConvention) -> float:
    """Return the difference of mean outcomes between arms among the best share of customers.

    - sklift_overall: the best int(share x n) of all, whichever arm they are in.
    - sklift_by_group: the best int(share x n_arm) of each arm by itself.
    Of equal scores the later rows come first, as scikit-uplift has it. ValueError when the convention is neither or the
    share outside 0 to 1; BadInput (OP655) when an arm has nobody in the share.
    """
    _refuse_unnamed(convention, ShareConvention)
    refuse_share(share)
    order = np.argsort(trial.score, kind="stable")[::-1]
    treated, outcome = trial.treated[order], trial.outcome[order]
    if convention == "sklift_overall":
        size = int(share * len(trial))
        treated, outcome = treated[:size], outcome[:size]
        groups = [outcome[treated == arm] for arm in (1, 0)]
    else:
        groups = [outcome[treated == arm] for arm in (1, 0)]
        groups = [each[: int(share * len(each))] for each in groups]
    refuse_one_arm(groups)
    return float(np.mean(groups[0]) - np.mean(groups[1]))


def _refuse_unnamed(convention: str, named: Any) -> None:
    if convention not in get_args(named):
        raise ValueError(f"convention is {convention!r}: expected one of {', '.join(map(repr, get_args(named)))}")


def sklift_qini_curve(trial: RankedTrial, score: np.ndarray) -> Curve:
    """Return customers and y_T - y_C n_T / n_C at each distinct score, zero first."""
    return _at_distinct_scores(trial, score, lambda t, c, yt, yc: yt - yc * _ratio(t, c))


def sklift_uplift_curve(trial: RankedTrial, score: np.ndarray) -> Curve:
    """Return customers and (mean_T - mean_C) x customers at each distinct score, zero first."""
    return _at_distinct_scores(trial, score, lambda t, c, yt, yc: (_ratio(yt, t) - _ratio(yc, c)) * (t + c))


def causalml_qini_curve(trial: RankedTrial, score: np.ndarray) -> np.ndarray:
    """Return y_T - y_C n_T / n_C at k = 0..n, interpolated where no control is reached yet."""
    counts = running_counts(trial, np.argsort(-score, kind="stable"))
    share = _or_nan(counts.outcome_control * counts.treated, counts.control)
    return _interpolated(counts.outcome_treated - share)


def causalml_gain_curve(trial: RankedTrial) -> np.ndarray:
    """Return (mean_T - mean_C) x k at k = 0..n, the difference interpolated where an arm is not reached yet."""
    counts = running_counts(trial, np.argsort(-trial.score, kind="stable"))
    lift = _or_nan(counts.outcome_treated, counts.treated) - _or_nan(counts.outcome_control, counts.control)
    return _interpolated(lift) * np.arange(len(trial) + 1)


def _at_distinct_scores(trial: RankedTrial, score: np.ndarray, height: Callable[..., np.ndarray]) -> Curve:
    order = np.argsort(score, kind="stable")[::-1]
    ends = group_ends(-score[order])
    counts = running_counts(trial, order)
    sums = (counts.treated, counts.control, counts.outcome_treated, counts.outcome_control)
    return np.append(0.0, ends + 1.0), np.append(0.0, height(*(each[ends] for each in sums)))


def _of_its_end(curve: np.ndarray) -> np.ndarray:
    """Return a curve divided by the size of its end. BadInput (OP663) when that is zero."""
    if curve[-1] == 0.0:
        message = (
            "ends at 0, because both arms do equally well: expected an effect, of which the convention takes shares"
        )
        step = "take another convention, or policy_curve, whose gains are in the unit of the outcome"
        raise BadInput([Finding(code="OP663", source="trial", subject="the curve", message=message, next_step=step)])
    return np.asarray(curve / abs(curve[-1]))


def _over_perfect(curve: Curve, perfect: Curve) -> float:
    chord = curve[0][-1] * perfect[1][-1] / 2.0
    room = _area(perfect) - chord
    if abs(room) <= _ROUNDING * max(abs(chord), 1.0):
        message = "encloses no area with its chord, although outcomes differ: expected some, of which a share is told"
        step = "take another convention, or policy_curve, whose gains are in the unit of the outcome"
        raise BadInput([Finding(code="OP663", source="trial", subject="the perfect order", message=message,
                                next_step=step)])  # fmt: skip
    return float((_area(curve) - chord) / room)


def _area(curve: Curve) -> float:
    x, y = curve
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2.0))


def _perfect_order(trial: RankedTrial) -> np.ndarray:
    """Return scikit-uplift's perfect score: rows whose outcome equals their arm first, ties by the rarer mistake."""
    control_responders = np.sum((trial.outcome == 1) & (trial.treated == 0))
    treated_others = np.sum((trial.outcome == 0) & (trial.treated == 1))
    ties = trial.outcome if control_responders > treated_others else trial.treated
    return np.asarray(2 * (trial.outcome == trial.treated) + ties)


def _random_orders(trial: RankedTrial) -> np.ndarray:
    draw = np.random.RandomState(RANDOM_ORDERS_SEED)
    orders = [causalml_qini_curve(trial, draw.rand(len(trial))) for _ in range(RANDOM_ORDERS)]
    return np.asarray(np.mean(orders, axis=0))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below != 0))


def _or_nan(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))


def _interpolated(curve: np.ndarray) -> np.ndarray:
    """Return the curve with zero put first and what is not defined interpolated between its neighbours."""
    whole = np.append(0.0, curve)
    known, at = np.isfinite(whole), np.arange(len(whole))
    return np.asarray(np.interp(at, at[known], whole[known]))
