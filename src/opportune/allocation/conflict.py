"""Why limits cannot hold: the few that conflict, what can be reached, and the cheapest way out."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.allocation.core import solve_core
from opportune.allocation.dual import smoothed_prices
from opportune.allocation.inner import used
from opportune.allocation.problem import build_problem
from opportune.allocation.repair import integer_choice
from opportune.domain import BrokenPromise, Candidates, Finding, Limit

REACHED = 1e-7
"""Least total excess, in scaled units, that counts as a conflict."""


def explain_conflict(candidates: Candidates, limits: Sequence[Limit]) -> BrokenPromise:
    """Return the error that names the limits which cannot hold together and the cheapest relaxation of each."""
    hard = [limit for limit in limits if limit.soft_price is None]
    conflict = _smallest(candidates, hard)
    return BrokenPromise([_finding(candidates, conflict, limit) for limit in conflict])


def _smallest(candidates: Candidates, limits: list[Limit]) -> list[Limit]:
    """Return a set in conflict from which no limit can be taken: drop each in turn, keep it out if conflict remains."""
    kept = list(limits)
    for limit in limits:
        without = [other for other in kept if other is not limit]
        if without and least_excess(candidates, without, set(range(len(without))))[0] > REACHED:
            kept = without
    return kept


def least_excess(candidates: Candidates, limits: Sequence[Limit], relaxed: set[int]) -> tuple[float, np.ndarray]:
    """Return the least total scaled excess over the ``relaxed`` limits (others hard) and the choice that has it.

    Phase one of the simplex method by the solver's own means: values zero, and a soft price of one on each scaled row.
    """
    problem = build_problem(candidates, limits)
    names = {name for i, limit in enumerate(limits) if i in relaxed for name in (row.name for row in limit.rows())}
    cap = np.array([1.0 if row.name in names else np.inf for row in problem.rows])
    phase_one = msgspec.structs.replace(problem, value=np.zeros(problem.value.shape), value_scale=1.0, cap=cap)
    linear = solve_core(phase_one, smoothed_prices(phase_one))
    choice = integer_choice(phase_one, linear, REACHED) if linear.feasible else None
    if choice is None:
        return np.inf, np.full(len(problem.value), -1)
    return float(np.sum(np.maximum(used(problem, choice) - problem.b, 0.0))), choice


def _finding(candidates: Candidates, conflict: list[Limit], limit: Limit) -> Finding:
    others = [other.name for other in conflict if other is not limit]
    with_others = f" together with {', '.join(others)}" if others else ""
    side, given = ("at_least", limit.at_least) if limit.at_least is not None else ("at_most", limit.at_most)
    _, choice = least_excess(candidates, conflict, {conflict.index(limit)})
    reached = _use(candidates, limit, choice)
    return Finding(
        code="OP510", source="limits.toml", subject=f"limit '{limit.name}'",
        message=f"cannot hold{with_others}: {side} is {given:g} and {reached:g} of {limit.uses} can be reached",
        next_step=f"set {side} = {reached:g}" + (f", or relax {' or '.join(others)}" if others else ""),
    )  # fmt: skip


def _use(candidates: Candidates, limit: Limit, choice: np.ndarray) -> float:
    rows = np.flatnonzero(choice >= 0)
    total = float(candidates.uses[limit.uses][rows, choice[rows]].sum())
    below = 1.0 if limit.per is None else float(candidates.uses[limit.per][rows, choice[rows]].sum())
    return total / below if below else 0.0
