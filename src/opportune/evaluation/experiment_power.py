"""Power by simulation: how likely an experiment on a rare outcome that comes late shows an effect, and when."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.difference_sums import sums_of_counts
from opportune.evaluation.experiment_readout import FEWEST_OFF_MODE, refuse_level, refuse_tuning
from opportune.numerics import NORMAL_975, asymptotic_radius, generator


class ExperimentDesign(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried.

    ``per_day`` customers enter each day for ``days`` days, a share ``treated`` of them treated. ``rate`` is the share
    of the control that has the event within the window in which it counts, ``effect`` what treatment adds to it.
    ``mature_after`` is the length of that window in days: a customer is read out so many days after entering. A longer
    window has more events and fewer customers: try several.
    """

    per_day: int
    days: int
    treated: float
    rate: float
    effect: float
    mature_after: int

    def __post_init__(self) -> None:
        rates = (self.rate, self.rate + self.effect)
        doubts = [
            (not 0.0 < self.treated < 1.0, "treated", f"is {self.treated}: expected a share above 0 and below 1"),
            (not all(0.0 <= each <= 1.0 for each in rates), "rate",
             f"with effect and without is {rates}: expected 0 to 1"),
            (min(self.per_day, self.days) < 1 or self.mature_after < 0, "days",
             "and per_day must be 1 or more, mature_after 0 or more"),
        ]  # fmt: skip
        findings = [
            Finding(code="OP660", source="power", subject=subject, message=message, next_step="correct it")
            for wrong, subject, message in doubts
            if wrong
        ]
        if findings:
            raise BadInput(findings)


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Per look (l,): the day, the customers read out by then, and the share of simulated trials that showed an effect.

    ``by_look``: shown at this look or an earlier one by the confidence sequence. ``once``: shown by a plain 95 %
    interval if this look were the only one; a second look makes it wrong. ``error`` is the largest standard error of
    these shares.
    """

    day: tuple[int, ...]
    customers: tuple[int, ...]
    by_look: tuple[float, ...]
    once: tuple[float, ...]
    trials: int
    error: float


def power(
    design: ExperimentDesign, looks: Sequence[int], *, trials: int, seed: int, tuned_for: int, level: float = 0.95
) -> Power:
    """Return the power at looks on the given days (from the first entry, in order).

    Whole trials are drawn, a day of customers at a time; ``tuned_for`` is the number of customers for which the
    sequence is tightest. Zero ``effect`` gives the share of false alarms. As in ``sequential_readout``, nothing is
    shown at a look that is too early. BadInput (OP660) when looks are out of order, or none has a mature outcome.
    """
    _check_looks(design, looks)
    refuse_level(level)
    refuse_tuning(tuned_for)
    if trials < 1:
        raise ValueError(f"trials is {trials}: expected 1 or more, such as 500")
    entered = np.clip(np.asarray(looks) - design.mature_after, 0, design.days)
    seen = entered > 0
    drawn = _drawn(design, trials, seed, entered[seen])
    sums = sums_of_counts(**drawn, probability=design.treated)
    mean, deviation = sums.mean_and_deviation()
    radius = asymptotic_radius(sums.n, deviation, level=level, tuned_for=tuned_for)
    outside = (np.abs(mean) > radius) & (_least_off_mode(**drawn) >= FEWEST_OFF_MODE)
    shown = np.logical_or.accumulate(outside, axis=1)
    alone = np.abs(mean) > NORMAL_975 * deviation / np.sqrt(sums.n)
    by_look, once = (_padded(each.mean(axis=0), seen) for each in (shown, alone))
    return Power(
        day=tuple(int(each) for each in looks),
        customers=tuple(int(each) * design.per_day for each in entered),
        by_look=by_look,
        once=once,
        trials=trials,
        error=float(np.sqrt(0.25 / trials)),
    )


def _check_looks(design: ExperimentDesign, looks: Sequence[int]) -> None:
    doubts = [
        (max(looks, default=0) <= design.mature_after,
         f"expected one after day {design.mature_after}, when outcomes are first mature", "look later"),
        (any(later < earlier for earlier, later in pairwise(looks)), "expected days in order", "sort them"),
    ]  # fmt: skip
    findings = [
        Finding(code="OP660", source="power", subject="looks", message=f"are on days {list(looks)}: {expected}",
                next_step=step)
        for wrong, expected, step in doubts
        if wrong
    ]  # fmt: skip
    if findings:
        raise BadInput(findings)


def _drawn(design: ExperimentDesign, trials: int, seed: int, entered: np.ndarray) -> dict[str, np.ndarray]:
    """Return customers treated and not, and events of each, after each number of days entered: (trials, looks)."""
    draw = generator(seed, "power")
    shape = (trials, int(entered.max()))
    treated = draw.binomial(design.per_day, design.treated, shape)
    treated_events = draw.binomial(treated, design.rate + design.effect)
    control_events = draw.binomial(design.per_day - treated, design.rate)
    by_day = {"treated": treated, "control": design.per_day - treated, "treated_events": treated_events,
              "control_events": control_events}  # fmt: skip
    return {name: np.cumsum(each, axis=1)[:, entered - 1].astype(np.float64) for name, each in by_day.items()}


def _least_off_mode(
    treated: np.ndarray, control: np.ndarray, treated_events: np.ndarray, control_events: np.ndarray
) -> np.ndarray:
    """Return the smallest number of events or others in an arm."""
    counts = [treated_events, treated - treated_events, control_events, control - control_events]
    return np.asarray(np.min(counts, axis=0))


def _padded(shares: np.ndarray, seen: np.ndarray) -> tuple[float, ...]:
    """Return the shares at all looks: nothing is shown before the first outcome is mature."""
    whole = np.zeros(len(seen))
    whole[seen] = shares
    return tuple(whole.tolist())
