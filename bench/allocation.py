"""The allocator beside HiGHS and PDLP, which are given the whole linear programme of the same instance."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
import pyarrow as pa
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, kron, vstack
from scipy.sparse import eye as identity

from bench.pacing import pacing_results
from bench.result import result
from bench.timing import timed
from opportune.allocation import allocate, best_offer, frontier
from opportune.domain import Candidates, Limit, Plan
from opportune.tables import candidates_of_table

OFFERS = 8
GAP = 1e-6
POINTS, PAIRS = 25, 5
PDLP_SECONDS = 60.0
DECISIONS, PRICES = 50_000, 9


def allocation_results() -> Iterator[dict]:
    """Yield seconds, gaps and memory of large lists, and seconds beside the rivals' on smaller ones."""
    allocate(*instance(2_000))  # loads the compiled kernels, which are cached on disk after the first run
    yield from large_results("1m_x_8", 1_000_000, bar=5.0)
    yield from large_results("5m_x_8", 5_000_000, bar=30.0)
    yield from file_results()
    yield from beside_rivals(20_000, ratio=1 / 3)
    yield from beside_rivals(100_000, ratio=1 / 10)
    yield from frontier_results(100_000)
    yield from growth_results()
    yield from decision_results()
    yield from pacing_results()


def large_results(name: str, count: int, bar: float) -> list[dict]:
    """Return seconds, gap, rows over their limit, seconds of ingest and peak memory of a list.

    In a process of its own, which starts from a sorted Arrow table with ids as codes; ingest is to read it and to
    prepare it for the solver.
    """
    seconds, gap, over, ingest, memory = in_process("list", str(count))
    return [
        result(f"allocation.{name}", seconds, "s", bar=bar),
        result(f"allocation.{name}_gap", gap, "relative gap", bar=GAP),
        result(f"allocation.{name}_over", over, "rows over their limit", bar=0.0),
        result(f"allocation.{name}_ingest", ingest, "s"),
        result(f"allocation.{name}_memory", memory, "MiB"),
    ]


def file_results() -> list[dict]:
    """Return minutes, gap, rows over their limit and memory of ten million customers, 20 offers, 50 rows, in a file."""
    from bench.allocation_file import COUNT, write_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candidates.parquet"
        write_file(path, COUNT)
        seconds, gap, over, memory = in_process("file", str(path))
    return [
        result("allocation.10m_x_20_file", seconds / 60.0, "min", bar=15.0),
        result("allocation.10m_x_20_file_gap", gap, "relative gap", bar=1e-4),
        result("allocation.10m_x_20_file_over", over, "rows over their limit", bar=0.0),
        result("allocation.10m_x_20_file_memory", memory / 1024.0, "GiB", bar=8.0),
    ]


def beside_rivals(count: int, ratio: float) -> list[dict]:
    """Return seconds beside HiGHS' interior point and PDLP on the same list, and how far the optima lie apart."""
    candidates, limits = instance(count)
    seconds, plan = timed(lambda: allocate(candidates, limits))
    rows = whole_programme(candidates, limits)
    rival, optimum = timed(lambda: by_interior_point(candidates, rows))
    pdlp, reached = in_process("pdlp", str(count))
    name, proof = f"allocation.{count // 1000}k_x_8", plan.certificate
    return [
        result(name, seconds, "s", rival=("HiGHS' interior point", rival), bar=ratio * rival),
        result(f"{name}_beside_pdlp", seconds, "s", rival=("PDLP", pdlp)),
        result(f"{name}_pdlp_off_lp", abs(reached / optimum - 1.0), "of the LP's optimum"),
        result(f"{name}_gap", proof.gap, "relative gap", bar=proof.gap_asked),
        result(f"{name}_bound_off_lp", abs(proof.bound / optimum - 1.0), "of the LP's optimum", bar=1e-9),
    ]


def frontier_results(count: int) -> list[dict]:
    """Return the seconds of a frontier of 25 points beside those of one solve, medians of five pairs.

    They take turns, three solves before each frontier, so that a quick or a slow minute of the machine meets both.
    """
    candidates, limits = instance(count)
    bounds = (np.linspace(0.5, 1.5, POINTS) * limits[0].at_most).tolist()
    ones, whole = [], []
    for _ in range(PAIRS):
        ones += [timed(lambda: allocate(candidates, limits))[0] for _ in range(3)]
        whole.append(timed(lambda: frontier(candidates, limits, "budget", bounds))[0])
    one = median(ones)
    return [result("allocation.frontier_25", median(whole), "s", rival=("one solve", one), bar=8.0 * one)]


def growth_results() -> list[dict]:
    """Return what a customer costs at two million beside what it costs at a quarter of a million."""
    few, many = (in_process("list", str(count))[0] / count for count in (250_000, 2_000_000))
    return [
        result(
            "allocation.cost_per_customer", 1e6 * many, "us", rival=("250,000 customers", 1e6 * few), bar=1.25e6 * few
        )
    ]


def decision_results() -> list[dict]:
    """Return microseconds of one priced decision in the solver's own kernel, one thread, beside NumPy's.

    Eight offers are charged by nine prices, each on a resource of its own. The kernel walks many decisions, one by one;
    NumPy is called for each.
    """
    from opportune.allocation._kernels import best_offers

    draw = np.random.default_rng(9)
    offers = draw.normal(1.0, 1.0, (DECISIONS, 1 + PRICES, OFFERS))
    alone, charges = np.arange(DECISIONS + 1), draw.uniform(0.0, 0.3, (1, PRICES))
    cell, nothing, copies = np.zeros(DECISIONS, np.int64), np.full(DECISIONS, -1), np.ones(DECISIONS)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    kernel, _ = timed(lambda: best_offers(offers, cell, copies, alone, 1, charges, nothing))
    numba.set_num_threads(before)
    of = dict(zip([f"r{r}" for r in range(PRICES)], charges[0].tolist(), strict=True))
    uses = [dict(zip(of, one[1:], strict=True)) for one in offers]
    by_numpy, _ = timed(lambda: [best_offer(one[0], use, of) for one, use in zip(offers, uses, strict=True)])
    each = 1e6 / DECISIONS
    return [result("allocation.priced_decision", each * kernel, "us", rival=("NumPy", each * by_numpy), bar=2.0)]


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
    ids = np.array([f"o{i:07d}" for i in range(count)], dtype=object)
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


def table_of(candidates: Candidates) -> pa.Table:
    """Return the Arrow table, sorted by opportunity and with ids as codes, of a list that is eligible for all."""
    count, offers = candidates.value.shape
    row = pa.array(np.repeat(np.arange(count, dtype=np.int32), offers))
    ids = {
        "opportunity_id": (row, candidates.opportunity_id), "customer_id": (row, candidates.customer_id),
        "slot": (pa.array(np.zeros(count * offers, np.int32)), np.array(["1"])),
        "offer_id": (pa.array(np.tile(np.arange(offers, dtype=np.int32), count)), np.array(candidates.offer_ids)),
    }  # fmt: skip
    named = {name: pa.DictionaryArray.from_arrays(codes, pa.array(texts)) for name, (codes, texts) in ids.items()}
    amounts = {"value": candidates.value, **candidates.uses}
    return pa.table({**named, **{name: each.ravel() for name, each in amounts.items()}})


def rows_over(plan: Plan) -> int:
    """Return how many hard rows pass their limit by more than the rounding of sums, as the certificate tells."""
    proof = plan.certificate
    return sum(row.slack < 0.0 and not row.soft for row in proof.rows) if proof.status == "infeasible" else 0


def whole_programme(candidates: Candidates, limits: list[Limit]) -> tuple[Any, np.ndarray]:
    """Return the matrix and right side of the whole linear programme: the limits, then one row per customer."""
    rows, bounds = [], []
    for limit in limits:
        for bound, sign in ((limit.at_most, 1.0), (limit.at_least, -1.0)):
            if bound is not None:
                per = 0.0 if limit.per is None else bound * candidates.uses[limit.per]
                rows.append(sign * (candidates.uses[limit.uses] - per).ravel())
                bounds.append(0.0 if limit.per is not None else sign * bound)
    one = kron(identity(len(candidates)), np.ones((1, OFFERS)), format="csr")
    return vstack([csr_matrix(np.array(rows)), one], format="csr"), np.concatenate([bounds, np.ones(len(candidates))])


def by_interior_point(candidates: Candidates, rows: tuple[Any, np.ndarray]) -> float:
    """Return the optimum of the linear programme by HiGHS' interior-point method with crossover."""
    return -linprog(-candidates.value.ravel(), A_ub=rows[0], b_ub=rows[1], method="highs-ipm").fun


def by_pdlp(candidates: Candidates, rows: tuple[Any, np.ndarray]) -> float:
    """Return what OR-Tools' PDLP says the optimum is, at its own tolerance and after a minute at most."""
    from ortools.linear_solver.python import model_builder_helper as helper

    matrix, upper = rows
    model = helper.ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        np.zeros(matrix.shape[1]), np.ones(matrix.shape[1]), candidates.value.ravel(),
        np.full(len(upper), -np.inf), upper, matrix,
    )  # fmt: skip
    model.set_maximize(True)
    solver = helper.ModelSolverHelper("pdlp")
    solver.set_time_limit_in_seconds(PDLP_SECONDS)
    solver.solve(model)
    return float(solver.objective_value())


def in_process(*arguments: str) -> list[float]:
    """Return the numbers that this module prints when it runs alone: nothing else has used memory there."""
    command = [sys.executable, "-m", "bench.allocation", *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(each) for each in said.split()]


def _alone(kind: str, given: str) -> list[float]:
    if kind == "pdlp":
        candidates, limits = instance(int(given))
        rows = whole_programme(candidates, limits)
        return [*timed(lambda: by_pdlp(candidates, rows))]
    allocate(*instance(2_000))
    if kind == "list":
        from opportune.allocation.prepare import prepare

        dense, limits = instance(int(given))
        table, resources = table_of(dense), dense.resources
        del dense
        reading, candidates = timed(lambda: candidates_of_table(table, resources, "USD"))
        del table
        preparing, _ = timed(lambda: prepare(candidates, limits, None))
        seconds, plan = timed(lambda: allocate(candidates, limits, gap=GAP))
        return [seconds, plan.certificate.gap, rows_over(plan), reading + preparing, _memory()]
    from bench.allocation_file import limits_of_file, open_file

    file = open_file(Path(given))
    seconds, plan = timed(lambda: allocate(file, limits_of_file(len(file))))
    return [seconds, plan.certificate.gap, rows_over(plan), _memory()]


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(*_alone(*sys.argv[1:]))
