"""Power by simulation: how likely an experiment on a rare outcome that comes late shows an effect, and when."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.difference_sums import DifferenceSums, sums_of_counts
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
    sequence is tightest. Zero ``effect`` gives the share of false alarms.
    """
    entered = np.clip(np.asarray(looks) - design.mature_after, 0, design.days)
    if entered.max(initial=0) < 1:
        message = (
            f"are on days {list(looks)}: expected one after day {design.mature_after}, when outcomes are first mature"
        )
        raise BadInput(
            [Finding(code="OP660", source="power", subject="looks", message=message, next_step="look later")]
        )
    seen = entered > 0
    sums = _drawn(design, trials, seed, entered[seen])
    mean, deviation = sums.mean_and_deviation()
    radius = asymptotic_radius(sums.n, deviation, level=level, tuned_for=tuned_for)
    shown = np.logical_or.accumulate(np.abs(mean) > radius, axis=1)
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


def _drawn(design: ExperimentDesign, trials: int, seed: int, entered: np.ndarray) -> DifferenceSums:
    """Return the sums of every trial after each number of days entered, arrays (trials, looks)."""
    draw = generator(seed, "power")
    shape = (trials, int(entered.max()))
    treated = draw.binomial(design.per_day, design.treated, shape)
    treated_events = draw.binomial(treated, design.rate + design.effect)
    control_events = draw.binomial(design.per_day - treated, design.rate)
    so_far = [
        np.cumsum(each, axis=1)[:, entered - 1].astype(np.float64)
        for each in (treated, design.per_day - treated, treated_events, control_events)
    ]
    return sums_of_counts(so_far[0], so_far[1], so_far[2], so_far[3], design.treated)


def _padded(shares: np.ndarray, seen: np.ndarray) -> tuple[float, ...]:
    """Return the shares at all looks: nothing is shown before the first outcome is mature."""
    whole = np.zeros(len(seen))
    whole[seen] = shares
    return tuple(whole.tolist())
