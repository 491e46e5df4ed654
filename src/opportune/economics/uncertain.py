"""How sure a value is: the total under draws of curves and of assumptions."""

from collections.abc import Callable, Iterable

import numpy as np

from opportune.domain import Estimate
from opportune.economics.curves import Curves
from opportune.economics.lifetime import LifetimeValue, lifetime_value
from opportune.economics.lifetime_assumptions import LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.numerics import generator, percentile_interval

Measure = Callable[[LifetimeValue], np.ndarray]


def value_estimate(
    loans: Loans,
    curves: Curves,
    drawn: Iterable[Curves],
    assumptions: LifetimeAssumptions,
    measure: Measure,
    *,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Return the total of a measure over all loans, with the interval that draws of curves and assumptions give.

    ``drawn`` are curves of a posterior (`FittedCurves.draws`); each meets one draw of the assumptions that have a
    range. ``measure`` takes a value to money per loan (n,), such as its contribution. The interval tells how far the
    curves and assumptions may be off, not how far chance moves this book.
    """
    rng = generator(seed, "assumptions")
    total = float(np.sum(measure(lifetime_value(loans, curves, assumptions))))
    totals = [float(np.sum(measure(lifetime_value(loans, each, assumptions.drawn(rng))))) for each in drawn]
    low, high = percentile_interval(np.array(totals), level)
    return Estimate(
        value=total, low=min(low, total), high=max(high, total), n=len(loans), level=level,
        method=f"{len(totals)} draws of curves and assumptions",
    )  # fmt: skip
