"""A plan of list and forecast by its parts, as ``plan/horizon.json`` tells it."""

from pathlib import Path

import msgspec

from opportune.workflow.steps import read_json


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some opportunities, the offers planned for them, their planned value and uses; with exploring, expectations."""

    opportunities: int
    offered: float
    value: float
    uses: dict[str, float]


class ForecastPart(Part, frozen=True, kw_only=True):
    """The part of one week (its Monday), surface and segment."""

    week: str
    surface: str
    segment: str


class HorizonTold(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of list and forecast by its parts. ``rows``: what the list alone uses of each limit that it has a row in.

    As in the certificate, a use includes the opening of its limit, and a ratio is one.
    """

    says: str
    weeks: int
    segment: str
    listed: Part
    forecast: tuple[ForecastPart, ...]
    rows: dict[str, float]


def read_horizon(out: Path) -> HorizonTold | None:
    """Return what ``out/plan/horizon.json`` tells; None of a plan of the list alone."""
    path = out / "plan" / "horizon.json"
    return msgspec.json.decode(path.read_bytes(), type=HorizonTold) if path.is_file() else None


def planned_uses(out: Path) -> dict[str, float]:
    """Return what the list of the plan in ``out`` uses of each limit, by row."""
    told = read_horizon(out)
    if told is not None:
        return told.rows
    return {row["name"]: row["used"] for row in read_json(out / "plan" / "certificate.json")["rows"]}
