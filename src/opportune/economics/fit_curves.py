"""Curves from a book: hazards and recoveries by segment, with the counts and intervals behind them."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from opportune.domain import BadInput
from opportune.economics.book import read_book
from opportune.economics.check_censoring import check_censoring
from opportune.economics.curves import Curves
from opportune.economics.exposure import Exposure, exposure_of
from opportune.economics.fit_hazards import FittedHazards, Prior, draw_hazards, fit_hazards
from opportune.economics.fit_recovery import Recoveries, fit_recovery
from opportune.numerics.keyed import generator


class FittedCurves(msgspec.Struct, frozen=True, kw_only=True):
    """Curves with what stands behind them: counts, intervals, strengths of prior (``hazards``) and ``recoveries``."""

    curves: Curves
    hazards: FittedHazards
    recoveries: Recoveries

    @property
    def exposure(self) -> Exposure:
        """Counts at risk, of defaults and of prepayments (S, T)."""
        return self.hazards.exposure

    def draws(self, draws: int, seed: int) -> Iterator[Curves]:
        """Yield curves drawn from the posterior, keyed by ``seed``: value under them tells how far it can be off.

        Recoveries vary in their total, not in their timing. A fault of the model itself is in no draw.
        """
        rng = generator(seed, "curves.recovery")
        known = self.recoveries
        for default, prepay in draw_hazards(self.hazards, draws, seed, "curves.hazards"):
            total = np.clip(known.total + known.deviation * rng.standard_normal(len(known.total)), 0.0, 1.0)
            recovery = total[:, None] * known.timing
            yield msgspec.structs.replace(self.curves, default=default, prepay=prepay, recovery=recovery)


def fit_curves(
    loans: Any,
    payments: Any,
    *,
    by: tuple[str, ...],
    charge_off_lag: int,
    recovery_timing: np.ndarray | None = None,
    prior: Prior | None = None,
    level: float = 0.95,
) -> FittedCurves:
    """Return the curves of a book by the columns ``by``, coarse to fine: a segment is shrunk to the one it refines.

    ``loans`` and ``payments`` are tables as `book` describes them. ``charge_off_lag``: months from the first missed
    payment to charge-off. ``recovery_timing`` (R,): shares by month after charge-off; None takes it from the months of
    the recoveries. BadInput (OP434 to OP437) with every finding, and (OP439) where the last ``charge_off_lag`` months
    hold loans and no defaults.
    """
    book = read_book(loans, payments, by)
    if findings := check_censoring(book, charge_off_lag):
        raise BadInput(findings)
    hazards = fit_hazards(exposure_of(book), prior=prior, level=level)
    recoveries = fit_recovery(book, charge_off_lag=charge_off_lag, timing=recovery_timing, level=level)
    curves = Curves(
        segments=hazards.exposure.segments,
        default=hazards.default.mean,
        prepay=hazards.prepay.mean,
        recovery=recoveries.share,
        charge_off_lag=charge_off_lag,
    )
    return FittedCurves(curves=curves, hazards=hazards, recoveries=recoveries)
