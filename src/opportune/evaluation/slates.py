"""Slates: several slots filled at once, their offers drawn independently given the customer.

Rows of a log are slots, in their order within a slate. What a slot earns may depend on other slots' offers:

- independent: on its own offer alone. Each slot weighs by its own ratio (Li, Abbasi-Yadkori, Kveton, Muthukrishnan,
  Vinay and Wen 2018, offline evaluation of ranking policies with click models).
- cascade: on the offers of the slots above too. The weight is the product of the ratios so far (McInerney, Brost,
  Chandar, Mehrotra and Carterette 2020, reward interaction IPS).
- whole: on the whole slate. The weight is the product of all ratios.

Each assumes less than the one before, and has larger weights. The value is per slate, and slates are resampled whole.
"""

from typing import Any, Literal, get_args

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.inference import Interval, as_clusters, inferred
from opportune.evaluation.logged import LoggedDecisions, refuse_unusable
from opportune.evaluation.policies import SUM_TOLERANCE, Judged
from opportune.evaluation.statistic import Statistic
from opportune.evaluation.support import effective_n, refuse_unsupported
from opportune.evaluation.untold import (
    NEVER_DRAWN,
    hardly,
    is_point,
    never_drawn,
    refuse_point,
    refuse_untold,
    untold,
)
from opportune.numerics import cluster_codes

Interaction = Literal["independent", "cascade", "whole"]


class SlateValue(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a policy per slate, and of each position in it.

    A position is None where its outcomes, or their sums over clusters, are all the same: nothing tells how they vary.
    The total has it as it was seen.
    """

    total: Estimate
    positions: dict[str, Estimate | None]


def estimate_slates(
    logged: LoggedDecisions,
    policy: Judged,
    slate: np.ndarray,
    *,
    measure: str = "outcome",
    interaction: Interaction = "independent",
    interval: Interval = "bootstrap",
    cluster: np.ndarray | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> SlateValue:
    """Return the sum of outcomes per slate under a policy, by ipw, and its part at each ``slot``.

    ``slate`` (n,) names the slate of each row; slots of a slate are ordered by ``slot``, as numbers where all are, else
    as text. ``cluster`` (n,) names what is resampled together, by default the slate; a slate must not be split by it.
    BadInput (OP602, OP606,
    OP609, OP610, OP623, OP629) when the log cannot carry it.
    """
    outcome = logged.measured(measure)
    refuse_unusable(logged, {measure: outcome}, may_be_open=False)
    refuse_unsupported(logged, policy)
    _refuse_nameless(logged)
    _refuse_twice(logged, slate)
    _refuse_split(logged, slate, slate if cluster is None else cluster)
    slots, place = _ordered(logged.slot)
    _refuse_gaps(logged, policy, slate, place, interaction)
    weights = _slate_weights(policy.weights(logged), slate, place, interaction)
    clusters = as_clusters(slate if cluster is None else cluster)
    first = np.zeros(len(logged))
    first[np.unique(cluster_codes(slate)[1], return_index=True)[1]] = 1.0  # one row of each slate counts it
    (side,) = refuse_untold(logged, [policy], [weights], outcome)
    earned, kish = weights * outcome, effective_n(weights)

    def told(rows: np.ndarray) -> Estimate:
        statistic = Statistic(np.column_stack([earned * rows, first]), lambda totals: totals[..., 0] / totals[..., 1])
        found = inferred(statistic, clusters, interval, replicates, seed)
        return found.estimate(int(first.sum()), f"ipw, {interaction} slots", level, kish)

    def told_of(slot: Any, rows: np.ndarray) -> Estimate | None:
        asked, entered = side.asked & rows, side.entered & rows
        if never_drawn(asked, entered) is not None:  # the sum would lack its part
            raise BadInput([hardly(f"policy '{policy.name}' in slot {slot}", NEVER_DRAWN)])
        found = told(rows)
        alike = untold(asked, entered, outcome) is not None or is_point(found.low, found.high)
        return None if alike and entered.any() else found

    total = told(np.ones(len(logged)))
    positions = {str(slot): told_of(slot, place == i) for i, slot in enumerate(slots)}
    if side.entered.any():
        refuse_point(f"policy '{policy.name}'", total)
    return SlateValue(total=total, positions=positions)


def _slate_weights(ratios: np.ndarray, slate: np.ndarray, slot: np.ndarray, interaction: Interaction) -> np.ndarray:
    """Return the weight of each row (n,) from the rows' ratios of probabilities; ``slot`` (n,) counts from the top."""
    if interaction not in get_args(Interaction):
        expected = ", ".join(map(repr, get_args(Interaction)))
        raise ValueError(f"interaction is {interaction!r}: expected one of {expected}")
    if interaction == "independent":
        return ratios
    count, codes = cluster_codes(slate)
    order = np.lexsort((slot, codes))
    running, weights = np.ones(count), np.empty(len(ratios))
    place = _places(codes[order])
    for position in range(int(place.max()) + 1):
        rows = order[place == position]
        running[codes[rows]] *= ratios[rows]
        weights[rows] = running[codes[rows]]
    return weights if interaction == "cascade" else running[codes]


def _ordered(slot: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Return the slots from the top down, and the place 0, 1, ... of each row's (n,) among them."""
    names = list(set(slot.tolist()))
    try:
        names.sort(key=float)
    except (TypeError, ValueError):
        names.sort(key=str)
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place[each] for each in slot.tolist()], dtype=np.int64)


def _places(sorted_codes: np.ndarray) -> np.ndarray:
    """Return the place 0, 1, ... of each row within its slate, rows being sorted by slate."""
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1))
    return np.asarray(np.arange(len(sorted_codes)) - np.repeat(starts, np.diff(np.append(starts, len(sorted_codes)))))


def _refuse_gaps(
    logged: LoggedDecisions, policy: Judged, slate: np.ndarray, place: np.ndarray, interaction: Interaction
) -> None:
    """Raise BadInput (OP610) where a policy may leave a slot empty on which a filled one depends: the log never did."""
    gaps = _gaps(policy.told(logged), slate, place, interaction)
    if gaps.any():
        some = ", ".join(map(str, logged.decision_id[gaps][:3]))
        message = (
            f"may leave one slot of a slate empty and fill another (decisions {some}): expected all slots to be filled "
            f"as in the log, because with interaction={interaction!r} what one earns depends on the others"
        )
        step = "take interaction='independent', or fill each slot of a slate"
        subject = f"policy '{policy.name}'"
        raise BadInput([Finding(code="OP610", source="slates", subject=subject, message=message, next_step=step)])


def _gaps(told: np.ndarray, slate: np.ndarray, place: np.ndarray, interaction: Interaction) -> np.ndarray:
    """Return the rows (n,) of slates in which a slot may be empty on which one that may be filled depends."""
    filled, empty = told > 0.0, told < 1.0 - SUM_TOLERANCE
    if interaction == "independent" or not empty.any():
        return np.zeros(len(told), dtype=bool)
    count, codes = cluster_codes(slate)
    highest, lowest = np.full(count, len(told)), np.full(count, -1)
    np.minimum.at(highest, codes[empty], place[empty])
    np.maximum.at(lowest, codes[filled], place[filled])
    if interaction == "cascade":
        return np.asarray((highest < lowest)[codes])
    # Any slot but itself counts: one of several that may be filled, or another one that never is.
    others = (np.bincount(codes, filled, count) > 1) | (np.bincount(codes, empty & ~filled, count) > 0)
    return np.asarray((others & (highest < len(told)) & (lowest >= 0))[codes])


def _refuse_nameless(logged: LoggedDecisions) -> None:
    nameless = np.array([each is None or each != each for each in logged.slot.tolist()])  # nan is not itself
    if nameless.any():
        some = ", ".join(map(str, logged.decision_id[nameless][:3]))
        message = f"is not known in {int(nameless.sum())} rows ({some}): expected the place of each offer in its slate"
        step = "name it, or leave out the whole slates of such rows"
        raise BadInput([Finding(code="OP623", source="decisions", subject="slot", message=message, next_step=step)])


def _refuse_twice(logged: LoggedDecisions, slate: np.ndarray) -> None:
    pairs = np.array([f"{a}|{b}" for a, b in zip(slate, logged.slot, strict=True)])
    count, codes = cluster_codes(pairs)
    twice = np.bincount(codes, minlength=count)[codes] > 1
    if twice.any():
        some = ", ".join(map(str, logged.decision_id[twice][:3]))
        message = f"{int(twice.sum())} rows ({some}) share slate and slot with another: expected one row for each"
        step = "name each page or message as a slate of its own"
        raise BadInput([Finding(code="OP623", source="decisions", subject="slot", message=message, next_step=step)])


def _refuse_split(logged: LoggedDecisions, slate: np.ndarray, cluster: np.ndarray) -> None:
    count, codes = cluster_codes(slate)
    _, clusters = cluster_codes(cluster)
    least, greatest = np.full(count, len(logged)), np.full(count, -1)
    np.minimum.at(least, codes, clusters)
    np.maximum.at(greatest, codes, clusters)
    split = (least != greatest)[codes]
    if split.any():
        some = ", ".join(map(str, logged.decision_id[split][:3]))
        message = f"splits the slates of {int(split.sum())} rows ({some}): expected each slate in one cluster"
        step = "name what slates share as cluster, such as the customer, or leave it out"
        raise BadInput([Finding(code="OP623", source="decisions", subject="cluster", message=message, next_step=step)])
