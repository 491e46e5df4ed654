"""Outcomes that are not yet known: completed by what is known of others like them, never dropped.

Dropping them is biased wherever what happened decides when it is known: a default shows early, a loan that is repaid
only at its end. Both completions replace an open row's outcome by its expectation, estimated as ratios of sums over the
same rows. So the statistic stays a function of totals, and the error of the completion is in every interval.

- ``HazardCompletion``: an event (default, prepayment, purchase) that may still come until a horizon H. With hazards
  h_gt = events / at risk in stratum g and period t, a row open after a periods has P(event by H) = 1 - prod_(a < t <=
  H) (1 - h_gt): Kaplan and Meier (1958) in discrete time. Assumes that within a stratum how long a row has been watched
  says nothing about its event, and that recent decisions behave like earlier ones.
- ``ProxyCompletion``: an early sign that is known for every row, such as the first payment. An open row is worth the
  mean of the known rows of its cell: the surrogate index (Athey, Chetty, Imbens and Kang 2019, NBER 26463) with cells.
  Assumes that within a cell known and open rows are alike, offers included: put the offer into the cell unless the
  sign tells all that the offer does.
"""

from typing import Protocol

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.estimators import Estimator, scored
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged
from opportune.evaluation.statistic import Statistic, ratio_or_zero
from opportune.numerics import cluster_codes


class Completion(Protocol):
    """Which rows are open, what is known of the outcome, and what the open rows' weighted outcomes come to."""

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome (n,) as far as it is known: zero on open rows."""
        ...

    def columns(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the columns (n, c) whose totals tell sum w y over the open rows."""
        ...

    def missing(self, totals: np.ndarray) -> np.ndarray:
        """Return sum w y over the open rows (...) from the totals (..., c)."""
        ...


class ProxyCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """``cell`` (n,): rows with equal values are alike, whether their outcome is known or open (NaN)."""

    cell: np.ndarray

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome, zero where it is open. BadInput (OP620) when a cell has open rows and no known one."""
        count, codes = cluster_codes(self.cell)
        is_open = np.isnan(outcome)
        untold = np.bincount(codes[~is_open], minlength=count) == 0
        if untold.any():
            raise BadInput([_untold("cell", self.cell[np.isin(codes, np.flatnonzero(untold))], "known")])
        return np.where(is_open, 0.0, outcome)

    def columns(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per cell the open rows' weights, the known rows' outcomes, and their number: (n, 3 x cells)."""
        is_open = np.isnan(outcome)
        parts = (np.where(is_open, weights, 0.0), np.where(is_open, 0.0, outcome), (~is_open).astype(np.float64))
        return np.column_stack([_spread(part, *cluster_codes(self.cell)) for part in parts])

    def missing(self, totals: np.ndarray) -> np.ndarray:
        """Return the sum over cells of open weight x mean known outcome."""
        weight, outcome, known = np.split(totals, 3, axis=-1)
        return np.asarray(np.sum(weight * ratio_or_zero(outcome, known), axis=-1))


class HazardCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """An event that may still come. ``watched`` (n,): whole periods that a row has been watched; ``event_at`` (n,): the
    period 1..watched in which the event came, 0 where it has not. ``horizon``: the period after which it counts no
    more.

    The outcome of a row is ``if_event`` (n,) with the event by the horizon and ``if_none`` (n,) without it, so a row is
    open when it has no event and was watched for less than the horizon. ``stratum`` (n,): rows of one share hazards;
    it should hold the offer, where offers change how often or how soon the event comes.
    """

    watched: np.ndarray
    event_at: np.ndarray
    stratum: np.ndarray
    horizon: int
    if_event: np.ndarray
    if_none: np.ndarray

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome of the rows whose event came or can come no more, and zero on open rows.

        The outcome given by the log is not read: the two amounts say it. BadInput (OP620) when a stratum with open rows
        was never watched in a period that they still have to go through.
        """
        del outcome
        self._refuse_unwatched()
        happened = self._happened()
        return np.where(self._open(), 0.0, np.where(happened, self.if_event, self.if_none))

    def columns(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per stratum and period: open weights x the two amounts, events, and rows at risk: (n, 4 G H)."""
        del outcome
        count, codes = cluster_codes(self.stratum)
        is_open, happened, last = self._open(), self._happened(), np.minimum(self.watched, self.horizon)
        after = codes * self.horizon + np.minimum(self.watched, self.horizon - 1)
        both = [_spread(np.where(is_open, weights * each, 0.0), count * self.horizon, after)
                for each in (self.if_event, self.if_none)]  # fmt: skip
        period = codes * self.horizon + np.maximum(self.event_at, 1) - 1
        events = _spread(happened.astype(np.float64), count * self.horizon, np.where(happened, period, 0))
        until = np.where(happened, self.event_at, last)
        risk = np.arange(self.horizon) < until[:, None]
        at_risk = np.zeros((len(codes), count, self.horizon))
        at_risk[np.arange(len(codes)), codes] = risk
        return np.column_stack([*both, events, at_risk.reshape(len(codes), -1)])

    def missing(self, totals: np.ndarray) -> np.ndarray:
        """Return the sum over strata and periods watched of P(event) x its amount + P(none) x its amount."""
        parts = [np.reshape(part, (*part.shape[:-1], -1, self.horizon)) for part in np.split(totals, 4, axis=-1)]
        with_event, without, events, at_risk = parts
        stay = 1.0 - ratio_or_zero(events, at_risk)
        # The product over the periods still to come, for a row watched for 0, 1, ... periods.
        none = np.cumprod(stay[..., ::-1], axis=-1)[..., ::-1]
        return np.asarray(np.sum(with_event * (1.0 - none) + without * none, axis=(-2, -1)))

    def _happened(self) -> np.ndarray:
        return np.asarray((self.event_at > 0) & (self.event_at <= self.horizon))

    def _open(self) -> np.ndarray:
        return np.asarray(~self._happened() & (self.watched < self.horizon))

    def _refuse_unwatched(self) -> None:
        count, codes = cluster_codes(self.stratum)
        longest = np.zeros(count)
        np.maximum.at(longest, codes, self.watched)
        short = self._open() & (longest < self.horizon)[codes]
        if short.any():
            raise BadInput([_untold("stratum", self.stratum[short], f"watched for {self.horizon} periods")])


def completed_score(
    logged: LoggedDecisions,
    policy: Judged,
    outcome: np.ndarray,
    estimator: Estimator,
    model: np.ndarray | None,
    completion: Completion | None,
) -> Statistic:
    """Return the estimator's statistic of an outcome (n,), open rows (NaN) completed; dm reads no outcome at all."""
    if completion is None or estimator == "dm":
        return scored(logged, policy, outcome, estimator, model)
    known = scored(logged, policy, completion.known(outcome), estimator, model)
    return _with_missing(known, completion, completion.columns(outcome, policy.weights(logged)))


def _with_missing(known: Statistic, completion: Completion, columns: np.ndarray) -> Statistic:
    """Return a statistic with the open rows' weighted outcomes added to the total of its first column."""
    edge = known.columns.shape[1]

    def value(totals: np.ndarray) -> np.ndarray:
        own = np.array(totals[..., :edge])
        own[..., 0] += completion.missing(totals[..., edge:])
        return known.value(own)

    return Statistic(np.column_stack([known.columns, columns]), value)


def _spread(values: np.ndarray, count: int, codes: np.ndarray) -> np.ndarray:
    """Return values (n,) in the column of each row's code: (n, count), zero elsewhere."""
    columns = np.zeros((len(values), count))
    columns[np.arange(len(values)), codes] = values
    return columns


def _untold(what: str, places: np.ndarray, expected: str) -> Finding:
    names = sorted(set(map(str, places)))
    message = (
        f"{len(names)} values of {what} ({', '.join(names[:3])}) hold open outcomes and none that was {expected}: "
        "expected some in each, to tell what the open ones come to"
    )
    step = "merge them with others like them, or wait until some are known"
    return Finding(code="OP620", source="decisions", subject=what, message=message, next_step=step)
