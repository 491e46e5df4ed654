"""The assumptions behind a loan's value, each with its unit and its source."""

import math

import msgspec


class Assumption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure that the data do not hold: what it is, in which unit, and where it comes from."""

    value: float
    unit: str
    source: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or self.value < 0:
            raise ValueError(f"value is {self.value}: expected a finite number, zero or more")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A world that differs from the forecast: ``loss`` multiplies expected arrears, ``funding`` the cost of funds."""

    name: str
    says: str
    loss: float = 1.0
    funding: float = 1.0

    def __post_init__(self) -> None:
        for field in ("loss", "funding"):
            factor = getattr(self, field)
            if not math.isfinite(factor) or factor < 0:
                raise ValueError(f"{field} is {factor}: expected a finite factor, zero or more")


AS_ASSUMED = Scenario(name="as assumed", says="the forecasts and assumptions as they are")


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``funding``: fraction a year on the average balance; ``servicing``: money per month of term; ``mailing``: money
    per letter; ``loss_weight``: money lost per unit of average arrears. ``scenario`` holds for expectations only.
    """

    funding: Assumption
    servicing: Assumption
    mailing: Assumption
    loss_weight: Assumption
    scenario: Scenario = AS_ASSUMED


FIGURES = ("funding", "servicing", "mailing", "loss_weight")
"""The assumptions that economics.toml must give."""
