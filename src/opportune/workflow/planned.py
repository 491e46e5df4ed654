"""A plan read back from its artefacts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.allocation import PriceList
from opportune.domain import AsOf, Certificate
from opportune.workflow.horizon_told import HorizonTold, read_horizon
from opportune.workflow.places import read_places
from opportune.workflow.steps import read_json

if TYPE_CHECKING:
    import pyarrow as pa


class PlannedList(msgspec.Struct, frozen=True, kw_only=True):
    """A finished plan: its certificate and the price of each limit; ``choices`` has one row per opportunity.

    ``horizon`` tells the list from the forecast that was planned with it; None of a plan of the list alone.
    """

    certificate: Certificate
    prices: dict[str, float]
    holdout: dict[str, Any]
    horizon: HorizonTold | None
    path: Path

    @property
    def choices(self) -> "pa.Table":
        """The table `plan` as Arrow: opportunity, customer, slot, offer, probability, value and uses."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path)

    def price_list(self, valid_from: AsOf, valid_until: AsOf) -> PriceList:
        """Return the prices of the limits, to decide single requests by from one instant and before another.

        BadInput (OP513) for a window that has no instant.
        """
        places = read_places(self.path.parent.parent)
        return PriceList(prices=self.prices, places=places, valid_from=valid_from, valid_until=valid_until)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the choices to anything that speaks Arrow (Polars, DuckDB, pandas) without a copy."""
        return self.choices.__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """Return the choices as a pandas frame whose columns are Arrow's own memory; needs pandas."""
        import pandas as pd

        return self.choices.to_pandas(types_mapper=pd.ArrowDtype)

    def to_polars(self) -> Any:
        """Return the choices as a Polars frame over Arrow's memory; needs polars."""
        import polars as pl

        return pl.DataFrame(self)

    def __repr__(self) -> str:
        return f"PlannedList({self.certificate.title()})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook, from the certificate alone."""
        del include, exclude
        return {"text/plain": repr(self), "text/html": self.certificate.html()}


def read_planned(out: Path) -> PlannedList:
    """Return the plan that lies in ``out/plan``."""
    content = read_json(out / "plan" / "certificate.json")
    prices = content.pop("prices")
    certificate = msgspec.convert(content, Certificate)
    holdout = read_json(out / "plan" / "holdout.json")
    return PlannedList(
        certificate=certificate, prices=prices, holdout=holdout, horizon=read_horizon(out),
        path=out / "plan" / "plan.parquet",
    )  # fmt: skip


def released_plan(out: Path) -> Path | None:
    """Return the folder of the plan that the last release was sealed with; None when nothing was released."""
    latest = out / "releases" / "latest.json"
    return plan_of_release(out / "releases" / str(read_json(latest)["hash"])) if latest.is_file() else None


def plan_of_release(release: Path) -> Path | None:
    """Return the folder of the plan that a release folder was sealed with; None when it is no release."""
    folder = release.parent / "plans" / release.name
    return folder if folder.is_dir() else None
