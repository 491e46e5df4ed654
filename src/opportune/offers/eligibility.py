"""Eligibility: named conditions on facts; a customer who fails one gets no offer, and the reason is kept."""

import math

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding


class Eligibility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition on one fact. A missing fact fails: null is not a pass."""

    name: str
    fact: str
    reason: str
    at_most: float | None = None
    at_least: float | None = None
    one_of: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.at_most is None and self.at_least is None and self.one_of is None:
            raise ValueError(f"eligibility {self.name!r} asks nothing: expected at_most, at_least or one_of")
        for field in ("at_most", "at_least"):
            bound = getattr(self, field)
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"{field} of eligibility {self.name!r} is {bound}: expected a finite number")

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return a mask (n,) of the rows that meet the condition."""
        if self.one_of is not None:
            return np.asarray(np.isin(values, self.one_of))
        if values.dtype == object:
            raise BadInput([_text_finding(self)])
        held = np.asarray(~np.isnan(values))
        if self.at_most is not None:
            held &= values <= self.at_most
        if self.at_least is not None:
            held &= values >= self.at_least
        return held


def _text_finding(rule: Eligibility) -> Finding:
    message = f"compares {rule.fact!r} with a number, and it is text: expected one_of"
    subject = f"eligibility '{rule.name}'.fact"
    return Finding(
        code="OP206", source="offers.toml", subject=subject, message=message, next_step="use one_of, or a number"
    )


def eligible_rows(rules: tuple[Eligibility, ...], facts: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Return a mask (n,) of the rows that meet every rule."""
    held = np.ones(count, dtype=bool)
    for rule in rules:
        held &= rule.holds(facts[rule.fact])
    return held


def failed_reasons(rules: tuple[Eligibility, ...], facts: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Return the reasons of the rules that one customer (arrays of length 1) fails, in the order of the rules."""
    return tuple(rule.reason for rule in rules if not rule.holds(facts[rule.fact])[0])
