"""Why limits cannot hold: the few that conflict, what can be reached, and the cheapest way out of each."""

from collections.abc import Callable, Mapping, Sequence
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
HALVINGS = 10
"""Bounds that are tried for a limit with several rows; each is a linear programme."""
CLOSE = 0.01
"""Share of a bound within which the nearest one that holds is looked for."""


def explain_conflict(prepared: Prepared, limits: Sequence[Limit], reserved: Mapping[str, Reserved]) -> BrokenPromise:
    """Return the error that names the limits which cannot hold together and the cheapest relaxation of each."""
    problem = prepared.problem(limits, reserved)
    hard = [source for source, limit in enumerate(limits) if limit.soft_price is None]
    conflict = _smallest(problem, hard)

    def bounded(source: int, field: str, bound: float) -> Problem:
        varied = msgspec.structs.replace(limits[source], **{field: bound})
        return prepared.problem([*limits[:source], varied, *limits[source + 1 :]], reserved)

    return BrokenPromise([_finding(problem, limits, conflict, source, bounded) for source in conflict])


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
    phase_one = msgspec.structs.replace(problem, pool=problem.pool.worth(0.0), cap=cap)
    linear = solve_core(phase_one, *settled_prices(phase_one, smoothed_prices(phase_one)))
    shares = whole_shares(phase_one, linear, REACHED, np.zeros(len(cap))) if linear.feasible else None
    if shares is None:
        return np.inf, None
    over = np.maximum(use_of(phase_one, shares) - problem.b, 0.0)
    return float(np.sum(over[cap > 0.0])), shares


Bounded = Callable[[int, str, float], Problem]
"""From a limit, one of its bounds and what it may be instead to the problem with that bound."""


def _finding(problem: Problem, limits: Sequence[Limit], conflict: list[int], source: int, bounded: Bounded) -> Finding:
    limit = limits[source]
    others = [limits[other].name for other in conflict if other != source]
    with_others = f" together with {', '.join(others)}" if others else ""
    row = _broken_row(problem, conflict, source)
    kept, shares = _beside_others(problem, conflict, source)
    if shares is None:
        message = f"cannot hold{with_others}, and nothing else can then be kept"
        step = f"relax {' or '.join(others)}" if others else "relax it"
        return _refused(limit, message, step)
    whole = _bound_of(problem, limit, row)
    if len(whole.rows) > 1:
        bound, reached = _written(whole.asked, _common(whole, whole.worst(problem, shares), bounded, kept))
        what = (
            f"{whole.field} is {bound}, passed in {row.name}, and {reached} can be kept by its {len(whole.rows)} rows"
        )
    else:
        bound, reached = _written(row.bound, _reached(problem, row, shares))
        named = (
            "" if row.name.removesuffix(" (at most)").removesuffix(" (at least)") == limit.name else f" in {row.name}"
        )
        what = f"{row.side} is {bound}{named} and {reached} of {limit.uses} can be reached"
    step = f"set {whole.field} = {reached}" + (f", or relax {' or '.join(others)}" if others else "")
    return _refused(limit, f"cannot hold{with_others}: {what}", step)


def _refused(limit: Limit, message: str, step: str) -> Finding:
    subject = f"limit '{limit.name}'"
    return Finding(code="OP510", source="limits.toml", subject=subject, message=message, next_step=step)


class Bound(msgspec.Struct, frozen=True):
    """One bound of a limit, by the name of its field, and all the rows that have it."""

    field: str
    rows: tuple[LimitRow, ...]

    @property
    def asked(self) -> float:
        """What the limit asks for."""
        return abs(self.rows[0].bound) if self.field == "within" else self.rows[0].bound

    def worst(self, problem: Problem, shares: Shares) -> float:
        """Return what shares use in the row that leaves least of the bound."""
        used = [_reached(problem, row, shares) for row in self.rows]
        if self.field == "within":
            return max(map(abs, used))
        return max(used) if self.field == "at_most" else min(used)


def _bound_of(problem: Problem, limit: Limit, row: LimitRow) -> Bound:
    mine = [each for each in problem.rows if each.source == row.source]
    if limit.within is not None:
        return Bound("within", tuple(mine))
    if row.side == "at_most" and limit.amounts is not None:  # each value has its own
        return Bound("at_most", (row,))
    return Bound(row.side, tuple(each for each in mine if each.side == row.side))


def _common(bound: Bound, held: float, bounded: Bounded, kept: set[int]) -> float:
    """Return the bound nearest to the one asked for that all rows of a limit can keep beside those ``kept``.

    ``held`` is one that they can. It is halved towards the one asked for. What the shares of a bound that holds use is
    a bound that holds too, so whole numbers stay whole.
    """
    source, missed = bound.rows[0].source, bound.asked
    for _ in range(HALVINGS):
        if abs(held - missed) <= CLOSE * abs(held):
            break
        middle = (missed + held) / 2.0
        problem = bounded(source, bound.field, middle)
        over, shares = least_excess(problem, kept, {source})
        if shares is not None and over <= REACHED:
            held = bound.worst(problem, shares)
        else:
            missed = middle
    return held


def _written(bound: float, reached: float) -> tuple[str, str]:
    """Return both with digits enough to tell them apart, what is reached rounded so that it keeps a bound set to it.

    What only the order of a float64 sum adds, beyond 12 digits, is no reason to round up.
    """
    outward = ROUND_CEILING if reached > bound else ROUND_FLOOR
    summed = Context(prec=12).create_decimal_from_float(reached)
    for digits in range(6, 17):
        given = Context(prec=digits).create_decimal_from_float(bound)
        rounded = Context(prec=digits, rounding=outward).create_decimal(summed)
        if rounded != given:
            break
    return f"{given.normalize():f}", f"{rounded.normalize():f}"


def _beside_others(problem: Problem, conflict: list[int], source: int) -> tuple[set[int], Shares | None]:
    """Return shares that pass one limit by the least, and what they keep: all others, or where that cannot be, the
    conflict's.
    """
    everything = {row.source for row in problem.rows if row.soft_price is None}
    for kept in (everything, set(conflict)):
        _, shares = least_excess(problem, kept, {source})
        if shares is not None:
            return kept, shares
    return set(conflict), None


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
