"""The logging policy: how likely each offer was, as the project gives it or as shares within strata."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Finding
from opportune.evaluation import estimate_propensities
from opportune.offers import Catalogue
from opportune.workflow.frames import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine


class LoggingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """``probability`` (n, K) of each offer, ``alone`` (n,) of none, ``outside`` (n,) of one outside the catalogue.

    They add up to one. ``stratum`` (n,): within it offers were drawn at random.
    """

    probability: np.ndarray
    alone: np.ndarray
    outside: np.ndarray
    stratum: np.ndarray


def stratum_sql(engine: "Engine") -> str:
    """Return the SQL of a decision's stratum; with known probabilities it is not needed."""
    return "d.stratum" if "stratum" in engine.columns("decisions") else "NULL::VARCHAR"


def logging_policy(
    engine: "Engine", rows: "pa.Table", step: np.ndarray, left_alone: np.ndarray, catalogue: Catalogue
) -> LoggingPolicy:
    """Return the logging policy of decisions: from the table ``probabilities`` if there is one, else by stratum.

    ``step`` (n,) is the logged offer, -1 outside the catalogue and where the mask ``left_alone`` says none. Known
    probabilities make their own strata: decisions with the same ones were drawn alike.
    """
    if "probabilities" in engine.tables():
        known = _known(engine, texts(rows, "decision_id"), catalogue)
        strata = np.array([" ".join(f"{p:.6f}" for p in row) for row in known], dtype=object)
        return LoggingPolicy(**_split(known), outside=np.zeros(len(known)), stratum=strata)
    if rows["stratum"].null_count:
        raise BadInput([_no_stratum(rows["stratum"].null_count)])
    stratum = texts(rows, "stratum")
    offers = len(catalogue.offer_ids)
    shares = _split(estimate_propensities(np.where(left_alone, offers, step), stratum, offers + 1))
    rest = 1.0 - shares["probability"].sum(axis=1) - shares["alone"]
    return LoggingPolicy(**shares, outside=np.maximum(rest, 0.0), stratum=stratum)


def _split(probability: np.ndarray) -> dict[str, np.ndarray]:
    """Return the probabilities (n, K + 1) of the catalogue's offers, and that of none behind them."""
    return {"probability": np.ascontiguousarray(probability[:, :-1]), "alone": probability[:, -1]}


def _known(engine: "Engine", decision_id: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    """Return the probabilities (n, K + 1) that the project gives, of none last; what it does not name has zero."""
    given = engine.query("SELECT decision_id, offer_id, probability FROM probabilities")
    row_of = {decision: row for row, decision in enumerate(decision_id)}
    column_of = {offer: k for k, offer in enumerate((*catalogue.offer_ids, NO_OFFER_ID))}
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
    step = f"name the steps of offers.toml, or {NO_OFFER_ID}"
    return Finding(code="OP607", source="tables/probabilities.sql", subject="offer_id", message=message, next_step=step)


def _no_stratum(count: int) -> Finding:
    message = f"is null in {count} decisions: expected the group within which the offer was drawn"
    step = "name the stratum in tables/decisions.sql, or give tables/probabilities.sql"
    return Finding(code="OP817", source="tables/decisions.sql", subject="stratum", message=message, next_step=step)
