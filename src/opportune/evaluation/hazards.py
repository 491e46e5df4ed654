"""Completion of outcomes by an event that may still come until a horizon: take-up, default, prepayment, purchase.

With hazards h_gt = events / at risk in stratum g and period t, a row without the event after a periods has it by the
horizon H with probability 1 - prod_(a < t <= H) (1 - h_gt): Kaplan and Meier (1958) in discrete time. Assumes that
within a stratum how long a row has been watched says nothing about its event, and that recent decisions behave like
earlier ones. A stratum should hold the offer, where offers change how often or how soon the event comes.

- ``HazardCompletion``: what a row is worth with and without the event is given.
- ``EventCompletion``: it is the mean of the known rows of the stratum with the event, and of those without. Assumes
  further that known and open rows of a stratum are alike, given whether the event comes.
"""

from collections.abc import Callable, Iterator
from typing import Self

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.delayed import sharing, spread, taken, untold_of
from opportune.evaluation.statistic import ratio_or_zero
from opportune.numerics import cluster_codes


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """``watched`` (n,): whole periods that a row has been watched; ``event_at`` (n,): the period 1..watched in which
    the event came, 0 where it has not. ``horizon``: the period after which it counts no more. ``stratum`` (n,): rows of
    one share hazards.
    """

    watched: np.ndarray
    event_at: np.ndarray
    stratum: np.ndarray
    horizon: int

    def take(self, rows: np.ndarray) -> Self:
        """Return the completion of the given rows (indices or mask)."""
        return taken(self, rows)

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows in the strata of ``rows`` (n,)."""
        return sharing(self.stratum, rows)

    def happened(self) -> np.ndarray:
        """Return the rows (n,) whose event came by the horizon."""
        return np.asarray((self.event_at > 0) & (self.event_at <= self.horizon))

    def may_come(self) -> np.ndarray:
        """Return the rows (n,) without the event that were watched for less than the horizon."""
        return np.asarray(~self.happened() & (self.watched < self.horizon))

    def hazard_columns(self) -> np.ndarray:
        """Return per stratum and period the events and the rows at risk: (n, 2 G H)."""
        count, codes = cluster_codes(self.stratum)
        happened = self.happened()
        period = codes * self.horizon + np.maximum(self.event_at, 1) - 1
        events = spread(happened.astype(np.float64), count * self.horizon, np.where(happened, period, 0))
        until = np.where(happened, self.event_at, np.minimum(self.watched, self.horizon))
        at_risk = np.zeros((len(codes), count, self.horizon))
        at_risk[np.arange(len(codes)), codes] = np.arange(self.horizon) < until[:, None]
        return np.column_stack([events, at_risk.reshape(len(codes), -1)])

    def never(self, totals: np.ndarray) -> np.ndarray:
        """Return P(no event by the horizon) of rows watched for 0, 1, ... H - 1 periods, (..., G, H), from totals."""
        events, at_risk = (self.by_period(part) for part in np.split(totals, 2, axis=-1))
        stay = 1.0 - ratio_or_zero(events, at_risk)
        return np.asarray(np.cumprod(stay[..., ::-1], axis=-1)[..., ::-1])  # over the periods still to come

    def by_watched(self, values: np.ndarray) -> np.ndarray:
        """Return values (n,) in the column of each row's stratum and whole periods watched: (n, G H)."""
        count, codes = cluster_codes(self.stratum)
        after = codes * self.horizon + np.minimum(self.watched, self.horizon - 1)
        return spread(values, count * self.horizon, after)

    def by_period(self, totals: np.ndarray) -> np.ndarray:
        """Return totals (..., G H) as (..., G, H)."""
        return totals.reshape(*totals.shape[:-1], -1, self.horizon)

    def unusable(self, rows: np.ndarray) -> Iterator[Finding]:
        """Yield findings where periods cannot be (OP625), and where a stratum cannot tell what comes to ``rows`` (n,):
        nobody was at risk in a period that some of them still have to go through (OP620).
        """
        impossible = (self.event_at > self.watched) | (self.event_at < 0) | (self.watched < 0)
        if impossible.any():
            message = (
                f"lies below 0 or after all that was watched in {int(impossible.sum())} rows: expected 0 to `watched`"
            )
            step = "count both in the same whole periods, the first one as 1"
            yield Finding(code="OP625", source="decisions", subject="event_at", message=message, next_step=step)
        untold = rows & self.may_come() & self._ends_unseen()
        if untold.any():
            yield untold_of("stratum", self.stratum[untold], f"at risk in all {self.horizon} periods")

    def _ends_unseen(self) -> np.ndarray:
        """Return the rows (n,) of strata where nobody is left at risk before the horizon, though some have no event."""
        count, codes = cluster_codes(self.stratum)
        happened = self.happened()
        until = np.where(happened, self.event_at, np.clip(self.watched, 0, self.horizon)).astype(np.int64)
        seen = codes * (self.horizon + 1) + until
        last = np.zeros(count, dtype=np.int64)
        np.maximum.at(last, codes, until)
        left = np.bincount(seen, ~happened, count * (self.horizon + 1)).reshape(count, -1)[np.arange(count), last]
        return np.asarray(((last < self.horizon) & (left > 0))[codes])


class HazardCompletion(Watched, frozen=True, kw_only=True):
    """The outcome of a row is ``if_event`` (n,) with the event by the horizon and ``if_none`` (n,) without it, so a row
    is open when it has no event and was watched for less than the horizon. The outcome given by the log is not read.
    """

    if_event: np.ndarray
    if_none: np.ndarray

    @property
    def of_one_outcome(self) -> bool:
        """True: the amounts are given, and no outcome is read."""
        return True

    def is_open(self, outcome: np.ndarray) -> np.ndarray:
        """Return the rows (n,) to which the event may still come."""
        del outcome
        return self.may_come()

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome of the rows whose event came or can come no more, and zero on open rows.

        BadInput (OP620) when nobody of a stratum with open rows was at risk in a period that they still have to go
        through, and OP625 of periods that cannot be.
        """
        is_open = self.is_open(outcome)
        findings = list(self.unusable(is_open))
        if findings:
            raise BadInput(findings)
        return np.where(is_open, 0.0, np.where(self.happened(), self.if_event, self.if_none))

    def of(self, function: Callable[[np.ndarray], np.ndarray]) -> "HazardCompletion":
        """Return the completion with the function of both amounts."""
        return msgspec.structs.replace(self, if_event=function(self.if_event), if_none=function(self.if_none))

    def shared(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per stratum and period the events and the rows at risk: (n, 2 G H)."""
        del outcome, weights
        return self.hazard_columns()

    def own(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per stratum and periods watched the open weights x each amount: (n, 2 G H)."""
        waiting = np.where(self.is_open(outcome), weights, 0.0)
        return np.column_stack([self.by_watched(waiting * each) for each in (self.if_event, self.if_none)])

    def missing(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the sum over strata and periods watched of P(event) x its amount + P(none) x its amount."""
        with_event, without = (self.by_period(part) for part in np.split(own, 2, axis=-1))
        never = self.never(shared)
        return np.asarray(np.sum(with_event * (1.0 - never) + without * never, axis=(-2, -1)))


class EventCompletion(Watched, frozen=True, kw_only=True):
    """An open row (its outcome is NaN) whose event came is worth the mean of the known rows of its stratum with the
    event; one without it, that mean and the mean of those without, weighed by the probability that it still comes.
    """

    @property
    def of_one_outcome(self) -> bool:
        """False: it reads whichever outcome it is asked for."""
        return False

    def is_open(self, outcome: np.ndarray) -> np.ndarray:
        """Return the rows (n,) without an outcome."""
        return np.asarray(np.isnan(outcome))

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome, zero where it is open. BadInput (OP620) when a stratum cannot tell what it comes to, and
        OP625 of periods that cannot be.

        It needs a known row with the event for open rows, if any event came there, a known row without it for those
        that have none, and rows at risk in each period until the horizon for those that it may still come to.
        """
        is_open = self.is_open(outcome)
        findings = [*self.unusable(is_open), *self._untold(is_open)]
        if findings:
            raise BadInput(findings)
        return np.where(is_open, 0.0, outcome)

    def of(self, function: Callable[[np.ndarray], np.ndarray]) -> "EventCompletion":
        """Return itself: known rows tell what any function of the outcome comes to."""
        del function
        return self

    def shared(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return (n, G (3 H + 4)): per stratum and period events, rows at risk and open weights by periods watched; per
        stratum open weights that the event came to, those that it comes to no more, and known rows with and without it.
        """
        is_open, happened, waits = self.is_open(outcome), self.happened(), self.may_come()
        weight = np.where(is_open, weights, 0.0)
        parts = (weight * happened, weight * ~(happened | waits), ~is_open & happened, ~is_open & ~happened)
        columns = [spread(part.astype(np.float64), *cluster_codes(self.stratum)) for part in parts]
        return np.column_stack([self.hazard_columns(), self.by_watched(weight * waits), *columns])

    def own(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return per stratum the known outcomes with the event and without it: (n, 2 G)."""
        del weights
        known, happened = np.where(self.is_open(outcome), 0.0, outcome), self.happened()
        return np.column_stack([spread(known * rows, *cluster_codes(self.stratum)) for rows in (happened, ~happened)])

    def missing(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the sum over strata of open weight x (P(event) x mean with it + P(none) x mean without)."""
        periods = own.shape[-1] // 2 * self.horizon
        hazards, waits, rest = np.split(shared, [2 * periods, 3 * periods], axis=-1)
        came, over, *rows = np.split(rest, 4, axis=-1)
        waiting, never = self.by_period(waits), self.never(hazards)
        weights = (came + np.sum(waiting * (1.0 - never), axis=-1), over + np.sum(waiting * never, axis=-1))
        parts = zip(weights, np.split(own, 2, axis=-1), rows, strict=True)
        return np.asarray(sum(np.sum(weight * ratio_or_zero(total, n), axis=-1) for weight, total, n in parts))

    def _untold(self, is_open: np.ndarray) -> Iterator[Finding]:
        count, codes = cluster_codes(self.stratum)
        happened = self.happened()
        eventful = np.bincount(codes, happened, count)[codes] > 0
        for rows, wanted, says in (
            (is_open & eventful, happened, "known with the event"),
            (is_open & ~happened, ~happened, "known without the event"),
        ):
            untold = rows & (np.bincount(codes, ~is_open & wanted, count)[codes] == 0)
            if untold.any():
                yield untold_of("stratum", self.stratum[untold], says)
