"""An estimate: a number that was inferred, never without its interval, its sample and its method."""

import msgspec

from opportune.domain.display import bundle, figure, html_table


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

    def __repr__(self) -> str:
        effective = "" if self.effective_n is None else f", effective n = {self.effective_n:,.0f}"
        interval = f"{figure(self.value)} [{figure(self.low)}, {figure(self.high)}]"
        return f"Estimate({interval}, {self.level:.0%}, n = {self.n:,}{effective}, {self.method})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook."""
        del include, exclude
        interval = f"[{figure(self.low)}, {figure(self.high)}]"
        cells = [figure(self.value), interval, f"{self.n:,}", self.method]
        return bundle(repr(self), html_table("", ["estimate", f"{self.level:.0%} interval", "n", "method"], [cells]))

    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly on one side of zero."""
        return self.low > 0.0 or self.high < 0.0
