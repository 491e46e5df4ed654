"""Verdicts: what the evidence shows of a difference, and what it does not. They follow from the figures alone."""

from collections.abc import Sequence
from typing import Any, Literal

from opportune.workflow.trial import CAPPED, RAW

Shown = Literal["more", "less", "nothing"]
METHOD = "dr"


def verdicts(estimates: Sequence[dict[str, Any]], headline: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return each declared difference that is estimated with what is shown of it.

    ``more`` or ``less`` only where both intervals, of the measure and of the capped measure, lie on that side of zero:
    a difference that a few customers carry is not shown.
    """
    return [
        {"policy": policy, "against": against, "shown": _shown(rows)}
        for policy, against in headline
        if (rows := _rows(estimates, policy, against))
    ]


def _rows(estimates: Sequence[dict[str, Any]], policy: str, against: str) -> list[dict[str, Any]]:
    of = {(row["policy"], row["against"], row["measure"], row["method"]): row for row in estimates}
    return [of[key] for measure in (RAW, CAPPED) if (key := (policy, against, measure, METHOD)) in of]


def _shown(rows: Sequence[dict[str, Any]]) -> Shown:
    if all(row["low"] > 0 for row in rows):
        return "more"
    return "less" if all(row["high"] < 0 for row in rows) else "nothing"
