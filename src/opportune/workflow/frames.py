"""Checked tables read back from ``out`` as batches of opportunities, logged steps and outcomes."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from opportune.domain import AsOf, BadInput, Facts, Finding, Opportunities
from opportune.features import facts_of, feature_column

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine
    from opportune.workflow.settings import Settings

FIXED = ("opportunity_id", "customer_id", "slot", "at", "surface", "stage")


def open_tables(out: Path, directory: Path, *, reads_files: bool = True) -> "Engine":
    """Return an engine that holds every checked table of ``out/tables`` under its name.

    Where it ``reads_files`` not, SQL reads these tables alone.
    """
    import pyarrow.parquet as pq

    from opportune.tables import Engine

    engine = Engine(directory, reads_files=reads_files)
    for path in sorted((out / "tables").glob("*.parquet")):
        engine.register(path.stem, pq.read_table(path))
    return engine


def context_columns(settings: "Settings") -> set[str]:
    """Return the columns of opportunities that the project names, such as price band, cluster and those of limits.

    Others pass through the tables and are read by nothing, whatever their type.
    """
    named = [name for names in settings.limit_columns.values() for name in names]
    named += [feature.context for feature in settings.features.values() if feature.context is not None]
    named += [settings.horizon.segment] if settings.horizon else []
    return {settings.catalogue.price.band, settings.identity.cluster, *named}


def opportunities_at(engine: "Engine", at: AsOf, columns: Collection[str]) -> Opportunities:
    """Return the opportunities of one instant with the named ``columns`` as context, ordered by id.

    BadInput when there are none.
    """
    rows = engine.query(f"SELECT * FROM opportunities WHERE \"at\" = TIMESTAMPTZ '{at}' ORDER BY opportunity_id")
    if rows.num_rows == 0:
        raise BadInput([_no_opportunities(at)])
    return batch_of(rows, at, columns)


def batch_of(rows: "pa.Table", at: AsOf, columns: Collection[str]) -> Opportunities:
    """Return rows of the table `opportunities`, at least one, as a batch with the named ``columns`` as context."""
    context = [name for name in rows.column_names if name in columns and name not in FIXED]
    return Opportunities(
        opportunity_id=texts(rows, "opportunity_id"),
        customer_id=texts(rows, "customer_id"),
        slot=texts(rows, "slot"),
        surface=texts(rows, "surface"),
        stage=rows["stage"][0].as_py(),
        at=at,
        context={name: feature_column(rows, name) for name in context},
    )


def _no_opportunities(at: AsOf) -> Finding:
    return Finding(
        code="OP805", source="opportune.toml", subject="time.plan_at",
        message=f"is {at}, and no opportunity is dated so: expected the list to plan",
        next_step="set plan_at to an instant of the column `at` in tables/opportunities.sql",
    )  # fmt: skip


def read_facts(out: Path, names: list[str], ids: np.ndarray, as_of: AsOf) -> Facts:
    """Return the computed features of the given opportunities, in their order."""
    import pyarrow.parquet as pq

    path = out / "features" / "features.parquet"
    facts = facts_of(pq.read_table(path), names, as_of)
    return facts.take(positions(facts.opportunity_id, ids, "features/features.parquet"))


def positions(known: np.ndarray, wanted: np.ndarray, source: str) -> np.ndarray:
    """Return where each wanted id stands among the known ones. BadInput (OP819) when one is not there."""
    index = {each: row for row, each in enumerate(known)}
    missing = [each for each in wanted if each not in index]
    if missing:
        message = f"does not hold {len(missing)} of {len(wanted)} opportunities ({', '.join(map(str, missing[:3]))})"
        step = "run `opportune run` again: these results belong to another list"
        subject = "opportunity_id"
        raise BadInput([Finding(code="OP819", source=source, subject=subject, message=message, next_step=step)])
    return np.array([index[each] for each in wanted], dtype=np.int64)


def texts(table: "pa.Table", name: str) -> np.ndarray:
    """Return a text column as an array of objects."""
    return np.array(table[name].to_pylist(), dtype=object)
