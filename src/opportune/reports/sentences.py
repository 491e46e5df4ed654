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
    """Return the first sentence of the page: what the plan was worth, with its interval, or that nothing is known."""
    plan = told.certificate if told.horizon is None else told.horizon["listed"]
    reach = _reach(told, plan)
    if not told.judged:
        return f"{reach} It is forecast to be worth {amount(plan['value'])} {told.currency}. {_not_judged(told)}"
    rows = told.estimates(RAW, METHOD, differences=False)
    row = next(row for row in rows if row["policy"] == told.evidence["plan"])
    return (
        f"{reach} On the outcomes of the list it was worth {interval(row)} {told.currency} per listed customer "
        "(95 % interval)."
    )


def _reach(told: Artefacts, plan: dict[str, Any]) -> str:
    """Return how many customers are reached, and with how many offers where customers have several opportunities."""
    customers, reached = told.evidence["customers"], told.evidence["reached"]
    if customers == plan["opportunities"]:
        return f"The plan reaches {plan['offered']:,.0f} of {customers:,} customers."
    offers = f"{plan['offered']:,.0f} offers at {plan['opportunities']:,} opportunities"
    return f"The plan reaches {reached:,} of {customers:,} customers, with {offers}."


def _not_judged(told: Artefacts) -> str:
    known = told.evidence["rows"]
    if not known:
        return "No outcome of this list is known yet, so there is no evidence."
    return f"The outcomes of {known:,} of its decisions are known, too few to judge it by: there is no evidence yet."


def verdicts(told: Artefacts, shown: bool) -> list[str]:
    """Return the differences of the headline that are shown, or those that are not."""
    held = [each for each in told.evidence["verdicts"] if (each["shown"] != "nothing") == shown]
    return [_verdict(told, each) for each in held]


def _verdict(told: Artefacts, verdict: dict[str, Any]) -> str:
    policy, against = verdict["policy"], verdict["against"]
    raw, capped = (
        next(
            row
            for row in told.estimates(measure, METHOD, differences=True)
            if (row["policy"], row["against"]) == (policy, against)
        )
        for measure in (RAW, CAPPED)
    )
    words = {"more": "“{}” earned more than “{}”", "less": "“{}” earned less than “{}”",
             "nothing": "that “{}” earns more than “{}”"}[verdict["shown"]]  # fmt: skip
    said = words.format(told.says(policy), told.says(against))
    return f"{said}: {interval(raw)} {told.currency}, capped {interval(capped)}."


def missing(told: Artefacts) -> str | None:
    """Return who of the list could not be judged, or None when everyone was."""
    evidence = told.evidence
    if not told.judged or not evidence["immature"] + evidence["undecided"]:
        return None
    if evidence["completed"]:
        return (
            f"{evidence['completed']:,} of {evidence['rows']:,} decisions about the list have no observed outcome yet. "
            f"Each counts as what known ones like it come to: {evidence['completed_by']} The error of that is in the "
            f"intervals. {evidence['undecided']:,} opportunities of the list have no decision and are left out."
        )
    return (
        f"{evidence['immature']:,} decisions about the list have no observed outcome, and {evidence['undecided']:,} of "
        "its opportunities have no decision. They are left out: if who is missing depends on what happened, the "
        "figures are biased."
    )


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
    if row["realised"] is None:
        return None
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
