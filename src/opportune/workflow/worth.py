"""What a source of data is worth: how much worse the forecasts and the plan are without it, beside what it costs."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import Estimate
from opportune.numerics import bootstrap_totals, cluster_sums, percentile_interval, row_log_loss
from opportune.workflow.change import plan_change
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


class SourceWorth(msgspec.Struct, frozen=True, kw_only=True):
    """What is lost without a source.

    ``log_loss``: mean log loss of take-up without less with it, out of fold. ``value``: planned value with it less
    without, both plans valued by the models that have it. ``cost``: price of looking up every customer of the list.
    """

    source: str
    says: str
    features: tuple[str, ...]
    log_loss: Estimate
    value: Estimate
    pulls: int
    cost: float


def source_worth(settings: Settings, name: str, features: list[str], out: Path, without: Path) -> SourceWorth:
    """Return the worth of a source from two finished plans: ``out`` with it, ``without`` without it."""
    change = plan_change(without / "plan", out, ())
    source = settings.sources[name]
    return SourceWorth(
        source=name,
        says=source.says,
        features=tuple(features),
        log_loss=_log_loss(settings, out, without),
        value=change.value,
        pulls=change.customers,
        cost=change.customers * source.cost_per_pull,
    )


def _log_loss(settings: Settings, out: Path, without: Path) -> Estimate:
    with_it, without_it = (_read(folder) for folder in (out, without))
    lost = _row_losses(without_it) - _row_losses(with_it)
    columns = np.column_stack([lost, np.ones(len(lost))])
    sums = cluster_sums(columns, np.array(with_it["cluster"].to_pylist()))
    spec, seed = settings.evidence, settings.identity.seed
    totals = bootstrap_totals(sums, spec.replicates, seed, "worth of a source")
    low, high = percentile_interval(totals[:, 0] / totals[:, 1], 0.95)
    method = "out-of-fold difference, cluster bootstrap"
    return Estimate(value=float(lost.mean()), low=low, high=high, n=len(lost), method=method)


def _read(folder: Path) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.read_table(folder / "features" / "out_of_fold.parquet").sort_by("opportunity_id")


def _row_losses(table: "pa.Table") -> np.ndarray:
    return row_log_loss(table["observed"].to_numpy(), table["predicted"].to_numpy())
