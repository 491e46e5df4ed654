"""Checks of assumptions: units that the formulas expect, and values that fit their unit."""

from collections.abc import Iterator

from opportune.domain import Finding
from opportune.economics.assumptions import Assumption, Assumptions, Scenario

UNITS = {
    "funding": "fraction per year",
    "servicing": "per month",
    "mailing": "per letter",
    "loss_weight": "lost per",
}
"""What the unit of each assumption must say, because the formulas of `flat_loans` reckon with it."""


def check_assumptions(assumptions: Assumptions) -> list[Finding]:
    """Return findings about units and about values that their unit makes impossible."""
    findings = [
        finding for name, words in UNITS.items() for finding in _unit_findings(name, getattr(assumptions, name), words)
    ]
    return [*findings, *_scenario_findings(assumptions.scenario)]


def _scenario_findings(scenario: Scenario) -> Iterator[Finding]:
    if scenario.prepay != 1.0:
        message = f"is {scenario.prepay:g}: expected 1, because these loans have no prepayment in their value"
        yield _finding("OP404", f"scenario '{scenario.name}'.prepay", message, "leave it out")


def _unit_findings(name: str, given: Assumption, words: str) -> Iterator[Finding]:
    if words not in given.unit:
        message = f"is {given.unit!r}: expected a unit that says {words!r}, because the formula reckons with it"
        yield _finding("OP402", f"{name}.unit", message, "convert the value, then write the unit")
    elif words.startswith("fraction") and given.value >= 1.0:
        message = f"is {given.value:g}: expected a fraction below 1. Did you mean {given.value / 100:g}?"
        yield _finding("OP403", f"{name}.value", message, "write per cent as a fraction, 14 % as 0.14")


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="economics.toml", subject=subject, message=message, next_step=step)
