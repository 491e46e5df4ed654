"""A value: lines of expected money, and uses of each limited resource."""

from typing import Literal

import msgspec
import numpy as np

Basis = Literal["lifetime", "period"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of money and uses of resources, each an array of one shape, (n,) or (n, K).

    Costs are negative lines, so the total is the plain sum. ``basis`` is required: lifetime is for deciding,
    period is for the books. Money is in major units of ``currency``.
    """

    lines: dict[str, np.ndarray]
    uses: dict[str, np.ndarray]
    basis: Basis
    currency: str

    def total(self) -> np.ndarray:
        """Return the sum of the lines, added in their order so that one row and many give the same bits."""
        columns = iter(self.lines.values())
        total = next(columns).astype(np.float64, copy=True)
        for line in columns:
            total += line
        return total
