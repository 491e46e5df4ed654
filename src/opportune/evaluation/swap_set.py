"""The swap set: who changes between two policies, and what the log says of their value and risk.

The cells are those of the 2 x 2 of offered and not offered, the unchanged ones included. A customer's cell must not
depend on the offer that the log happened to draw: given the cell, the draw would not be random any more, and every
weighted mean would be wrong. So the cell of those offered by both is split by whether the offer is the same only where
both policies fix the offer beforehand.
"""

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from opportune.domain import Estimate
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import FixedOffers, Judged
from opportune.numerics import NORMAL_975, clustered_mean

LEFT_ALONE, SWAPPED_IN, SWAPPED_OUT = "left alone", "swapped in", "swapped out"
SAME, OTHER, BOTH = "same offer", "other offer", "offered by both"
KINDS = (LEFT_ALONE, SWAPPED_IN, SWAPPED_OUT, SAME, OTHER, BOTH)
EVERYONE = "all"
METHOD = "doubly robust, clusters independent"


class SwapCell(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of change in one segment.

    ``no_label`` counts the customers for whom the log never made an offer that one of the policies makes: nothing is
    known of them, and the estimates are those of the others. Estimates map a measure to its mean per labelled customer
    under the older policy, the newer one, and newer less older; None where nobody is labelled.
    """

    segment: str
    kind: str
    customers: int
    no_label: int
    older: dict[str, Estimate] | None
    newer: dict[str, Estimate] | None
    change: dict[str, Estimate] | None


def swap_kinds(older: np.ndarray, newer: np.ndarray) -> np.ndarray:
    """Return the kind of each customer from two choices (n,), the index of an offer or -1 for none."""
    both = np.where(older == newer, SAME, OTHER)
    return np.where(
        older < 0, np.where(newer < 0, LEFT_ALONE, SWAPPED_IN), np.where(newer < 0, SWAPPED_OUT, both)
    )  # fmt: skip


def swap_set(
    logged: LoggedDecisions,
    older: Judged,
    newer: Judged,
    *,
    measures: Mapping[str, np.ndarray],
    outcome_models: Mapping[str, np.ndarray],
    segment: np.ndarray,
) -> tuple[SwapCell, ...]:
    """Return the cells of everyone and of each segment (n,), those without customers left out.

    ``measures`` map a name to outcomes (n,), such as value and arrears; ``outcome_models`` to cross-fitted predictions
    of it (n, K). Both policies contact each customer surely or not at all; a random contact is a ValueError.
    """
    kind = _kinds(logged, older, newer)
    labelled = (older.unsupported(logged) + newer.unsupported(logged)) == 0
    parts = {
        name: (
            _per_row(logged, older, outcome, outcome_models[name]),
            _per_row(logged, newer, outcome, outcome_models[name]),
        )
        for name, outcome in measures.items()
    }
    return tuple(
        _cell(name, each, rows, labelled, parts, logged.cluster)
        for name, inside in _segments(segment)
        for each in KINDS
        if (rows := inside & (kind == each)).any()
    )


def _segments(segment: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield EVERYONE, np.ones(len(segment), dtype=bool)
    for name in np.unique(segment.astype(str)):
        yield str(name), segment.astype(str) == name


def _kinds(logged: LoggedDecisions, older: Judged, newer: Judged) -> np.ndarray:
    contacts = [policy.offered(logged) for policy in (older, newer)]
    if any(np.any((each > 0) & (each < 1)) for each in contacts):
        raise ValueError("a swap set needs policies that contact each customer surely or not at all")
    if isinstance(older, FixedOffers) and isinstance(newer, FixedOffers):
        return swap_kinds(_choice(older), _choice(newer))
    before, after = (each > 0 for each in contacts)
    return np.where(before, np.where(after, BOTH, SWAPPED_OUT), np.where(after, SWAPPED_IN, LEFT_ALONE))


def _choice(policy: FixedOffers) -> np.ndarray:
    return np.asarray(np.where(policy.probability.sum(axis=1) > 0, np.argmax(policy.probability, axis=1), -1))


def _per_row(logged: LoggedDecisions, policy: Judged, outcome: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return each row's part (n,) in the doubly robust estimate of a policy's mean outcome."""
    inside = logged.action >= 0
    of_action = np.where(inside, predicted[np.arange(len(logged)), np.where(inside, logged.action, 0)], 0.0)
    return np.asarray(policy.expected(logged, predicted) + policy.weights(logged) * (outcome - of_action))


def _cell(
    segment: str,
    kind: str,
    rows: np.ndarray,
    labelled: np.ndarray,
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    cluster: np.ndarray,
) -> SwapCell:
    held = rows & labelled
    told = {
        name: [_mean(each[held], cluster[held]) for each in (before, after, after - before)]
        for name, (before, after) in parts.items()
    } if held.any() else None  # fmt: skip
    older, newer, change = (None if told is None else {name: each[i] for name, each in told.items()} for i in range(3))
    return SwapCell(
        segment=segment, kind=kind, customers=int(rows.sum()), no_label=int(np.sum(rows & ~labelled)), older=older,
        newer=newer, change=change,
    )  # fmt: skip


def _mean(values: np.ndarray, cluster: np.ndarray) -> Estimate:
    value, error = clustered_mean(values, cluster)
    spread = NORMAL_975 * error
    return Estimate(value=value, low=value - spread, high=value + spread, n=len(values), method=METHOD)
