"""The allocator beside HiGHS, which is given the whole linear programme of the same instance."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, kron, vstack
from scipy.sparse import eye as identity

from bench.result import result
from opportune.allocation import allocate
from opportune.domain import Candidates, Limit

OFFERS = 8
GAP = 1e-6
LARGE = 1_000_000


def allocation_results() -> list[dict]:
    """Return seconds and gap on a million customers, and seconds beside the rival's on 20,000 and 100,000."""
    allocate(*instance(2_000))  # loads the compiled kernels, which are cached on disk after the first run
    return [*large_results(), *beside_highs(20_000), *beside_highs(100_000)]


def large_results() -> list[dict]:
    """Return seconds, gap and peak memory of a million customers, in a process of its own."""
    command = [sys.executable, "-m", "bench.allocation"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    seconds, gap, memory = (float(each) for each in said)
    return [
        result("allocation.1m_x_8", seconds, "s", bar=10.0),
        result("allocation.1m_x_8_gap", gap, "relative gap", bar=GAP),
        result("allocation.1m_x_8_memory", memory, "MiB"),
    ]


def beside_highs(count: int) -> list[dict]:
    """Return seconds beside HiGHS' interior-point method on the same instance, and how far the values lie apart."""
    candidates, limits = instance(count)
    seconds, plan = timed(lambda: allocate(candidates, limits, gap=GAP))
    rival, optimum = timed(lambda: whole_programme(candidates, limits))
    name = f"allocation.{count // 1000}k_x_8"
    return [
        result(name, seconds, "s", rival=rival),
        result(f"{name}_gap", plan.certificate.gap, "relative gap", bar=GAP),
        result(f"{name}_below_lp", 1.0 - plan.certificate.value / optimum, "of the LP's optimum", bar=2 * GAP),
    ]


def instance(count: int) -> tuple[Candidates, list[Limit]]:
    """Return a seeded list under nine rows: budget, capital, loss, contacts, a loss rate, parity and two surfaces.

    Value is margin x amount x P(convert) less 0.6 x loss. Parity keeps the share of contacts of one group within
    three points of its share of the list.
    """
    draw = np.random.default_rng(count)
    shape = (count, OFFERS)
    quality = draw.beta(2.0, 5.0, (count, 1))
    amount = 200.0 + 250.0 * np.arange(OFFERS) * draw.uniform(0.7, 1.3, (count, 1))
    response = np.clip(quality * draw.uniform(0.3, 1.0, shape), 0.0, 1.0)
    exposure = amount * response
    loss = exposure * draw.beta(1.2, 22.0, (count, 1)) * (1.0 + 0.08 * np.arange(OFFERS))
    cost = 0.4 + 0.03 * amount * response * draw.uniform(0.0, 1.0, shape)
    group = draw.random((count, 1)) < 0.3
    surface = draw.integers(0, 3, (count, 1))
    contacts = np.ones(shape)
    ids = np.arange(count).astype(str).astype(object)
    candidates = Candidates(
        opportunity_id=ids, customer_id=ids, slot=np.full(count, "1", dtype=object),
        offer_ids=tuple(f"k{k}" for k in range(OFFERS)), eligible=np.ones(shape, dtype=bool),
        value=draw.uniform(0.03, 0.12, shape) * exposure - 0.6 * loss,
        uses={"cost": cost, "exposure": exposure, "loss": loss, "contacts": contacts,
              "group_contacts": contacts * group, "app": contacts * (surface == 0), "mail": contacts * (surface == 1)},
        currency="USD",
    )  # fmt: skip
    limits = [
        Limit(name="budget", uses="cost", at_most=1.0 * count),
        Limit(name="capital", uses="exposure", at_most=90.0 * count),
        Limit(name="loss", uses="loss", at_most=1.9 * count),
        Limit(name="contacts", uses="contacts", at_most=0.6 * count),
        Limit(name="loss rate", uses="loss", per="exposure", at_most=0.021),
        Limit(name="parity", uses="group_contacts", per="contacts", at_most=0.3, at_least=0.27),
        Limit(name="app", uses="app", at_most=0.1 * count),
        Limit(name="mail", uses="mail", at_most=0.2 * count),
    ]
    return candidates, limits


def whole_programme(candidates: Candidates, limits: list[Limit]) -> float:
    """Return the optimum of the linear programme, solved whole by HiGHS' interior-point method."""
    rows, bounds = [], []
    for limit in limits:
        for bound, sign in ((limit.at_most, 1.0), (limit.at_least, -1.0)):
            if bound is not None:
                per = 0.0 if limit.per is None else bound * candidates.uses[limit.per]
                rows.append(sign * (candidates.uses[limit.uses] - per).ravel())
                bounds.append(0.0 if limit.per is not None else sign * bound)
    one = kron(identity(len(candidates)), np.ones((1, OFFERS)), format="csr")
    found = linprog(
        -candidates.value.ravel(),
        A_ub=vstack([csr_matrix(np.array(rows)), one], format="csr"),
        b_ub=np.concatenate([bounds, np.ones(len(candidates))]),
        method="highs-ipm",
    )
    return -found.fun


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


if __name__ == "__main__":
    allocate(*instance(2_000))
    problem = instance(LARGE)
    taken, made = timed(lambda: allocate(*problem, gap=GAP))
    print(taken, made.certificate.gap, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
