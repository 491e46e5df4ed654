"""Fairness tables: who the plan reaches and at which price, by groups that no model, price or limit ever saw."""

from typing import Any

import numpy as np

from opportune.numerics import bootstrap_totals, cluster_sums, percentile_interval
from opportune.workflow.trial import Trial


def fairness(trial: Trial) -> list[dict[str, Any]]:
    """Return per declared group: customers, share planned with its interval, and mean price of those planned."""
    return [row for name, sql in trial.settings.evidence.fairness.items() for row in _table(trial, name, sql)]


def _table(trial: Trial, name: str, sql: str) -> list[dict[str, Any]]:
    labels = _labels(trial, name, sql)
    return [_row(trial, name, group, labels == group) for group in sorted(set(labels))]


def _labels(trial: Trial, name: str, sql: str) -> np.ndarray:
    """Return each row's group; customers for whom the expression is null form a group of their own."""
    rows = trial.engine.query(group_sql(sql), "evidence.toml", f"fairness.{name}")
    of = dict(zip(rows["customer_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
    return np.array([of.get(customer, "not known") for customer in trial.past.customer_id], dtype=object)


def group_sql(sql: str) -> str:
    """Return the query of each customer's group, from an SQL expression over customers."""
    return f"SELECT customer_id, coalesce({sql}, 'not known') AS label FROM customers"


def _row(trial: Trial, name: str, group: str, rows: np.ndarray) -> dict[str, Any]:
    reached = rows & (trial.planned >= 0)
    sums = cluster_sums(np.column_stack([reached, rows]).astype(np.float64), trial.logged.cluster)
    spec, seed = trial.settings.evidence, trial.settings.identity.seed
    totals = bootstrap_totals(sums, spec.replicates, seed, "fairness")
    held = totals[totals[:, 1] > 0]
    low, high = percentile_interval(held[:, 0] / held[:, 1], 0.95)
    return {
        "by": name, "group": group, "customers": int(rows.sum()), "share_planned": float(reached.sum() / rows.sum()),
        "low": low, "high": high, "mean_price": _mean_price(trial, reached),
    }  # fmt: skip


def _mean_price(trial: Trial, reached: np.ndarray) -> float | None:
    if not reached.any():
        return None
    prices = next(iter(trial.rulebook.catalogue.terms(trial.past.band[reached]).values()))
    return float(np.mean(prices[np.arange(int(reached.sum())), trial.planned[reached]]))
