"""Read-out of an experiment: a difference of two arms that may be looked at every day and stopped at any look."""

from collections.abc import Sequence

import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.difference_sums import running_sums
from opportune.numerics import asymptotic_radius

METHOD = "asymptotic confidence sequence"


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
    number, and each interval has level 1 - (1 - level) / comparisons. BadInput (OP657) when rows cannot be read out.
    """
    _check(outcome, treated, probability, looks)
    sums = running_sums(outcome, treated.astype(np.float64), probability, predicted)
    mean, deviation = sums.mean_and_deviation()
    at = np.asarray(looks, dtype=np.int64) - 1
    each = 1.0 - (1.0 - level) / comparisons
    radius = asymptotic_radius(sums.n[at], deviation[at], level=each, tuned_for=tuned_for)
    return tuple(
        Estimate(value=float(mean[i]), low=float(mean[i] - r), high=float(mean[i] + r), n=int(i) + 1, method=METHOD,
                 level=each)
        for i, r in zip(at, radius, strict=True)
    )  # fmt: skip


def first_decided(looks: Sequence[Estimate]) -> Estimate | None:
    """Return the first look whose interval leaves out zero: stopping there is allowed. None when there is none yet."""
    return next((each for each in looks if each.excludes_zero()), None)


def _check(outcome: np.ndarray, treated: np.ndarray, probability: float, looks: Sequence[int]) -> None:
    doubts = [
        (not np.isfinite(outcome).all(), "outcome", "is not known of some customers: expected mature outcomes only",
         "leave open outcomes out until they are mature"),
        (not np.isin(treated, (0, 1)).all(), "treated", "is not 0 or 1 everywhere: expected two arms",
         "read out one challenger at a time against the champion"),
        (not 0.0 < probability < 1.0, "probability", f"is {probability}: expected above 0 and below 1",
         "give the share of the treated arm among the two arms"),
        (not all(1 <= each <= len(outcome) for each in looks), "looks",
         f"are {list(looks)}: expected numbers of customers from 1 to {len(outcome)}", "look at rows that are there"),
    ]  # fmt: skip
    findings = [
        Finding(code="OP657", source="read-out", subject=subject, message=message, next_step=step)
        for wrong, subject, message, step in doubts
        if wrong
    ]
    if findings:
        raise BadInput(findings)
