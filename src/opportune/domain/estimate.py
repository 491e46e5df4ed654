"""An estimate: a number that was inferred, never without its interval, its sample and its method."""

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A value with an interval (``level``, by default 95 %), the number of rows behind it and how it was got.

    ``effective_n`` is the effective sample size after weighting, (sum w)^2 / sum w^2; None where nothing is weighted.
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    level: float = 0.95
    effective_n: float | None = None

    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly on one side of zero."""
        return self.low > 0.0 or self.high < 0.0
