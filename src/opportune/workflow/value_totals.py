"""Sums of lifetime value over the loans of a file, by cohort."""

from typing import Any

import msgspec
import numpy as np

from opportune.economics import USES, LifetimeValue


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the loans of one cohort, money: lines undiscounted, and the three measures."""

    cohort: str
    loans: int
    gmv: float
    principal: float
    lines: dict[str, float]
    uses: dict[str, float]
    rltc: float
    contribution: float
    objective: float


MEASURES = ("rltc", "contribution", "objective")


def measures_of(valued: LifetimeValue) -> dict[str, np.ndarray]:
    """Return the measures per loan: RLTC and contribution undiscounted, and the objective, which is discounted."""
    return {
        "rltc": valued.rltc(discounted=False),
        "contribution": valued.contribution(discounted=False),
        "objective": valued.objective(),
    }


class Sums:
    """Running sums per cohort."""

    def __init__(self, volume: float) -> None:
        self._volume = volume
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
                held[column] += float(sums[column][i]) * self._volume

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
