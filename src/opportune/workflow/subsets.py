"""The contribution of takers again, on declared subsets of them.

Whether an open decision ends in the subset, and with what, is not yet known. It enters by the completion that the
project declares, as everywhere in the evidence: takers are often known first, and they alone would flatter the figure.
"""

from typing import Any

import numpy as np

from opportune.domain import Finding
from opportune.evaluation import total_of
from opportune.numerics import bootstrap_totals, cluster_sums, percentile_interval
from opportune.workflow.evidence_spec import WhatIfSubset
from opportune.workflow.trial import Trial

SOURCE = "evidence.toml"


def subset_contributions(trial: Trial) -> list[dict[str, Any]]:
    """Return, for all takers and for each declared subset, contribution per taker and arrears per money lent."""
    taken = (trial.past.outcomes["took_up"] == 1) & ~trial.past.left_alone
    rows = [_row(trial, "all takers", "everyone who took up a logged offer", taken)]
    for subset in trial.settings.evidence.subset:
        rows.append(_row(trial, subset.name, subset.says, taken & _where(trial, subset)))
    return rows


def _where(trial: Trial, subset: WhatIfSubset) -> np.ndarray:
    """Return the rows (n,) of a subset. BadInput when it is not SQL over decisions and outcomes."""
    picked = trial.listed.engine.query(subset_sql(subset.where), SOURCE, f"subset '{subset.name}'.where")
    found = set(picked["decision_id"].to_pylist())
    return np.array([each in found for each in trial.past.decision_id])


def empty_subsets(trial: Trial, rows: list[dict[str, Any]]) -> list[Finding]:
    """Return a finding for each declared subset of which nothing can be told: a wrong condition, or it is too early."""
    where = {subset.name: subset.where for subset in trial.settings.evidence.subset}
    return [
        Finding(
            code="OP815", source=SOURCE, subject=f"subset '{row['name']}'.where", severity="warning",
            message=f"holds no taker of the planned list where {where[row['name']]}: expected some",
            next_step="correct it, or wait for more outcomes",
        )
        for row in rows[1:]
        if not row["takers"]
    ]  # fmt: skip


def subset_sql(where: str) -> str:
    """Return the query of the decisions that a condition on decisions `d` and outcomes `u` picks."""
    joined = "decisions d JOIN outcomes u ON u.decision_id = d.decision_id"
    return f"SELECT d.decision_id FROM {joined} WHERE {where}"


def _row(trial: Trial, name: str, says: str, rows: np.ndarray) -> dict[str, Any]:
    contribution = trial.logged.outcome["contribution_per_customer"]
    lost, lent = (trial.uses[use] for use in ("expected_loss", "amount_lent"))
    return {
        "name": name,
        "says": says,
        "takers": int(rows.sum()),
        "contribution_per_taker": _ratio(trial, name, rows, contribution, np.ones(len(rows))),
        "arrears_per_lent": None if _no_loss(trial, rows) else _ratio(trial, name, rows, lost, lent),
    }


def _no_loss(trial: Trial, rows: np.ndarray) -> bool:
    """Return whether none of the known takers of a mask (n,) is in arrears: that does not say that none will be."""
    return not trial.uses["expected_loss"][rows & trial.past.known].any()


def _ratio(trial: Trial, name: str, rows: np.ndarray, above: np.ndarray, below: np.ndarray) -> dict[str, float] | None:
    """Return a ratio of sums over a mask (n,) with its interval, over the draws that hold anybody; None of nobody."""
    top, bottom = (total_of(_known_of(trial, rows, amounts), trial.completion) for amounts in (above, below))
    if not bottom.whole() > 0:
        return None
    sums = cluster_sums(np.column_stack([top.columns, bottom.columns]), trial.logged.cluster)
    spec, seed = trial.settings.evidence, trial.settings.identity.seed
    totals = bootstrap_totals(sums, spec.replicates, seed, f"subset {name}")
    of_top, of_bottom = np.split(totals, [top.columns.shape[1]], axis=1)
    drawn, there = top.value(of_top), bottom.value(of_bottom)
    low, high = percentile_interval(drawn[there > 0] / there[there > 0], 0.95)
    return {"value": top.whole() / bottom.whole(), "low": low, "high": high}


def _known_of(trial: Trial, rows: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return the amounts (n,) of a mask, zero outside it, NaN where the outcome is not yet known."""
    return np.where(trial.past.known, np.where(rows, amounts, 0.0), np.nan)
