"""Logged decisions joined to their opportunities and outcomes: what teaches, and what is judged."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import AsOf, BadInput, Finding
from opportune.evaluation import estimate_propensities
from opportune.features import feature_column
from opportune.offers import Catalogue
from opportune.workflow.frames import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine

KEYS = frozenset({"decision_id", "opportunity_id", "customer_id", "slot"})


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of an interval, ordered by opportunity, as arrays of length n.

    ``step`` is the catalogue's offer that was logged, -1 outside the catalogue; ``probability`` (n, K) is the logging
    policy's P(offer), given in the table ``probabilities`` or estimated within ``stratum``. ``terms`` and ``outcomes``
    map names to numbers (NaN: not known or not applicable); ``immature`` counts decisions left out because their
    outcome was not yet observed.
    """

    decision_id: np.ndarray
    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    stratum: np.ndarray
    band: np.ndarray
    cluster: np.ndarray
    step: np.ndarray
    probability: np.ndarray
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
                "probability",
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
    rows = engine.query(_sql(outcome_columns, catalogue, cluster, _stratum(engine), start, until))
    mature = np.asarray(rows["observed_until"].cast("int64").to_numpy()) <= observed_by.at.timestamp() * 1e6
    if not mature.any():
        raise BadInput([_nothing(start, until, observed_by, len(mature))])
    whole = _from_rows(engine, rows, outcome_columns, catalogue, int(np.sum(~mature)))
    return whole if mature.all() else whole.take(mature)


def _sql(outcome_columns: list[str], catalogue: Catalogue, cluster: str, stratum: str, start: AsOf, until: AsOf) -> str:
    outcomes = ", ".join(f'u."{name}"' for name in outcome_columns)
    return f"""
        SELECT d.decision_id, d.opportunity_id, d.customer_id, d.slot, {stratum} AS stratum, u.observed_until,
            o."{catalogue.price.band}" AS band, o."{cluster}" AS cluster,
            d."{catalogue.price.term}" AS price, {outcomes}
        FROM decisions AS d
        JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id
        JOIN outcomes AS u ON u.decision_id = d.decision_id
        WHERE d.decided_at >= TIMESTAMPTZ '{start}' AND d.decided_at < TIMESTAMPTZ '{until}'
        ORDER BY d.opportunity_id"""


def _stratum(engine: "Engine") -> str:
    """Return the SQL of a decision's stratum; with known probabilities it is not needed."""
    return "d.stratum" if "stratum" in engine.columns("decisions") else "NULL::VARCHAR"


def _from_rows(
    engine: "Engine", rows: "pa.Table", outcome_columns: list[str], catalogue: Catalogue, immature: int
) -> History:
    band, price = texts(rows, "band"), feature_column(rows, "price")
    step = catalogue.step_of(band, price)
    names = ("decision_id", "opportunity_id", "customer_id", "slot", "cluster")
    probability, stratum = _probabilities(engine, rows, step, catalogue)
    return History(
        **{name: texts(rows, name) for name in names},
        stratum=stratum,
        band=band,
        step=step,
        probability=probability,
        terms={catalogue.price.term: price},
        outcomes={name: feature_column(rows, name) for name in outcome_columns},
        immature=immature,
    )


def _probabilities(
    engine: "Engine", rows: "pa.Table", step: np.ndarray, catalogue: Catalogue
) -> tuple[np.ndarray, np.ndarray]:
    """Return P(offer) (n, K) and the stratum (n,) within which offers were drawn at random.

    Known probabilities make their own strata: decisions with the same ones were drawn alike.
    """
    if "probabilities" in engine.tables():
        known = _known(engine, texts(rows, "decision_id"), catalogue)
        return known, np.array([" ".join(f"{p:.6f}" for p in row) for row in known], dtype=object)
    if rows["stratum"].null_count:
        raise BadInput([_no_stratum(rows["stratum"].null_count)])
    stratum = texts(rows, "stratum")
    return estimate_propensities(step, stratum, len(catalogue.offer_ids)), stratum


def _known(engine: "Engine", decision_id: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    """Return the probabilities (n, K) that the project gives; an offer that it does not name has zero."""
    given = engine.query("SELECT decision_id, offer_id, probability FROM probabilities")
    row_of = {decision: row for row, decision in enumerate(decision_id)}
    column_of = {offer: k for k, offer in enumerate(catalogue.offer_ids)}
    unknown = sorted(set(given["offer_id"].to_pylist()) - set(column_of))
    if unknown:
        raise BadInput([_unknown_offer(unknown[0], catalogue)])
    known = np.zeros((len(decision_id), len(column_of)))
    for decision, offer, probability in zip(*(each.to_pylist() for each in given.columns), strict=True):
        if decision in row_of:
            known[row_of[decision], column_of[offer]] = probability
    return known


def _unknown_offer(offer: str, catalogue: Catalogue) -> Finding:
    message = f"holds {offer!r}, which the catalogue does not have: expected one of {', '.join(catalogue.offer_ids)}"
    step = "name the steps of offers.toml"
    return Finding(code="OP607", source="tables/probabilities.sql", subject="offer_id", message=message, next_step=step)


def _no_stratum(count: int) -> Finding:
    message = f"is null in {count} decisions: expected the group within which the offer was drawn"
    step = "name the stratum in tables/decisions.sql, or give tables/probabilities.sql"
    return Finding(code="OP817", source="tables/decisions.sql", subject="stratum", message=message, next_step=step)


def _nothing(start: AsOf, until: AsOf, observed_by: AsOf, made: int) -> Finding:
    message = f"of {made} decisions from {start} to {until}, none has an outcome observed by {observed_by}"
    return Finding(
        code="OP806", source="opportune.toml", subject="time", message=f"{message}: expected some",
        next_step="widen the interval, or set labels_as_of to when outcomes are known",
    )  # fmt: skip
