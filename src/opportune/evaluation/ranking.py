"""A ranking that ranks: a value that is no number has no place in an order, and would get one silently."""

from collections.abc import Sequence

import numpy as np

from opportune.domain import BadInput, Finding

_SHOWN = 3


def refuse_not_numbers(columns: Sequence[tuple[str, np.ndarray]]) -> None:
    """Raise BadInput (OP661) about all named columns (n,) that hold values that are no finite numbers."""
    findings = [
        _finding(name, rows)
        for name, values in columns
        if len(rows := np.flatnonzero(~np.isfinite(np.asarray(values, dtype=np.float64))))
    ]
    if findings:
        raise BadInput(findings)


def refuse_share(share: np.ndarray | float) -> None:
    """Raise ValueError where a share of customers lies outside 0 to 1."""
    if not np.all((np.asarray(share) >= 0) & (np.asarray(share) <= 1)):
        raise ValueError(f"share is {share}: expected 0 to 1, such as 0.3 for the best 30 %")


def _finding(name: str, rows: np.ndarray) -> Finding:
    return Finding(
        code="OP661", source="ranking", subject=f"{name}, row {', '.join(map(str, rows[:_SHOWN]))}",
        message=f"{len(rows)} values are no finite numbers: expected one for each customer",
        next_step="give the value, or leave such customers out and count them",
    )  # fmt: skip
