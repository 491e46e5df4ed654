"""Charges: what the prices of limits ask for each unit of a resource, for given opportunities.

One definition for list, request and explanation. NumPy only: a service loads it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from opportune.domain import LimitRow, Places, limit_rows


def unit_charges(
    places: Sequence[Places], prices: Mapping[str, float], attributes: Mapping[str, np.ndarray]
) -> dict[str, float | np.ndarray]:
    """Return the charge per unit of each resource that the prices of limits amount to, for given opportunities.

    One number where limits are about all of them, else (n, 1). A value that was in no plan has no price: no charge.

    A row is linear in its resources: ``at_most`` charges ``price`` per unit of ``uses`` and pays back
    ``price x at_most`` per unit of ``per``; ``at_least`` does the opposite. So the rows add up per resource.
    """
    charges: dict[str, float | np.ndarray] = {}
    for row, price in priced_rows(places, prices, attributes):
        charges[row.uses] = charges.get(row.uses, 0.0) + price
        if row.per is not None:
            charges[row.per] = charges.get(row.per, 0.0) - price * row.bound
    return charges


def priced_rows(
    places: Sequence[Places], prices: Mapping[str, float], attributes: Mapping[str, np.ndarray]
) -> list[tuple[LimitRow, float | np.ndarray]]:
    """Return each row with its signed price per unit of use, one number or (n, 1): a floor pays for use."""
    codes = [each.codes(attributes) for each in places]
    found: list[tuple[LimitRow, float | np.ndarray]] = []
    for row in limit_rows(places):
        price, about = row.sign * prices.get(row.name, 0.0), row.multiplier(codes[row.source])
        found.append((row, price if about is None else price * about[:, None]))
    return found
