"""The swap set: who changes between two policies, and what the log says of their value and risk.

The cells are those of the 2 x 2 of offered and not offered, the unchanged ones included. A customer's cell must not
depend on the offer that the log happened to draw: given the cell, the draw would not be random any more, and every
weighted mean would be wrong. So the cell of those offered by both is split by whether the offer is the same only where
both policies fix the offer beforehand: of a random offer nobody knows whether it is the same.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec
import numpy as np

from opportune.domain import Estimate
from opportune.evaluation.delayed import Completion, refuse_several, with_missing
from opportune.evaluation.estimators import dr_scores
from opportune.evaluation.inference import Clusters, as_clusters, inferred
from opportune.evaluation.logged import FEWEST_CLUSTERS, LoggedDecisions, refuse_unpredicted, refuse_unusable
from opportune.evaluation.policies import FixedOffers, Judged
from opportune.evaluation.statistic import Statistic
from opportune.evaluation.support import refuse_no_policy, refuse_other_shape, smallest_effective_n
from opportune.evaluation.untold import Side, sides, untold

LEFT_ALONE, SWAPPED_IN, SWAPPED_OUT = "left alone", "swapped in", "swapped out"
SAME, OTHER, BOTH = "same offer", "other offer", "offered by both"
KINDS = (LEFT_ALONE, SWAPPED_IN, SWAPPED_OUT, SAME, OTHER, BOTH)
EVERYONE = "all"
METHOD = "doubly robust, influence"
LEVEL = 0.95
_TOLERANCE = 1e-9
SIGNS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
"""What the three estimates of a cell, older, newer and change, take of the older policy and of the newer one."""


class SwapCell(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of change in one segment.

    ``no_label`` counts the customers for whom the log never made an offer that one of the policies makes: nothing is
    known of them, and the estimates are those of the others. Estimates map a measure to its mean per labelled customer
    under the older policy, the newer one, and newer less older. One is None where no interval could be trusted: the
    labelled lie in fewer than ``FEWEST_CLUSTERS`` clusters (``clusters`` says in how many), the outcomes that tell it
    are all the same, or none does because no offer that it is about was drawn; of ``change``, those of either policy.
    """

    segment: str
    kind: str
    customers: int
    no_label: int
    clusters: int
    older: dict[str, Estimate | None]
    newer: dict[str, Estimate | None]
    change: dict[str, Estimate | None]


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
    of_offers: Collection[str] = (),
    completion: Completion | None = None,
) -> tuple[SwapCell, ...]:
    """Return the cells of everyone and of each segment (n,), those without customers left out.

    ``measures`` map a name to outcomes (n,), such as value and arrears; ``outcome_models`` to cross-fitted predictions
    of it (n, K). Those ``of_offers``, such as money lent, are zero by definition where nothing was offered: zeros there
    are no experience. ``completion`` tells what outcomes that are not yet known (NaN) come to, by all known rows. Both
    policies contact each customer surely or not at all; a random contact is a ValueError. BadInput (OP609, OP620).
    """
    _refuse_nameless(measures, outcome_models, of_offers)
    refuse_several(completion, measures)
    refuse_unusable(logged, measures, may_be_open=completion is not None)
    for policy in (older, newer):
        refuse_no_policy(logged, policy)
    for name, model in outcome_models.items():
        refuse_other_shape(f"outcome_models[{name!r}]", model, logged.probability.shape)
        refuse_unpredicted(logged, model)
    kind = _kinds(logged, older, newer)
    labelled = (older.unsupported(logged) + newer.unsupported(logged)) == 0
    weights = np.array([older.weights(logged), newer.weights(logged)])
    parts = {
        name: _Part(
            scores=_scores(logged, (older, newer), weights, outcome, outcome_models[name], completion),
            outcome=outcome,
            sides=_sides(logged, (older, newer), weights, name in of_offers),
        )
        for name, outcome in measures.items()
    }
    trial = _Trial(as_clusters(logged.cluster), logged.customer_id, parts, weights, completion)
    return tuple(
        _cell(name, each, rows, rows & labelled, trial)
        for name, inside in _segments(segment)
        for each in KINDS
        if (rows := inside & (kind == each)).any()
    )


def _refuse_nameless(measures: Collection[str], models: Collection[str], of_offers: Collection[str]) -> None:
    """Raise ValueError where a measure has no predictions, or what is said of one is said of none."""
    if set(measures) != set(models) or not set(of_offers) <= set(measures):
        given = f"measures are {sorted(measures)}, outcome_models {sorted(models)}, of_offers {sorted(of_offers)}"
        raise ValueError(f"{given}: expected a model for each measure, and of_offers among them")


def _segments(segment: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield EVERYONE, np.ones(len(segment), dtype=bool)
    for name in np.unique(segment.astype(str)):
        yield str(name), segment.astype(str) == name


def _kinds(logged: LoggedDecisions, older: Judged, newer: Judged) -> np.ndarray:
    contacts = [policy.offered(logged) for policy in (older, newer)]
    if any(np.any((each > _TOLERANCE) & (each < 1 - _TOLERANCE)) for each in contacts):
        raise ValueError("a swap set needs policies that contact each customer surely or not at all")
    (before, first), (after, second) = (
        _choice(each, rate) for each, rate in zip((older, newer), contacts, strict=True)
    )
    at_random = (before >= 0) & (after >= 0) & ~(first & second)
    return np.where(at_random, BOTH, swap_kinds(before, after))


def _choice(policy: Judged, contact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each customer's likeliest offer (n,), -1 for none, and whether it is fixed (n,)."""
    if not isinstance(policy, FixedOffers):
        return np.where(contact > _TOLERANCE, 0, -1), np.zeros(len(contact), dtype=bool)
    likeliest = np.argmax(policy.probability, axis=1)
    fixed = policy.probability[np.arange(len(contact)), likeliest] >= 1 - _TOLERANCE
    return np.where(contact > _TOLERANCE, likeliest, -1), np.asarray(fixed)


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: each row's doubly robust score under the older and the newer policy (2, n), and its outcome (n,).

    ``sides`` are those of the three estimates of a cell.
    """

    scores: np.ndarray
    outcome: np.ndarray
    sides: tuple[list[Side], ...]


class _Trial(msgspec.Struct, frozen=True):
    """What every cell reads; ``weights`` (2, n) are those of the older and the newer policy."""

    clusters: Clusters
    customer_id: np.ndarray
    parts: Mapping[str, _Part]
    weights: np.ndarray
    completion: Completion | None


def _sides(
    logged: LoggedDecisions, policies: tuple[Judged, Judged], weights: np.ndarray, offers_only: bool
) -> tuple[list[Side], ...]:
    chosen = [np.flatnonzero(signs) for signs in SIGNS]
    return tuple(
        sides(logged, [policies[i] for i in each], list(weights[each]), offers_only=offers_only) for each in chosen
    )


def _scores(
    logged: LoggedDecisions, policies: tuple[Judged, Judged], weights: np.ndarray, outcome: np.ndarray,
    model: np.ndarray, completion: Completion | None,
) -> np.ndarray:  # fmt: skip
    known = outcome if completion is None else completion.known(outcome)
    return np.array([dr_scores(logged, *each, known, model) for each in zip(policies, weights, strict=True)])


def _cell(segment: str, kind: str, rows: np.ndarray, held: np.ndarray, trial: _Trial) -> SwapCell:
    clusters = trial.clusters.within(held)
    told = [
        {name: _told(part, which, held, clusters, trial) for name, part in trial.parts.items()}
        for which in range(len(SIGNS))
    ]
    return SwapCell(
        segment=segment, kind=kind, customers=len(set(trial.customer_id[rows])),
        no_label=len(set(trial.customer_id[rows & ~held])), clusters=clusters,
        older=told[0], newer=told[1], change=told[2],
    )  # fmt: skip


def _told(part: _Part, which: int, held: np.ndarray, clusters: int, trial: _Trial) -> Estimate | None:
    """Return the mean per customer of a cell, or None where no interval of it could be trusted."""
    whys = (
        untold(held & side.asked, held & side.entered, part.outcome, trial.completion) for side in part.sides[which]
    )
    if clusters < FEWEST_CLUSTERS or any(why is not None for why in whys):
        return None
    return _mean(part, SIGNS[which], held, clusters, trial)


def _mean(part: _Part, signs: np.ndarray, held: np.ndarray, clusters: int, trial: _Trial) -> Estimate:
    """Return the mean per customer of a cell; its interval has Student's t of the clusters in the cell."""
    inside = held.astype(np.float64)
    customers = inside * (len(set(trial.customer_id[held])) / inside.sum())  # rows of one customer add up
    statistic = Statistic(
        np.column_stack([signs @ part.scores * inside, customers]), lambda all_: all_[..., 0] / all_[..., 1]
    )
    if trial.completion is not None:
        statistic = with_missing(statistic, trial.completion, part.outcome, signs @ trial.weights * inside)
    found = msgspec.structs.replace(inferred(statistic, trial.clusters, "influence", 0, 0), clusters=clusters)
    low, high = found.bounds(LEVEL)
    return Estimate(
        value=found.value, low=low, high=high, n=int(held.sum()), method=METHOD,
        effective_n=smallest_effective_n(trial.weights[signs != 0.0] * inside),
    )  # fmt: skip
