"""A plan read back from its artefacts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.domain import Certificate
from opportune.workflow.steps import read_json

if TYPE_CHECKING:
    import pyarrow as pa


class PlannedList(msgspec.Struct, frozen=True, kw_only=True):
    """A finished plan: its certificate and the price of each limit; ``choices`` has one row per opportunity."""

    certificate: Certificate
    prices: dict[str, float]
    holdout: dict[str, Any]
    path: Path

    @property
    def choices(self) -> "pa.Table":
        """The table `plan`: opportunity, customer, slot, offer, probability, value and uses; ``.to_pandas()`` works."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path)


def read_planned(out: Path) -> PlannedList:
    """Return the plan that lies in ``out/plan``."""
    content = read_json(out / "plan" / "certificate.json")
    prices = content.pop("prices")
    certificate = msgspec.convert(content, Certificate)
    holdout = read_json(out / "plan" / "holdout.json")
    return PlannedList(certificate=certificate, prices=prices, holdout=holdout, path=out / "plan" / "plan.parquet")


def released_plan(out: Path) -> Path | None:
    """Return the folder of the plan that the last release was sealed with; None when nothing was released."""
    latest = out / "releases" / "latest.json"
    folder = out / "releases" / "plans" / str(read_json(latest)["hash"]) if latest.is_file() else None
    return folder if folder is not None and folder.is_dir() else None
