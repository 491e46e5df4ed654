"""How sure a value is: totals by line and cohort under draws of curves and of assumptions."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.economics.curves import Curves, check_curves, check_drawn
from opportune.economics.lifetime import Allowance, LifetimeValue, refuse_unfit, valued_rows, walked
from opportune.economics.lifetime_assumptions import LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.numerics import generator

MEASURES = ("rltc", "contribution", "economic_profit")
"""What is told beside the lines; the lines, RLTC and contribution undiscounted, economic profit discounted."""


class ValueEstimates(msgspec.Struct, frozen=True, kw_only=True):
    """Totals (C, L) of C cohorts and L lines and measures, with the interval of each at ``level``; ``n`` (C,) loans.

    The last row is of all loans, named ``all``; a cohort may have that name too.
    """

    cohorts: tuple[str, ...]
    names: tuple[str, ...]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    level: float
    method: str

    def of(self, name: str, cohort: str | None = None) -> Estimate:
        """Return the estimate of one line or measure of one cohort, or of all loans where none is named."""
        row = len(self.cohorts) - 1 if cohort is None else self.cohorts.index(cohort)
        at = row, self.names.index(name)
        return Estimate(
            value=float(self.value[at]), low=float(self.low[at]), high=float(self.high[at]), n=int(self.n[at[0]]),
            level=self.level, method=self.method,
        )  # fmt: skip


def value_estimate(
    loans: Loans,
    curves: Curves,
    drawn: Iterable[Curves],
    assumptions: LifetimeAssumptions,
    *,
    seed: int,
    cohort: np.ndarray | None = None,
    level: float = 0.95,
) -> ValueEstimates:
    """Return the totals of every line and measure, over all loans (``all``) and by ``cohort`` (n,), with intervals.

    ``drawn`` are curves of a posterior (`FittedCurves.draws`), or the same curves again and again where they are taken
    as known; each meets one draw of the assumptions that have a range. The interval tells how far the curves and
    assumptions may be off, not how far chance moves this book. BadInput as of `value`, and of draws (OP430 to OP432):
    each has the segments and months of ``curves``.
    """
    if len(loans.shape) > 1:
        message = f"have shape {loans.shape}: expected (n,), because totals are over loans that are made"
        step = "take the offers that are made, or `in_one_row`"
        raise BadInput([Finding(code="OP450", source="loans", subject="loans", message=message, next_step=step)])
    refuse_unfit(loans, curves, assumptions)
    draws = list(paired(drawn, assumptions, seed))
    _refuse_unlike([each for each, _ in draws], curves)
    names, place = np.unique(np.full(len(loans), "all") if cohort is None else cohort.astype(str), return_inverse=True)
    told, totals = totals_under(loans, [(curves, assumptions), *draws], place, len(names))
    return estimates(tuple(names.tolist()), told, totals, np.bincount(place, minlength=len(names)), level)


def _refuse_unlike(drawn: Sequence[Curves], curves: Curves) -> None:
    findings = check_drawn(drawn, curves) or [finding for each in drawn for finding in check_curves(each)]
    if findings:
        raise BadInput(findings)


Draw = tuple[Curves, LifetimeAssumptions]


def paired(drawn: Iterable[Curves], assumptions: LifetimeAssumptions, seed: int) -> Iterator[Draw]:
    """Yield each of the curves with one draw of the assumptions, keyed by ``seed``: the same whatever the loans."""
    rng = generator(seed, "assumptions")
    for curves in drawn:
        yield curves, assumptions.drawn(rng)


def totals_under(
    loans: Loans, draws: Sequence[Draw], place: np.ndarray, cohorts: int, allowance: Allowance = "lifetime"
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return names and totals (D, C, L) of loans in cohorts ``place`` (n,) under each of D draws.

    Loans are walked anew only where curves or the rate of discount differ from those of the draw before.
    """
    totals, sums, before = [], np.zeros(0), None
    for curves, assumptions in draws:
        key = (id(curves), assumptions.figure("discount_rate"))
        if key != before:
            sums, before = walked(loans, curves, assumptions), key
        amounts = _amounts(valued_rows(loans, sums, assumptions, allowance))
        totals.append([np.bincount(place, each, cohorts) for each in amounts.values()])
        names = tuple(amounts)
    return names, np.array(totals).transpose(0, 2, 1)


def _amounts(valued: LifetimeValue) -> dict[str, np.ndarray]:
    plain = {name: getattr(valued, name)(discounted=False) for name in MEASURES[:2]}
    return {**valued.value.lines, **plain, MEASURES[2]: valued.economic_profit()}


def estimates(
    cohorts: tuple[str, ...], names: tuple[str, ...], totals: np.ndarray, n: np.ndarray, level: float
) -> ValueEstimates:
    """Return the estimates of totals (1 + D, C, L), the first as assumed; with the sum of all cohorts as ``all``."""
    if cohorts != ("all",):
        cohorts, n = (*cohorts, "all"), np.append(n, n.sum())
        totals = np.concatenate([totals, totals.sum(axis=1, keepdims=True)], axis=1)
    value, drawn = totals[0], totals[1:]
    low, high = (value, value) if not len(drawn) else intervals(drawn, level)
    return ValueEstimates(
        cohorts=cohorts, names=names, value=value, low=np.minimum(low, value), high=np.maximum(high, value), n=n,
        level=level, method=f"{len(drawn)} draws of curves and assumptions",
    )  # fmt: skip


def intervals(drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile intervals (...) of draws (D, ...)."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
    return low, high
