"""Pacing: prices that follow what is spent, where traffic is not what was forecast.

A price rises where more was spent than planned and falls where less was, by bounded factors (multiplicative weights for
online allocation: Balseiro, Lu and Mirrokni 2023). It steers the mean and stops nothing: the last request of a day may
still pass a budget by its own use. A hard stop is where use is counted, in the ledger of reservations.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from opportune.allocation.online import PriceList
from opportune.domain import LimitRow, limit_rows

GAIN = 0.5
"""Ten per cent overspent raise a price by five. Where one per cent on the price takes e per cent off what is spent, the
error shrinks by the factor |1 - GAIN e| an update: no swing up to e = 2, and stable below e = 4."""
STEP = 0.25
"""No update moves a price by more than a quarter: a wrong count cannot close a shop, and ten updates still make
a factor of nine."""
LEAST = 0.05
"""Share of what a unit is worth that is added before and taken off after. A price of zero could not rise otherwise, and
a twentieth of the worth of a unit changes few choices."""
HIGHEST = 10.0
"""Times what a unit is worth on average: above that hardly an offer is left to be made."""


def paced(
    prices: PriceList,
    spent: Mapping[str, float],
    planned: Mapping[str, float],
    worth: Mapping[str, float],
    *,
    gain: float = GAIN,
    step: float = STEP,
    least: float = LEAST,
    highest: float = HIGHEST,
) -> PriceList:
    """Return the prices for the next stretch of time, from what was spent in the last one against what was planned.

    With o = least worth, the price p of a row becomes (p + o) f - o, held between 0 and ``highest`` worth, and the
    soft price of a soft row, where f = (spent / planned)^gain, held between 1 / (1 + step) and 1 + step. Of a floor f
    is (planned / spent)^gain: what falls short must rise.

    Parameters
    ----------
    prices : the prices so far; those of rows that ``spent`` does not name stay. The window stays.
    spent : by row, the use since the last update, in units of the row's left side; of a ratio the sum of ``uses``.
    planned : by row, what was planned for that stretch, as ``still_planned`` tells; of a ratio its bound times the sum
        of ``per``. Zero or less: whatever is spent is too much.
    worth : by row, what a unit is worth on average, in money: the plan's value over its use of the row.
    """
    rows = {row.name: row for row in limit_rows(prices.places)}
    moved = {
        name: _moved(
            rows[name], prices.prices[name], _factor(rows[name], amount, planned[name], gain, step),
            least * worth[name], highest * worth[name],
        )
        for name, amount in spent.items()
    }  # fmt: skip
    return msgspec.structs.replace(prices, prices={**prices.prices, **moved})


def still_planned(limit: Mapping[str, float], spent: Mapping[str, float], share: float) -> dict[str, float]:
    """Return what to spend in the next stretch: ``share`` of what is left of each limit.

    ``share`` is that stretch's part of the traffic that is still to come, so the last one plans all that is left. What
    went wrong earlier is made up over the rest, and not at once.
    """
    return {name: max(limit[name] - amount, 0.0) * share for name, amount in spent.items()}


def _factor(row: LimitRow, spent: float, planned: float, gain: float, step: float) -> float:
    used, asked = (spent, planned) if row.side == "at_most" else (planned, spent)
    if asked <= 0.0:
        return 1.0 + step if used > 0.0 else 1.0
    return float(np.clip(max(used / asked, 0.0) ** gain, 1.0 / (1.0 + step), 1.0 + step))


def _moved(row: LimitRow, price: float, factor: float, offset: float, highest: float) -> float:
    top = highest if row.soft_price is None else min(highest, row.soft_price)
    return min(max((price + offset) * factor - offset, 0.0), top)
