"""Why limits cannot hold: the few that conflict, what can be reached, and the cheapest way out of each."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

import msgspec
import numpy as np

from opportune.allocation.core import solve_core
from opportune.allocation.dual import smoothed_prices
from opportune.allocation.near import settled_prices
from opportune.allocation.prepare import Prepared
from opportune.allocation.problem import Problem
from opportune.allocation.repair import whole_shares
from opportune.allocation.shares import Shares, use_of
from opportune.domain import BrokenPromise, Finding, Limit, LimitRow, Reserved

REACHED = 1e-7
"""Least total excess, in scaled units, that counts as a conflict."""


def explain_conflict(prepared: Prepared, limits: Sequence[Limit], reserved: Mapping[str, Reserved]) -> BrokenPromise:
    """Return the error that names the limits which cannot hold together and the cheapest relaxation of each."""
    problem = prepared.problem(limits, reserved)
    hard = [source for source, limit in enumerate(limits) if limit.soft_price is None]
    conflict = _smallest(problem, hard)
    return BrokenPromise([_finding(problem, limits, conflict, source) for source in conflict])


def _smallest(problem: Problem, sources: list[int]) -> list[int]:
    """Return a set in conflict from which no limit can be taken: drop each in turn, keep it out if conflict remains."""
    kept = list(sources)
    for source in sources:
        without = {other for other in kept if other != source}
        if without and least_excess(problem, without, without)[0] > REACHED:
            kept = [other for other in kept if other != source]
    return kept


def least_excess(problem: Problem, kept: set[int], relaxed: set[int]) -> tuple[float, Shares | None]:
    """Return the least total scaled excess over the ``relaxed`` of the limits ``kept``, and whole shares that have it.

    Phase one of the simplex method by the solver's own means: values zero, and a soft price of one on each scaled row.
    Limits that are not kept may be passed for nothing.
    """
    prices_of = {True: 1.0, False: np.inf}
    cap = np.array([prices_of[row.source in relaxed] if row.source in kept else 0.0 for row in problem.rows])
    phase_one = msgspec.structs.replace(problem, pool=problem.pool.without_values(), cap=cap)
    linear = solve_core(phase_one, *settled_prices(phase_one, smoothed_prices(phase_one)))
    shares = whole_shares(phase_one, linear, REACHED, np.zeros(len(cap))) if linear.feasible else None
    if shares is None:
        return np.inf, None
    over = np.maximum(use_of(phase_one, shares) - problem.b, 0.0)
    return float(np.sum(over[cap > 0.0])), shares


def _finding(problem: Problem, limits: Sequence[Limit], conflict: list[int], source: int) -> Finding:
    limit = limits[source]
    others = [limits[other].name for other in conflict if other != source]
    with_others = f" together with {', '.join(others)}" if others else ""
    row = _broken_row(problem, conflict, source)
    shares = _beside_others(problem, conflict, source)
    if shares is None:
        message = f"cannot hold{with_others}, and nothing else can then be kept"
        step = f"relax {' or '.join(others)}" if others else "relax it"
        return Finding(
            code="OP510", source="limits.toml", subject=f"limit '{limit.name}'", message=message, next_step=step
        )
    bound, reached = _written(row.bound, _reached(problem, row, shares))
    named = "" if row.name.removesuffix(" (at most)").removesuffix(" (at least)") == limit.name else f" in {row.name}"
    return Finding(
        code="OP510", source="limits.toml", subject=f"limit '{limit.name}'",
        message=f"cannot hold{with_others}: {row.side} is {bound}{named} and {reached} of {limit.uses} can be "
        "reached",
        next_step=f"set {row.side} = {reached}" + (f", or relax {' or '.join(others)}" if others else ""),
    )  # fmt: skip


def _written(bound: float, reached: float) -> tuple[str, str]:
    """Return both with digits enough to tell them apart, what is reached rounded so that it keeps a bound set to it."""
    outward = ROUND_CEILING if reached > bound else ROUND_FLOOR
    for digits in range(6, 17):
        given = Context(prec=digits).create_decimal_from_float(bound)
        rounded = Context(prec=digits, rounding=outward).create_decimal_from_float(reached)
        if rounded != given:
            break
    return f"{given.normalize():f}", f"{rounded.normalize():f}"


def _beside_others(problem: Problem, conflict: list[int], source: int) -> Shares | None:
    """Return shares that pass one limit by the least: with all others kept, or where that cannot be, the conflict's."""
    everything = {row.source for row in problem.rows if row.soft_price is None}
    for kept in (everything, set(conflict)):
        _, shares = least_excess(problem, kept, {source})
        if shares is not None:
            return shares
    return None


def _broken_row(problem: Problem, conflict: list[int], source: int) -> LimitRow:
    """Return the row of a limit that is passed by most where all limits of the conflict give way."""
    _, shares = least_excess(problem, set(conflict), {source})
    rows = [r for r, row in enumerate(problem.rows) if row.source == source]
    over = np.zeros(len(problem.rows)) if shares is None else use_of(problem, shares) - problem.b
    return problem.rows[max(rows, key=lambda r: over[r])]


def _reached(problem: Problem, row: LimitRow, shares: Shares) -> float:
    """Return what shares use of a row, as the lender writes it."""
    r = next(r for r, each in enumerate(problem.rows) if each.name == row.name)
    about = problem.about[r] * problem.row_scale[r] / problem.size
    total, below = (
        opening
        + sum(float(w * s) for w, s in zip(about, shares.sums[:, 1 + problem.resources.index(name)], strict=True))
        for name, opening in ((row.uses, row.opening), (row.per or row.uses, row.opening_per))
    )
    if row.per is None:
        return total
    return total / below if below else 0.0
