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


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``funding``: fraction a year on the average balance; ``servicing``: money per month of term; ``mailing``: money
    per letter; ``loss_weight``: money lost per unit of average arrears.
    """

    funding: Assumption
    servicing: Assumption
    mailing: Assumption
    loss_weight: Assumption
