"""Fairness tables: who the plan reaches and at which price, by groups that no model, price or limit ever saw."""

from collections.abc import Collection
from typing import Any

import numpy as np

from opportune.domain import AsOf
from opportune.numerics import bootstrap_totals, cluster_sums, percentile_interval
from opportune.workflow.listed import Listed


def fairness(listed: Listed) -> list[dict[str, Any]]:
    """Return per declared group: customers, share planned with its interval, and mean price of those planned."""
    return [row for name, sql in listed.settings.evidence.fairness.items() for row in _table(listed, name, sql)]


def _table(listed: Listed, name: str, sql: str) -> list[dict[str, Any]]:
    labels = _labels(listed, name, sql)
    return [_row(listed, name, group, labels == group) for group in sorted(set(labels))]


def _labels(listed: Listed, name: str, sql: str) -> np.ndarray:
    """Return each row's group; customers for whom the expression is null form a group of their own."""
    query = group_sql(sql, listed.settings.plan_at, listed.engine.columns("customers"))
    rows = listed.engine.query(query, "evidence.toml", f"fairness.{name}")
    of = dict(zip(rows["customer_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
    return np.array([of.get(customer, "not known") for customer in listed.batch.customer_id], dtype=object)


def group_sql(sql: str, at: AsOf, columns: Collection[str]) -> str:
    """Return the query of each customer's group, from an SQL expression over customers as known at an instant.

    ``columns`` are those of customers. Of several rows the latest that had arrived counts; later ones are the future.
    """
    arrived = f" AND arrived_at <= TIMESTAMPTZ '{at}'" if "arrived_at" in columns else ""  # null: not known yet
    known = f"""SELECT * FROM customers WHERE known_from <= TIMESTAMPTZ '{at}'{arrived}
        QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY known_from DESC) = 1"""
    return f"SELECT customer_id, coalesce(CAST(({sql}) AS VARCHAR), 'not known') AS label FROM ({known}) AS customers"


def _row(listed: Listed, name: str, group: str, rows: np.ndarray) -> dict[str, Any]:
    customers, reached = listed.first_of_each(rows), listed.first_of_each(rows & (listed.planned[None] >= 0))
    sums = cluster_sums(np.column_stack([reached, customers]).astype(np.float64), listed.cluster())
    spec, seed = listed.settings.evidence, listed.settings.identity.seed
    totals = bootstrap_totals(sums, spec.replicates, seed, "fairness")
    held = totals[totals[:, 1] > 0]
    low, high = percentile_interval(held[:, 0] / held[:, 1], 0.95)
    prices = listed.planned_price(rows)
    return {
        "by": name, "group": group, "customers": int(customers.sum()),
        "share_planned": float(reached.sum() / customers.sum()),
        "low": low, "high": high, "mean_price": float(prices.mean()) if len(prices) else None,
    }  # fmt: skip
