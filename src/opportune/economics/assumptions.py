"""The assumptions behind a loan's value, each with its unit and its source."""

import math

import msgspec


class Assumption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One figure that the data do not hold: what it is, in which unit, and where it comes from.

    ``low`` and ``high`` are its 95 % range where it is uncertain, ``value`` its median.
    """

    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or self.value < 0:
            raise ValueError(f"value is {self.value}: expected a finite number, zero or more")
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high: expected both or neither")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"low {self.low}, value {self.value}, high {self.high}: expected them in this order")
        if self.low is not None and self.high is not None and (self.low < 0 or not math.isfinite(self.high)):
            raise ValueError(f"low {self.low}, high {self.high}: expected finite numbers, zero or more")

    def drawn(self, normal: float, most: float = math.inf) -> float:
        """Return the figure at a standard normal draw, from zero to ``most``.

        Half of a normal distribution lies on either side of the value, each as wide as its side of the range: ``low``
        and ``high`` are 1.96 deviations away, so that 95 % of draws lie between them and half of the draws on either
        side of the value (Barlow 2003, "Asymmetric Systematic Errors", model 1). A draw beyond a bound is that bound,
        which leaves ``low`` and ``high`` where they are.
        """
        if self.low is None or self.high is None:
            return self.value
        width = self.high - self.value if normal > 0.0 else self.value - self.low
        return min(max(self.value + normal * width / 1.96, 0.0), most)


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A world that differs from the forecast, by what multiplies what is expected.

    ``loss``: arrears or default hazards. ``prepay``: prepayment hazards. ``funding``: the cost of funds. ``volume``:
    the number of loans.
    """

    name: str
    says: str
    loss: float = 1.0
    prepay: float = 1.0
    funding: float = 1.0
    volume: float = 1.0

    def __post_init__(self) -> None:
        for field in ("loss", "prepay", "funding", "volume"):
            factor = getattr(self, field)
            if not math.isfinite(factor) or factor < 0:
                raise ValueError(f"{field} is {factor}: expected a finite factor, zero or more")


AS_ASSUMED = Scenario(name="as assumed", says="the forecasts and assumptions as they are")


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``funding``: fraction a year on the average balance; ``servicing``: money per month of term; ``mailing``: money
    per letter; ``loss_weight``: money lost per unit of average arrears. ``scenario`` holds for expectations only;
    ``beside`` are those in which uses are wanted too, because some limit must hold in them.
    """

    funding: Assumption
    servicing: Assumption
    mailing: Assumption
    loss_weight: Assumption
    scenario: Scenario = AS_ASSUMED
    beside: tuple[Scenario, ...] = ()


FIGURES = ("funding", "servicing", "mailing", "loss_weight")
"""The assumptions that economics.toml must give."""
