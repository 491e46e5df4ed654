"""Read-out of an experiment: a difference of two arms that may be looked at every day and stopped at any look.

The sequence rests on a deviation that is estimated. While hardly any row of an arm differs from its commonest outcome,
as before the first events of a rare one, that estimate is near zero, and so would be the interval. So a look is too
early, and tells nothing, until each arm has ``FEWEST_OFF_MODE`` such rows: of outcomes 0 and 1, events and others.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.difference_sums import running_sums
from opportune.numerics import asymptotic_radius

METHOD = "asymptotic confidence sequence"
FEWEST_OFF_MODE = 25
"""With outcomes of half a per cent looked at every 50 customers, the truth is then held at all looks in 99 % of streams
(1 such row: 88 % with a tenth treated; none: 15 %)."""


def sequential_readout(
    *,
    outcome: np.ndarray,
    treated: np.ndarray,
    probability: float,
    predicted: np.ndarray,
    looks: Sequence[int],
    tuned_for: int,
    comparisons: int = 1,
    level: float = 0.95,
) -> tuple[Estimate, ...]:
    """Return treated less control after the first n customers, for each n of ``looks``.

    Rows are customers, one each, in the order in which their outcome became mature: an outcome that is still open is
    not in yet, and is no zero. ``predicted`` (n,) is what was expected of each from facts before the experiment
    (``cuped_prediction``), or zeros: it narrows the interval and cannot bias it. ``tuned_for`` is the n for which the
    interval is to be tightest, said beforehand. With several challengers against one champion ``comparisons`` is their
    number, and each interval has level 1 - (1 - level) / comparisons. A look that is too early has an interval without
    ends, and its ``method`` says so. BadInput (OP657) when rows cannot be read out.
    """
    _check(outcome, treated, probability, predicted, looks)
    refuse_level(level)
    if comparisons < 1:
        raise ValueError(f"comparisons is {comparisons}: expected the number of challengers, 1 or more")
    refuse_tuning(tuned_for)
    sums = running_sums(outcome, treated.astype(np.float64), probability, predicted)
    mean, deviation = sums.mean_and_deviation()
    at = np.asarray(looks, dtype=np.int64) - 1
    each = 1.0 - (1.0 - level) / comparisons
    radius = asymptotic_radius(sums.n[at], deviation[at], level=each, tuned_for=tuned_for)
    varied = _least_off_mode(outcome, treated, looks)
    return tuple(
        _look(float(mean[i]), float(r), int(i) + 1, int(off), each)
        for i, r, off in zip(at, radius, varied, strict=True)
    )


def _look(value: float, radius: float, n: int, off_mode: int, level: float) -> Estimate:
    early = off_mode < FEWEST_OFF_MODE
    radius = np.inf if early else radius
    says = f", too early: {off_mode} of {FEWEST_OFF_MODE} rows of an arm are off its commonest outcome" if early else ""
    return Estimate(value=value, low=value - radius, high=value + radius, n=n, method=METHOD + says, level=level)


def _least_off_mode(outcome: np.ndarray, treated: np.ndarray, looks: Sequence[int]) -> np.ndarray:
    """Return at each look (l,) the rows of an arm whose outcome is not its commonest one, in the arm with fewest."""
    _, codes = np.unique(outcome, return_inverse=True)
    return np.asarray(np.min([_off_mode(codes, treated == arm, looks) for arm in (0, 1)], axis=0))


def _off_mode(codes: np.ndarray, inside: np.ndarray, looks: Sequence[int]) -> list[int]:
    counts, off = np.zeros(int(codes.max()) + 1, dtype=np.int64), []
    for before, end in pairwise([0, *looks]):
        counts += np.bincount(codes[before:end][inside[before:end]], minlength=len(counts))
        off.append(int(counts.sum() - counts.max()))
    return off


def first_decided(looks: Sequence[Estimate]) -> Estimate | None:
    """Return the first look whose interval leaves out zero: stopping there is allowed. None when there is none yet."""
    return next((each for each in looks if each.excludes_zero()), None)


def refuse_tuning(tuned_for: int) -> None:
    """Raise ValueError when a sequence is tuned for no customers."""
    if tuned_for < 1:
        raise ValueError(f"tuned_for is {tuned_for}: expected a number of customers, 1 or more")


def refuse_level(level: float) -> None:
    """Raise ValueError when a level is no share."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}: expected above 0 and below 1, such as 0.95")


def _check(
    outcome: np.ndarray, treated: np.ndarray, probability: float, predicted: np.ndarray, looks: Sequence[int]
) -> None:
    doubts = [
        (not np.isfinite(outcome).all(), "outcome", "is not known of some customers: expected mature outcomes only",
         "leave open outcomes out until they are mature"),
        (not np.isin(treated, (0, 1)).all(), "treated", "is not 0 or 1 everywhere: expected two arms",
         "read out one challenger at a time against the champion"),
        (not 0.0 < probability < 1.0, "probability", f"is {probability}: expected above 0 and below 1",
         "give the share of the treated arm among the two arms"),
        (not all(1 <= each <= len(outcome) for each in looks), "looks",
         f"are {list(looks)}: expected numbers of customers from 1 to {len(outcome)}", "look at rows that are there"),
        (any(later < earlier for earlier, later in pairwise(looks)), "looks",
         f"are {list(looks)}: expected them in order", "give the earliest look first"),
        (not np.isfinite(predicted).all(), "predicted", "is no finite number for some customers: expected one for each",
         "predict every customer, or give zeros"),
    ]  # fmt: skip
    findings = [
        Finding(code="OP657", source="read-out", subject=subject, message=message, next_step=step)
        for wrong, subject, message, step in doubts
        if wrong
    ]
    if findings:
        raise BadInput(findings)
