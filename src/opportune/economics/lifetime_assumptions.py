"""The assumptions behind lifetime value: what money costs, what serving costs, and scenarios that differ."""

import math
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.assumptions import AS_ASSUMED, Assumption, Scenario

CapitalIs = Literal["hurdle", "cash"]


UNITS = {
    "cost_of_funds": "fraction per year", "advance_rate": "fraction", "capital_ratio": "fraction",
    "cost_of_equity": "fraction per year", "discount_rate": "fraction per year", "origination": "per loan",
    "processing_per_payment": "per payment", "processing_share": "fraction", "servicing": "per month",
    "servicing_fee": "fraction per year", "late_fee": "per late payment", "late_share": "fraction",
    "contact": "per contact", "acquisition": "per loan",
}  # fmt: skip
"""What the unit of each figure must say."""


class LifetimeAssumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Figures by the units of ``UNITS``.

    ``capital_is`` says whether the cost of equity capital is ``cash`` that is paid, and so part of contribution, or a
    ``hurdle`` that is charged in the objective only: a plan with a limit on capital must not be charged twice.
    ``terms`` holds constants of loan terms that a file does not have. ``scenario`` lists those that can be asked for;
    ``in_scenario`` is the one that holds.
    """

    currency: str
    capital_is: CapitalIs
    cost_of_funds: Assumption
    advance_rate: Assumption
    capital_ratio: Assumption
    cost_of_equity: Assumption
    discount_rate: Assumption
    origination: Assumption
    processing_per_payment: Assumption
    processing_share: Assumption
    servicing: Assumption
    servicing_fee: Assumption
    late_fee: Assumption
    late_share: Assumption
    contact: Assumption
    acquisition: Assumption
    terms: dict[str, float] = {}
    scenario: tuple[Scenario, ...] = ()
    in_scenario: Scenario = AS_ASSUMED

    def figure(self, name: str) -> float:
        """Return a figure's value."""
        return float(getattr(self, name).value)

    @property
    def has_ranges(self) -> bool:
        """Whether some figure is uncertain: has a low and a high."""
        return any(figure.low is not None for figure in self._figures().values())

    def under(self, name: str) -> "LifetimeAssumptions":
        """Return the assumptions in the scenario of that name. BadInput (OP454) for a name that none has."""
        for scenario in self.scenario:
            if scenario.name == name:
                return msgspec.structs.replace(self, in_scenario=scenario)
        known = ", ".join(scenario.name for scenario in self.scenario) or "none"
        message = f"is no scenario: expected one of {known}"
        raise BadInput([_finding("OP454", name, message, "write it as a [[scenario]], or name another")])

    def drawn(self, rng: np.random.Generator) -> "LifetimeAssumptions":
        """Return the assumptions with every uncertain figure drawn from its range; no fraction is above 1."""
        normals = rng.standard_normal(len(UNITS))
        moved = {
            name: msgspec.structs.replace(figure, value=figure.drawn(float(normal), _most(name)), low=None, high=None)
            for (name, figure), normal in zip(self._figures().items(), normals, strict=True)
        }
        return msgspec.structs.replace(self, **moved)

    def _figures(self) -> Mapping[str, Assumption]:
        return {name: getattr(self, name) for name in UNITS}


def _most(name: str) -> float:
    return 1.0 if UNITS[name].startswith("fraction") else math.inf


def check_lifetime_assumptions(given: LifetimeAssumptions) -> list[Finding]:
    """Return findings about units that the formulas do not reckon with (OP402), and fractions above 1 (OP403)."""
    findings = []
    for name, words in UNITS.items():
        figure = getattr(given, name)
        if words not in figure.unit:
            message = f"is {figure.unit!r}: expected a unit that says {words!r}, because the formula reckons with it"
            findings.append(_finding("OP402", f"{name}.unit", message, "convert the value, then write the unit"))
        else:
            findings += _above_one(name, figure)
    return findings


def _above_one(name: str, figure: Assumption) -> Iterator[Finding]:
    for part in ("value", "high"):
        amount = getattr(figure, part)
        if amount is not None and amount > _most(name):
            message = f"is {amount:g}: expected a fraction. Did you mean {amount / 100:g}?"
            yield _finding("OP403", f"{name}.{part}", message, "write per cent as a fraction, 14 % as 0.14")


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="assumptions", subject=subject, message=message, next_step=step)
