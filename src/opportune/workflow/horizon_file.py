"""Horizon file: what a plan of list and forecast does for the list, and in each week, surface and segment."""

from pathlib import Path

import msgspec
import numpy as np

from opportune.domain import Candidates, LimitRow, Plan, limit_rows
from opportune.tables import write_json
from opportune.workflow.forecast_rows import ForecastRow
from opportune.workflow.horizon import Seen
from opportune.workflow.horizon_told import ForecastPart, HorizonTold, Part
from opportune.workflow.places import places_within
from opportune.workflow.settings import Horizon

SAYS = (
    "The certificate is about the list and the forecast together: its value, bound and gap, what each limit uses, and "
    "the prices. The plan itself has rows for the list alone."
)


def write_horizon(horizon: Horizon, directory: Path, seen: Seen, options: Candidates, made: Plan) -> None:
    """Write ``horizon.json`` of a plan of what is seen, whose offers are ``options``."""
    part_of = np.concatenate([np.zeros(seen.listed, dtype=np.int64), 1 + seen.row_of])
    parts = _parts(part_of, 1 + len(seen.rows), options, made)
    of_list = options.rows(slice(seen.listed))
    told = HorizonTold(
        says=SAYS,
        weeks=horizon.weeks,
        segment=horizon.segment,
        listed=parts[0],
        forecast=tuple(_forecast_part(row, part) for row, part in zip(seen.rows, parts[1:], strict=True)),
        rows=_uses_of_rows(of_list, seen.of_list(made)),
    )
    write_json(directory / "horizon.json", told)


def _parts(part_of: np.ndarray, count: int, options: Candidates, made: Plan) -> list[Part]:
    """Return the sums of each part, of opportunities that each belong to the one that ``part_of`` (n,) says."""

    def sums(amounts: np.ndarray) -> np.ndarray:
        return np.bincount(part_of, weights=_planned(made, amounts), minlength=count)

    sizes = np.bincount(part_of, minlength=count)
    offered, value = sums(np.ones(options.value.shape)), sums(options.value)
    uses = {name: sums(amounts) for name, amounts in options.uses.items()}
    return [
        Part(
            opportunities=int(sizes[k]),
            offered=float(offered[k]),
            value=float(value[k]),
            uses={name: float(each[k]) for name, each in uses.items()},
        )
        for k in range(count)
    ]


def _forecast_part(row: ForecastRow, part: Part) -> ForecastPart:
    return ForecastPart(week=row.week, surface=row.surface, segment=row.segment, **msgspec.structs.asdict(part))


def _planned(made: Plan, amounts: np.ndarray) -> np.ndarray:
    """Return what the plan expects of some amounts (n, K) of offers for each opportunity (n,)."""
    if made.probability is not None:
        return np.asarray(np.sum(made.probability * amounts, axis=1))
    chosen = amounts[np.arange(len(amounts)), np.maximum(made.choice, 0)]
    return np.where(made.choice >= 0, chosen, 0.0)


def _uses_of_rows(options: Candidates, made: Plan) -> dict[str, float]:
    places = places_within(made.places, options.attributes)
    codes = [each.codes(options.attributes) for each in places]
    return {row.name: _used(row, codes[row.source], options, made) for row in limit_rows(places)}


def _used(row: LimitRow, codes: np.ndarray | None, options: Candidates, made: Plan) -> float:
    about = row.multiplier(codes)

    def total(resource: str) -> float:
        amounts = _planned(made, options.uses[resource])
        return float(np.sum(amounts if about is None else about * amounts))

    used = row.opening + total(row.uses)
    if row.per is None:
        return used
    below = row.opening_per + total(row.per)
    return used / below if below else 0.0
