"""A table as a policy over the rows of a log: ``decision_id, offer_id, probability``, from anything in Arrow."""

from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.domain import NO_OFFER_ID, Finding
from opportune.evaluation._arrow import (
    SHOWN,
    arrow_table,
    column_numbers,
    counted,
    filled,
    offer_codes,
    raise_all,
)
from opportune.evaluation.logged import LoggedDecisions, refuse_unpredicted
from opportune.evaluation.policies import SUM_TOLERANCE, AsLogged, FixedOffers, Judged
from opportune.evaluation.support import refuse_other_shape

if TYPE_CHECKING:
    import pyarrow as pa


def as_policy(given: Any, logged: LoggedDecisions) -> Judged:
    """Return a policy over the rows of a log, from itself, from any policy of the protocol, or from a table."""
    if isinstance(given, AsLogged | FixedOffers):
        return given
    if hasattr(given, "probabilities"):
        return FixedOffers(given.name, given.probabilities(logged.eligible))
    return read_policy(given, logged)


def as_predictions(given: Any, logged: LoggedDecisions) -> np.ndarray | None:
    """Return predictions (n, K), from themselves or from a table, which need not name offers that are not eligible."""
    if given is None:
        return None
    predicted = given if isinstance(given, np.ndarray) else _read_predictions(given, logged)
    refuse_other_shape("outcome_model", predicted, logged.probability.shape)
    refuse_unpredicted(logged, predicted)
    return predicted


def _read_predictions(given: Any, logged: LoggedDecisions) -> np.ndarray:
    """Return the predictions of a table. BadInput of strangers (OP615), and of pairs that are there twice or not at all
    (OP627).
    """
    table = arrow_table(given, ("decision_id", "offer_id", "prediction"), "predictions")
    rows, columns, findings = _places(table, logged, "predictions")
    times = np.zeros(logged.probability.shape, dtype=np.int64)
    placed = (rows >= 0) & (columns >= 0)
    np.add.at(times, (rows[placed], columns[placed]), 1)
    tests = (
        ((logged.eligible & (times == 0)).any(axis=1), "have an eligible offer without a prediction", "predict each"),
        ((times > 1).any(axis=1), "have two predictions of one offer", "keep one row per decision and offer"),
    )
    findings += [
        counted("OP627", "predictions", "prediction", logged.decision_id[bad], says, step)
        for bad, says, step in tests if bad.any()
    ]  # fmt: skip
    raise_all(findings)
    return filled(rows, columns, column_numbers(table, "prediction"), logged.probability.shape)


def read_policy(given: Any, logged: LoggedDecisions, name: str = "policy") -> FixedOffers:
    """Return the policy of a table ``decision_id, offer_id, probability``. BadInput (OP611, OP615, OP616).

    Every decision of the log needs its offers, with ``NO_OFFER`` among them where nothing may be offered, and
    probabilities that sum to 1.
    """
    table = arrow_table(given, ("decision_id", "offer_id", "probability"), name)
    rows, columns, findings = _places(table, logged, name)
    probability = column_numbers(table, "probability")
    total = np.bincount(rows[rows >= 0], probability[rows >= 0], len(logged))
    cells = rows * (len(logged.offer_ids) + 1) + columns
    twice = np.bincount(np.unique(cells, return_inverse=True)[1])[np.unique(cells, return_inverse=True)[1]] > 1
    ids = np.array(table["decision_id"].to_pylist(), dtype=object)
    tests = (
        (ids[~((probability >= 0) & (probability <= 1))], "have a probability outside 0 to 1", "give fractions"),
        (ids[twice & (rows >= 0)], "name an offer twice", "keep one row per decision and offer"),
        (logged.decision_id[~(np.abs(total - 1.0) <= SUM_TOLERANCE)], "have probabilities that do not sum to 1",
         "give every decision all its offers, and NO_OFFER what is left"),
    )  # fmt: skip
    findings += [counted("OP616", name, "probability", bad, says, step) for bad, says, step in tests if len(bad)]
    raise_all(findings)
    return FixedOffers(name, filled(rows, columns, probability, logged.probability.shape))


def _places(table: "pa.Table", logged: LoggedDecisions, source: str) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """Return the row and column of each pair of a table in the log (-1: none), and findings (OP615) about strangers.

    ``NO_OFFER`` has no column where the log has no decision of it, and is no stranger.
    """
    index = {str(decision): row for row, decision in enumerate(logged.decision_id)}
    decisions, offers = (table[name].to_pylist() for name in ("decision_id", "offer_id"))
    rows = np.array([index.get(str(each), -1) for each in decisions], dtype=np.int64)
    columns = offer_codes(offers, logged.offer_ids)
    strangers = (columns < 0) & np.array([each != NO_OFFER_ID for each in offers], dtype=bool)
    step = f"name decisions of the log and offers of {', '.join(logged.offer_ids[:SHOWN])}, ..."
    tests = (("decision_id", rows < 0, decisions), ("offer_id", strangers, offers))
    findings = [
        counted("OP615", source, name, np.array(held, dtype=object)[bad], "are not in the log", step)
        for name, bad, held in tests if bad.any()
    ]  # fmt: skip
    return rows, columns, findings
