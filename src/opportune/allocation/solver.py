"""Allocate: prices, then the core, then whole choices, then a certificate made by other code."""

from collections.abc import Mapping, Sequence

import numpy as np

from opportune.allocation.certificate import certify
from opportune.allocation.check import check_limits, check_numbers
from opportune.allocation.conflict import explain_conflict
from opportune.allocation.core import solve_core
from opportune.allocation.dual import smoothed_prices
from opportune.allocation.problem import build_problem
from opportune.allocation.repair import integer_choice
from opportune.domain import BadInput, Candidates, Limit, Plan


def allocate(
    candidates: Candidates,
    limits: Sequence[Limit],
    gap: float = 1e-4,
    seed: int = 0,
    start: Mapping[str, float] | None = None,
) -> Plan:
    """Return the plan of greatest value that keeps the limits, with the proof of how good it is.

    Parameters
    ----------
    candidates : arrays (n, K) of eligibility, value and uses; each row gets one offer or none.
    limits : hard limits are kept by the whole plan; a soft one costs its price per unit of excess.
    gap : the relative gap up to which the plan may call itself optimal.
    seed : recorded in the certificate; the method draws nothing at random.
    start : prices of a neighbouring plan, to save work.

    Raises
    ------
    BadInput : limits on unknown resources, values that are not finite (OP501-OP504).
    BrokenPromise : limits that cannot hold together, with the cheapest way out (OP510).
    """
    findings = check_limits(limits, list(candidates.uses)) + check_numbers(candidates)
    if findings:
        raise BadInput(findings)
    problem = build_problem(candidates, limits)
    warm = None if start is None else problem.scaled_prices(np.array([start[row.name] for row in problem.rows]))
    linear = solve_core(problem, smoothed_prices(problem, warm))
    choice = integer_choice(problem, linear, gap) if linear.feasible else None
    if choice is None:
        raise explain_conflict(candidates, limits)
    prices = dict(zip([row.name for row in problem.rows], problem.prices_of(linear.prices).tolist(), strict=True))
    return Plan(
        opportunity_id=candidates.opportunity_id,
        offer_ids=candidates.offer_ids,
        choice=choice,
        prices=prices,
        certificate=certify(candidates, limits, choice, prices, gap, seed),
    )
