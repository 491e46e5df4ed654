"""Logged decisions joined to their opportunities and outcomes: what teaches, and what is judged."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import AsOf, BadInput, Finding
from opportune.features import feature_column
from opportune.offers import Catalogue
from opportune.workflow.frames import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine

KEYS = frozenset({"decision_id", "opportunity_id", "customer_id", "slot"})


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of an interval, ordered by opportunity, as arrays of length n.

    ``step`` is the catalogue's offer that was logged, -1 outside the catalogue; ``terms`` and ``outcomes`` map names to
    numbers (NaN: not known or not applicable); ``immature`` counts decisions left out because their outcome was not
    yet observed.
    """

    decision_id: np.ndarray
    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    stratum: np.ndarray
    band: np.ndarray
    cluster: np.ndarray
    step: np.ndarray
    terms: dict[str, np.ndarray]
    outcomes: dict[str, np.ndarray]
    immature: int

    def __len__(self) -> int:
        return len(self.decision_id)

    def take(self, rows: np.ndarray) -> "History":
        """Return the history of the given rows (indices or mask)."""
        arrays = {
            name: getattr(self, name)[rows]
            for name in (
                "decision_id",
                "opportunity_id",
                "customer_id",
                "slot",
                "stratum",
                "band",
                "cluster",
                "step",
            )
        }
        return History(
            **arrays,
            terms={name: values[rows] for name, values in self.terms.items()},
            outcomes={name: values[rows] for name, values in self.outcomes.items()},
            immature=self.immature,
        )


def history(
    engine: "Engine", catalogue: Catalogue, cluster: str, start: AsOf, until: AsOf, observed_by: AsOf
) -> History:
    """Return the decisions made in [start, until) whose outcomes were observed by ``observed_by``."""
    outcome_columns = [name for name in engine.columns("outcomes") if name not in {*KEYS, "observed_until"}]
    rows = engine.query(_sql(outcome_columns, catalogue, cluster, start, until))
    mature = np.asarray(rows["observed_until"].cast("int64").to_numpy()) <= observed_by.at.timestamp() * 1e6
    if not mature.any():
        raise BadInput([_nothing(start, until, observed_by, len(mature))])
    if rows["stratum"].null_count:
        raise BadInput([_no_stratum(rows["stratum"].null_count)])
    whole = _from_rows(rows, outcome_columns, catalogue, int(np.sum(~mature)))
    return whole if mature.all() else whole.take(mature)


def _sql(outcome_columns: list[str], catalogue: Catalogue, cluster: str, start: AsOf, until: AsOf) -> str:
    outcomes = ", ".join(f'u."{name}"' for name in outcome_columns)
    return f"""
        SELECT d.decision_id, d.opportunity_id, d.customer_id, d.slot, d.stratum, u.observed_until,
            o."{catalogue.price.band}" AS band, o."{cluster}" AS cluster,
            d."{catalogue.price.term}" AS price, {outcomes}
        FROM decisions AS d
        JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id
        JOIN outcomes AS u ON u.decision_id = d.decision_id
        WHERE d.decided_at >= TIMESTAMPTZ '{start}' AND d.decided_at < TIMESTAMPTZ '{until}'
        ORDER BY d.opportunity_id"""


def _from_rows(rows: "pa.Table", outcome_columns: list[str], catalogue: Catalogue, immature: int) -> History:
    band, price = texts(rows, "band"), feature_column(rows, "price")
    names = ("decision_id", "opportunity_id", "customer_id", "slot", "stratum", "cluster")
    return History(
        **{name: texts(rows, name) for name in names},
        band=band,
        step=catalogue.step_of(band, price),
        terms={catalogue.price.term: price},
        outcomes={name: feature_column(rows, name) for name in outcome_columns},
        immature=immature,
    )


def _no_stratum(count: int) -> Finding:
    message = f"is null in {count} decisions: expected the group within which the offer was drawn"
    step = "name the stratum in tables/decisions.sql; without it a logged offer has no probability"
    return Finding(code="OP817", source="tables/decisions.sql", subject="stratum", message=message, next_step=step)


def _nothing(start: AsOf, until: AsOf, observed_by: AsOf, made: int) -> Finding:
    message = f"of {made} decisions from {start} to {until}, none has an outcome observed by {observed_by}"
    return Finding(
        code="OP806", source="opportune.toml", subject="time", message=f"{message}: expected some",
        next_step="widen the interval, or set labels_as_of to when outcomes are known",
    )  # fmt: skip
