"""Sentences: figures with their interval, and never more than the interval allows."""

from typing import Any

from opportune.reports.artefacts import Artefacts

RAW = "contribution_per_customer"
CAPPED = "contribution_per_customer_capped"
METHOD = "dr"


def interval(row: dict[str, Any]) -> str:
    """Return ``1.0 [-2.0, 4.0]``; from a thousand up without decimals."""
    digits = 1 if abs(row["value"]) < 1000 else 0
    return f"{row['value']:,.{digits}f} [{row['low']:,.{digits}f}, {row['high']:,.{digits}f}]"


def headline(told: Artefacts) -> str:
    """Return the first sentence of the page: what the plan was worth, with its interval."""
    policy, _ = told.headline
    plan = told.certificate
    row = next(row for row in told.estimates(RAW, METHOD, differences=False) if row["policy"] == policy)
    return (
        f"The plan reaches {plan['offered']:,} of {plan['opportunities']:,} customers. On the outcomes of the list "
        f"it was worth {interval(row)} {told.currency} per listed customer (95 % interval)."
    )


def verdict(told: Artefacts) -> str:
    """Return what the difference against the headline's rival does and does not show."""
    policy, against = told.headline
    pairs = [
        next(
            r
            for r in told.estimates(measure, METHOD, differences=True)
            if (r["policy"], r["against"]) == (policy, against)
        )
        for measure in (RAW, CAPPED)
    ]
    figures = (
        f"{interval(pairs[0])} {told.currency} per customer, and {interval(pairs[1])} with each customer's value capped"
    )
    return f"{_direction(pairs[0])} {told.says(policy)}, against {told.says(against)}: {figures}."


def _direction(row: dict[str, Any]) -> str:
    if row["low"] > 0:
        return "Earned more:"
    if row["high"] < 0:
        return "Earned less:"
    return "No evidence of a difference:"


def broken_limits(told: Artefacts) -> list[str]:
    """Return a sentence for each limit that held in the plan and, by the estimate, not in what happened."""
    return [
        f"The limit “{row['limit']}” was planned at {amount(row['planned'])} and came out at {amount(row['realised'])} "
        f"[{amount(row['low'])}, {amount(row['high'])}], beyond its bound of {amount(bound)}."
        for row in told.evidence["planned_against_realised"]
        if (bound := crossed_bound(row)) is not None
    ]


def crossed_bound(row: dict[str, Any]) -> float | None:
    """Return the bound that the realised use crossed, or None."""
    if row["at_most"] is not None and row["realised"] > row["at_most"]:
        return float(row["at_most"])
    if row["at_least"] is not None and row["realised"] < row["at_least"]:
        return float(row["at_least"])
    return None


def bound_of(row: dict[str, Any]) -> float | None:
    """Return the bound of a limit: its ceiling, or its floor where it has no ceiling."""
    bound: float | None = row["at_most"] if row["at_most"] is not None else row["at_least"]
    return bound


def plain(name: str) -> str:
    """Return a name as words: underscores read as spaces, and no offer as ``no offer``."""
    return name.replace("_", " ").lower() if name == "NO_OFFER" else name.replace("_", " ")


def amount(value: float | None) -> str:
    """Return a number with as many digits as its size needs."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:,.2f}"
