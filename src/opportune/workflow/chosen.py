"""Who is chosen: shares of the list that the plan reaches, by a group and by fifths of a number."""

from typing import Any

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.workflow.listed import Listed

PARTS = 5


def chosen(listed: Listed) -> list[dict[str, Any]]:
    """Return per group and fifth: customers, share planned, and mean planned price; empty when nothing is declared.

    BadInput (OP814) when the second of ``chosen_by`` is text.
    """
    declared = listed.settings.evidence.chosen_by
    if declared is None:
        return []
    group_name, number_name = declared
    groups, numbers = listed.facts.values[group_name].astype(str), listed.facts.values[number_name]
    if numbers.dtype == object:
        raise BadInput([_not_a_number(number_name)])
    parts = _parts(numbers)
    return [
        _row(listed, str(group), order, label, rows)
        for group in np.unique(groups)
        for order, (label, held) in enumerate(parts)
        if (rows := held & (groups == group)).any()
    ]


def _parts(numbers: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return labelled masks of equal parts of the list by a number; those without it are a part of their own."""
    known = ~np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, PARTS + 1))) if known.any() else np.zeros(0)
    part = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, max(len(edges) - 2, 0))
    masks = [known & (part == k) for k in range(max(len(edges) - 1, 1))]
    found = [(_label(numbers[mask]), mask) for mask in masks if mask.any()]
    return found + ([("not known", ~known)] if not known.all() else [])


def _not_a_number(name: str) -> Finding:
    message = f"ends with {name!r}, which is text: expected a text and then a number"
    step = "write the two the other way round, or name another feature"
    return Finding(code="OP814", source="evidence.toml", subject="chosen_by", message=message, next_step=step)


def _label(numbers: np.ndarray) -> str:
    return f"{numbers.min():g} to {numbers.max():g}"


def _row(listed: Listed, group: str, order: int, label: str, rows: np.ndarray) -> dict[str, Any]:
    prices = listed.planned_price(rows)
    reached = rows & (listed.planned[None] >= 0)
    customers, planned = (int(listed.first_of_each(each).sum()) for each in (rows, reached))
    return {
        "group": group, "order": order, "part": label, "customers": customers, "planned": planned,
        "share_planned": planned / customers, "mean_price": float(prices.mean()) if len(prices) else None,
    }  # fmt: skip
