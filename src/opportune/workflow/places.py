"""The values that the limits of a plan have rows for: all of the plan, and those of a list that was planned in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from opportune.domain import Places, places_of


def read_places(out: Path) -> tuple[Places, ...]:
    """Return the limits of the plan in ``out`` with the values that they have rows for."""
    return msgspec.json.decode((out / "plan" / "places.json").read_bytes(), type=tuple[Places, ...])


def places_within(places: Sequence[Places], attributes: Mapping[str, np.ndarray]) -> tuple[Places, ...]:
    """Return the places of a plan that some of its opportunities have, counted among them alone.

    A limit by a value or period that none of them has is left out.
    """
    found = places_of([each.limit for each in places], [attributes])
    return tuple(mine for mine, all_ in zip(found, places, strict=True) if set(mine.labels) <= set(all_.labels))
