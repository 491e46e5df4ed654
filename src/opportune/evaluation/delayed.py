"""Outcomes that are not yet known: completed by what is known of others like them, never dropped.

Dropping them is biased wherever what happened decides when it is known: a default shows early, a loan that is repaid
only at its end. Every completion replaces an open row's outcome by its expectation, estimated as ratios of sums over
the same rows. So the statistic stays a function of totals, and the error of the completion is in every interval.

``ProxyCompletion`` reads an early sign that is known for every row, such as the first payment: an open row is worth the
mean of the known rows of its cell. It is the surrogate index (Athey, Chetty, Imbens and Kang 2019, NBER 26463) with
cells. Assumes that within a cell known and open rows are alike, offers included: put the offer into the cell unless the
sign tells all that the offer does. Completions of an event that may still come stand in ``hazards``.
"""

from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.estimators import Estimator, scored
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio_or_zero, sum_of
from opportune.numerics import cluster_codes

_Rows = TypeVar("_Rows", bound=msgspec.Struct)


class Completion(Protocol):
    """Which rows are open, what is known of the outcome, and what the open rows' weighted outcomes come to.

    The sum of w y over the open rows follows from the totals of two sets of columns: ``shared`` (n, s) serve every
    function of the outcome, ``own`` (n, o) are those of one.
    """

    @property
    def of_one_outcome(self) -> bool:
        """Whether it tells the outcome that it was made for only, and reads no other."""
        ...

    def take(self, rows: np.ndarray) -> "Completion":
        """Return the completion of the given rows (indices or mask)."""
        ...

    def is_open(self, outcome: np.ndarray) -> np.ndarray:
        """Return the rows (n,) whose outcome is not yet known."""
        ...

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome (n,) as far as it is known: zero on open rows."""
        ...

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows that tell what open ones among ``rows`` (n,) come to, these included."""
        ...

    def of(self, function: Callable[[np.ndarray], np.ndarray]) -> "Completion":
        """Return the completion of a function of the outcome."""
        ...

    def shared(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the columns (n, s) that serve every function of the outcome."""
        ...

    def own(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the columns (n, o) of this outcome."""
        ...

    def missing(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return sum w y over the open rows (...) from the totals (..., s) and (..., o)."""
        ...


class ProxyCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """``cell`` (n,): rows with equal values are alike, whether their outcome is known or open (NaN)."""

    cell: np.ndarray

    @property
    def of_one_outcome(self) -> bool:
        """False: it reads whichever outcome it is asked for."""
        return False

    def take(self, rows: np.ndarray) -> "ProxyCompletion":
        """Return the completion of the given rows (indices or mask)."""
        return taken(self, rows)

    def is_open(self, outcome: np.ndarray) -> np.ndarray:
        """Return the rows (n,) without an outcome."""
        return np.asarray(np.isnan(outcome))

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome, zero where it is open. BadInput (OP620) when a cell has open rows and no known one."""
        count, codes = cluster_codes(self.cell)
        is_open = self.is_open(outcome)
        untold = np.bincount(codes[~is_open], minlength=count) == 0
        if untold.any():
            raise BadInput([untold_of("cell", self.cell[np.isin(codes, np.flatnonzero(untold))], "known")])
        return np.where(is_open, 0.0, outcome)

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows in the cells of ``rows`` (n,)."""
        return sharing(self.cell, rows)

    def of(self, function: Callable[[np.ndarray], np.ndarray]) -> "ProxyCompletion":
        """Return itself: known rows tell what any function of the outcome comes to."""
        del function
        return self

    def shared(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per cell the open rows' weights and the known rows: (n, 2 x cells)."""
        is_open = self.is_open(outcome)
        parts = (np.where(is_open, weights, 0.0), (~is_open).astype(np.float64))
        return np.column_stack([spread(part, *cluster_codes(self.cell)) for part in parts])

    def own(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per cell the known rows' outcomes: (n, cells)."""
        del weights
        return spread(np.where(self.is_open(outcome), 0.0, outcome), *cluster_codes(self.cell))

    def missing(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the sum over cells of open weight x mean known outcome."""
        weight, rows = np.split(shared, 2, axis=-1)
        return np.asarray(np.sum(weight * ratio_or_zero(own, rows), axis=-1))


def refuse_several(completion: Completion | None, outcomes: Collection[str]) -> None:
    """Raise ValueError where a completion that tells one outcome is to complete several: each would become that one."""
    if completion is not None and completion.of_one_outcome and len(outcomes) > 1:
        named = ", ".join(map(repr, sorted(outcomes)))
        raise ValueError(
            f"completion {type(completion).__name__} tells one outcome, and {named} are several: expected one of them, "
            "or an EventCompletion, which reads each"
        )


def completed_score(
    logged: LoggedDecisions,
    policy: Judged,
    weights: np.ndarray,
    outcome: np.ndarray,
    estimator: Estimator,
    model: np.ndarray | None,
    completion: Completion | None,
) -> Statistic:
    """Return the estimator's statistic of an outcome (n,), open rows (NaN) completed; dm reads no outcome at all."""
    if completion is None or estimator == "dm":
        return scored(logged, policy, weights, outcome, estimator, model)
    known = scored(logged, policy, weights, completion.known(outcome), estimator, model)
    return with_missing(known, completion, outcome, weights)


def total_of(outcome: np.ndarray, completion: Completion | None) -> Statistic:
    """Return the sum of an outcome (n,) over the logged decisions, open rows (NaN) completed."""
    if completion is None:
        return sum_of(outcome)
    return with_missing(sum_of(completion.known(outcome)), completion, outcome, np.ones(len(outcome)))


def with_missing(known: Statistic, completion: Completion, outcome: np.ndarray, weights: np.ndarray) -> Statistic:
    """Return a statistic with the open rows' weighted outcomes added to the total of its first column."""
    shared, own = completion.shared(outcome, weights), completion.own(outcome, weights)
    edges = np.cumsum([known.columns.shape[1], shared.shape[1]])

    def value(totals: np.ndarray) -> np.ndarray:
        told, *rest = np.split(totals, edges, axis=-1)
        told = np.concatenate([told[..., :1] + completion.missing(*rest)[..., None], told[..., 1:]], axis=-1)
        return known.value(told)

    return Statistic(np.column_stack([known.columns, shared, own]), value)


def taken(completion: _Rows, rows: np.ndarray) -> _Rows:
    """Return a record of arrays (n,) with the given rows of each; what is no array stays."""
    arrays = {name: getattr(completion, name) for name in completion.__struct_fields__}
    kept = {name: array[rows] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return msgspec.structs.replace(completion, **kept)


def sharing(names: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the rows whose name (n,) is that of one of ``rows`` (n,)."""
    count, codes = cluster_codes(names)
    return np.asarray(np.bincount(codes[rows], minlength=count)[codes] > 0)


def spread(values: np.ndarray, count: int, codes: np.ndarray) -> np.ndarray:
    """Return values (n,) in the column of each row's code: (n, count), zero elsewhere."""
    columns = np.zeros((len(values), count))
    columns[np.arange(len(values)), codes] = values
    return columns


def untold_of(what: str, places: np.ndarray, expected: str) -> Finding:
    """Return the finding about cells or strata that hold open outcomes and nothing to complete them by."""
    names = sorted(set(map(str, places)))
    message = (
        f"{len(names)} values of {what} ({', '.join(names[:3])}) hold open outcomes and none that was {expected}: "
        "expected some in each, to tell what the open ones come to"
    )
    step = "merge them with others like them, or wait until some are known"
    return Finding(code="OP620", source="decisions", subject=what, message=message, next_step=step)
