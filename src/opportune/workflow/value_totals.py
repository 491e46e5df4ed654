"""Sums of lifetime value over the loans of a file, by cohort, as assumed and under draws."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import RLTC_LINES, USES, LifetimeValue, Loans
from opportune.economics import Totals as PeriodTotals
from opportune.economics.uncertain import MEASURES, Draw, intervals, totals_under

LEVEL = 0.95


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the loans of one cohort, money: lines undiscounted, and the three measures.

    ``low`` and ``high``: the 95 % interval of each line and measure under draws of curves and assumptions; empty where
    nothing has a range.
    """

    cohort: str
    loans: int
    gmv: float
    principal: float
    lines: dict[str, float]
    uses: dict[str, float]
    rltc: float
    contribution: float
    economic_profit: float
    low: dict[str, float] = {}
    high: dict[str, float] = {}


def measures_of(valued: LifetimeValue) -> dict[str, np.ndarray]:
    """Return the measures per loan: RLTC and contribution undiscounted, and economic profit, which is discounted."""
    return {
        "rltc": valued.rltc(discounted=False),
        "contribution": valued.contribution(discounted=False),
        "economic_profit": valued.economic_profit(),
    }


class Sums:
    """Running sums per cohort, block by block."""

    def __init__(self) -> None:
        self.loans: dict[str, int] = {}
        self._amounts: dict[str, dict[str, float]] = {}

    def add(self, cohort: np.ndarray, principal: np.ndarray, valued: LifetimeValue) -> None:
        """Add loans (n,) to their cohorts (n,)."""
        columns = {**valued.value.lines, **valued.value.uses, **measures_of(valued), "principal": principal}
        names, place = np.unique(cohort.astype(str), return_inverse=True)
        counts = np.bincount(place)
        sums = {column: np.bincount(place, values) for column, values in columns.items()}
        for i, name in enumerate(names.tolist()):
            self.loans[name] = self.loans.get(name, 0) + int(counts[i])
            held = self._amounts.setdefault(name, dict.fromkeys(columns, 0.0))
            for column in columns:
                held[column] += float(sums[column][i])

    def totals(self, name: str | None, said: str) -> Totals:
        """Return the sums of one cohort, or of all where ``name`` is None, told under the name ``said``."""
        rows = [self._amounts[each] for each in ([name] if name is not None else sorted(self._amounts))]
        amounts: dict[str, Any] = {column: sum(row[column] for row in rows) for column in rows[0]}
        uses = {use: amounts.pop(use) for use in USES}
        measures = {measure: amounts.pop(measure) for measure in MEASURES}
        count = self.loans[name] if name is not None else sum(self.loans.values())
        principal = amounts.pop("principal")
        return Totals(
            cohort=said, loans=count, gmv=uses["gmv"], principal=principal, lines=amounts, uses=uses, **measures
        )


class DrawnSums:
    """Running sums per cohort under each of the draws; without draws nothing is told."""

    def __init__(self, draws: Sequence[Draw]) -> None:
        self._draws = draws
        self._names: tuple[str, ...] = ()
        self._totals: dict[str, np.ndarray] = {}

    def add(self, cohort: np.ndarray, loans: Loans) -> None:
        """Add loans (n,) to their cohorts (n,)."""
        if not self._draws:
            return
        names, place = np.unique(cohort.astype(str), return_inverse=True)
        self._names, totals = totals_under(loans, self._draws, place, len(names))
        for i, name in enumerate(names.tolist()):
            self._totals[name] = self._totals.get(name, 0.0) + totals[:, i]

    def told(self, totals: Totals, name: str | None) -> Totals:
        """Return the totals of one cohort, or of all where ``name`` is None, with their intervals."""
        if not self._draws:
            return totals
        drawn = sum(self._totals.values()) if name is None else self._totals[name]
        assumed = {**totals.lines, **{name: getattr(totals, name) for name in MEASURES}}
        low, high = intervals(np.asarray(drawn), LEVEL)
        return msgspec.structs.replace(
            totals,
            low={name: min(float(low[i]), assumed[name]) for i, name in enumerate(self._names)},
            high={name: max(float(high[i]), assumed[name]) for i, name in enumerate(self._names)},
        )


def period_totals(cohorts: Sequence[Totals], booked: float) -> PeriodTotals:
    """Return what `bridge` takes of a valued file: its cohorts as segments, beside the RLTC ``booked`` for the period.

    BadInput (OP456) for a file that was valued without cohorts.
    """
    if not cohorts:
        message, step = "are none: expected the totals of each segment", "value the file with --cohort COLUMN"
        raise BadInput([Finding(code="OP456", source="totals", subject="cohorts", message=message, next_step=step)])
    return PeriodTotals(
        segments=tuple(each.cohort for each in cohorts),
        gmv=np.array([each.gmv for each in cohorts]),
        lines={name: np.array([each.lines[name] for each in cohorts]) for name in RLTC_LINES},
        booked=booked,
    )
