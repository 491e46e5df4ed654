"""The limit that a frontier varies: which of its fields has the bound, and how its rows are told as one."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

from opportune.domain import Finding, Limit, Plan, limit_rows

Varied = Literal["at_most", "at_least", "within"]


def varied_field(limit: Limit) -> Varied | None:
    """Return the bound to vary: of a limit with a ceiling and a floor the ceiling; None with one for each value."""
    sides: tuple[Varied, ...] = ("at_most", "at_least", "within")
    return None if limit.amounts is not None else next(side for side in sides if getattr(limit, side) is not None)


def check_varied(limits: Sequence[Limit], name: str, bounds: Sequence[float]) -> list[Finding]:
    """Return findings where no frontier can be drawn: no such limit (OP804), or not with these bounds (OP514)."""
    limit = next((limit for limit in limits if limit.name == name), None)
    if limit is None:
        return [_unknown(name, [limit.name for limit in limits])]
    field = varied_field(limit)
    if field is None:
        message = "varies a limit with a bound for each value (amounts): expected one bound for all"
        step = f"write at_most in place of amounts of limit '{name}', or vary another limit"
        return [_finding("OP514", "frontier.limit", message, step)]
    if field == "within" and min(bounds, default=0.0) < 0.0:
        message = f"has {min(bounds):g} for `within` of limit '{name}': expected zero or more"
        return [_finding("OP514", "frontier.bounds", message, "a distance is not below zero: correct it")]
    return []


def told_as_one(plan: Plan, name: str) -> tuple[float, float]:
    """Return the use and the price of the limit ``name`` under a plan, over all its rows of the side that is varied.

    The price is the sum of the rows' prices: what it is worth to relax all of them by a unit of their left sides. The
    uses of sums are added; of ratios and of parity that of the row which lies nearest to the bound is told. Rows of
    scenarios have prices, and no use of their own.
    """
    limit = next(each.limit for each in plan.places if each.limit.name == name)
    both = varied_field(limit) == "within"
    mine = [
        row
        for row in limit_rows(plan.places)
        if plan.places[row.source].limit is limit and (both or row.side == varied_field(limit))
    ]
    reports = {row.name: row for row in plan.certificate.rows}
    used = [reports[row.name].used for row in mine if row.uses == limit.uses]
    return _use(limit, used), float(sum(reports[row.name].price for row in mine))


def _use(limit: Limit, used: Sequence[float]) -> float:
    if limit.within is not None:
        return max(abs(each) for each in used)
    if limit.per is not None:
        return max(used) if limit.at_most is not None else min(used)
    return float(sum(used))


def _unknown(name: str, known: Sequence[str]) -> Finding:
    near = get_close_matches(name, known, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known) or 'none'}."
    return _finding("OP804", "frontier.limit", f"is {name!r}, which is no limit. {hint}", "correct the name")


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="limits.toml", subject=subject, message=message, next_step=step)
