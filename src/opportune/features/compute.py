"""Feature values for a batch of opportunities or for one customer, from the same SQL."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from opportune.domain import AsOf, BadInput, Facts, Finding
from opportune.features.compile import KNOWN_AT_SUFFIX, compile_features
from opportune.features.declare import Feature

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine


def compute_features(engine: "Engine", features: Mapping[str, Feature]) -> "pa.Table":
    """Return one row per row of the engine's table ``opportunities``, ordered by its id.

    Each feature has a column and a ``__known_at`` column with the arrival of its newest fact. BadInput (OP111) naming
    the features that are infinite somewhere.
    """
    computed = engine.query(compile_features(features, _columns(engine, features)), "features.toml")
    infinite = [_infinite(name, computed) for name in features if _is_infinite(computed, name).any()]
    if infinite:
        raise BadInput(infinite)
    return computed


def _is_infinite(table: "pa.Table", name: str) -> np.ndarray:
    """Return the mask (n,) of the rows in which a feature is a number without an end; none where it is text."""
    values = feature_column(table, name)
    return np.zeros(len(values), dtype=bool) if values.dtype == object else np.isinf(values)


def _infinite(name: str, table: "pa.Table") -> Finding:
    rows = _is_infinite(table, name)
    first = table["opportunity_id"][int(np.argmax(rows))].as_py()
    message = f"is infinite in {int(rows.sum())} of {len(rows)} opportunities, such as {first}: expected finite numbers"
    step = "mend the column in the SQL of its table; where it means not known, write null"
    return Finding(code="OP111", source="features.toml", subject=name, message=message, next_step=step)


def _columns(engine: "Engine", features: Mapping[str, Feature]) -> dict[str, list[str]]:
    tables = {feature.table for feature in features.values() if feature.table is not None}
    return {table: engine.columns(table) for table in tables}


def facts_of(table: "pa.Table", names: list[str], as_of: AsOf) -> Facts:
    """Return the facts held in a table of computed features, at one instant, in the order of its rows."""
    return Facts(
        opportunity_id=table["opportunity_id"].to_numpy().astype(object),
        as_of=as_of,
        values={name: feature_column(table, name) for name in names},
        known_at={name: _instants(table, name + KNOWN_AT_SUFFIX) for name in names},
    )


def feature_column(table: "pa.Table", name: str) -> np.ndarray:
    """Return a column as float64 with NaN for missing, or as objects with None when it holds text.

    BadInput (OP110) naming the column when it is neither: a date, a list.
    """
    values = table[name].combine_chunks()
    if str(values.type) in ("string", "large_string", "string_view"):
        return np.array(values.to_pylist(), dtype=object)
    try:
        return np.asarray(values.cast("float64").to_numpy(zero_copy_only=False), dtype=np.float64)
    except NotImplementedError as error:  # Arrow has no such conversion
        raise BadInput([_neither(name, str(values.type))]) from error


def _neither(name: str, kind: str) -> Finding:
    message = f"is of type {kind}: expected a number or text"
    step = "turn it into one in the SQL of its table, such as a date into days by date_diff"
    return Finding(code="OP110", source="tables", subject=name, message=message, next_step=step)


def _instants(table: "pa.Table", name: str) -> np.ndarray:
    return np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False)).astype("datetime64[us]")
