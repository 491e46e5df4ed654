"""The allocator beside HiGHS, which is given the whole linear programme of the same instance."""

import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, kron, vstack
from scipy.sparse import eye as identity

from bench.result import result
from opportune.allocation import allocate
from opportune.domain import Candidates, Limit

OFFERS = 8


def allocation_results() -> list[dict]:
    """Return seconds on 20,000 customers beside the rival, the gap there, and seconds on 200,000 customers."""
    small, limits = instance(20_000)
    seconds, plan = timed(lambda: allocate(small, limits))
    rival, _ = timed(lambda: whole_programme(small, limits))
    large, more = instance(200_000)
    large_seconds, large_plan = timed(lambda: allocate(large, more))
    return [
        result("allocation.20k_x_8", seconds, "s", rival=rival),
        result("allocation.20k_x_8_gap", plan.certificate.gap, "relative gap", bar=1e-4),
        result("allocation.200k_x_8", large_seconds, "s"),
        result("allocation.200k_x_8_gap", large_plan.certificate.gap, "relative gap", bar=1e-4),
    ]


def instance(count: int) -> tuple[Candidates, list[Limit]]:
    """Return a seeded list with contacts, amount lent, a loss rate and a floor as limits."""
    draw = np.random.default_rng(count)
    shape = (count, OFFERS)
    lent = draw.gamma(2.0, 500.0, shape)
    ids = np.array([f"o{i}" for i in range(count)], dtype=object)
    candidates = Candidates(
        opportunity_id=ids,
        customer_id=ids,
        slot=np.full(count, "1", dtype=object),
        offer_ids=tuple(f"k{k}" for k in range(OFFERS)),
        eligible=np.ones(shape, dtype=bool),
        value=draw.normal(10.0, 20.0, shape),
        uses={"contacts": np.ones(shape), "lent": lent, "loss": lent * draw.beta(1.0, 15.0, shape)},
        currency="USD",
    )
    limits = [
        Limit(name="contacts", uses="contacts", at_most=0.4 * count),
        Limit(name="lent", uses="lent", at_most=280.0 * count),
        Limit(name="loss rate", uses="loss", per="lent", at_most=0.05),
        Limit(name="floor", uses="contacts", at_least=0.1 * count),
    ]
    return candidates, limits


def whole_programme(candidates: Candidates, limits: list[Limit]) -> float:
    """Return the optimum of the linear programme, solved whole by HiGHS' interior-point method."""
    contacts, lent, loss = (candidates.uses[name].ravel() for name in ("contacts", "lent", "loss"))
    rows = csr_matrix(np.array([contacts, lent, loss - 0.05 * lent, -contacts]))
    bounds = [limits[0].at_most, limits[1].at_most, 0.0, -limits[3].at_least]
    one = kron(identity(len(candidates)), np.ones((1, OFFERS)), format="csr")
    found = linprog(
        -candidates.value.ravel(),
        A_ub=vstack([rows, one], format="csr"),
        b_ub=np.concatenate([bounds, np.ones(len(candidates))]),
        method="highs-ipm",
    )
    return -found.fun


def timed(work):
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done
