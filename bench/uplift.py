"""Uplift and experiments: budget paths beside a plain loop, intervals that cover, daily looks that keep the level."""

import numpy as np

from bench.coverage import below
from bench.result import result
from bench.timing import timed
from opportune.evaluation import (
    ExperimentDesign,
    RankedTrial,
    doubly_robust_scores,
    hull_walk,
    power,
    qini,
    qini_path,
    sequential_readout,
)
from opportune.evaluation.difference_sums import running_sums
from opportune.numerics import asymptotic_radius

MANY, FEW, OFFERS = 1_000_000, 5_000, 8
STREAMS, LOOKS, PER_DAY = 2_000, 30, 500
RARE_STREAMS, RARE_CUSTOMERS, RARE_RATE = 400, 30_000, 0.005


def uplift_results() -> list[dict]:
    """Return speed of paths, their distance from the loop, coverage, and false alarms of daily looks."""
    trials = [*peeking_results(), *rare_results(), *stopping_results()]
    return [*path_results(), *convention_results(), *coverage_results(), *trials]


def path_results() -> list[dict]:
    """Return seconds of a path of a million customers, beside a plain loop per customer, and how far both are apart."""
    values, costs = offers(MANY)
    taken, walk = timed(lambda: hull_walk(values, costs, values))
    few = values[:FEW], costs[:FEW]
    alone, plain = timed(lambda: by_loop(*few))
    budgets = np.linspace(0.0, plain[0][-1], 50)
    apart = np.abs(np.interp(budgets, *plain) - hull_walk(*few, few[0]).gain_at(budgets)).max()
    return [
        result("evaluation.path_1m_x_8", taken, "s", bar=15.0),
        result("evaluation.path_each", 1e6 * taken / MANY, "us", rival=("a plain loop", 1e6 * alone / FEW)),
        result("evaluation.path_steps", len(walk.row) / MANY, "steps per customer"),
        result("evaluation.path_apart", float(apart), "value, at most", bar=1e-6),
    ]


def offers(count: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    costs = draw.uniform(0.1, 3.0, (count, OFFERS))
    return draw.normal(0.2, 1.0, (count, OFFERS)) + 0.6 * np.sqrt(costs), costs


def by_loop(values: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return corners of the path by a loop over customers and their hulls, as a textbook has it."""
    steps = []
    for v, c in zip(values.tolist(), costs.tolist(), strict=True):
        at_cost, at_value = 0.0, 0.0
        while True:
            ahead = [
                ((y - at_value) / (x - at_cost), x, y)
                for x, y in zip(c, v, strict=True)
                if x > at_cost and y > at_value
            ]
            if not ahead:
                break
            ratio, x, y = max(ahead)
            steps.append((ratio, x - at_cost, y - at_value))
            at_cost, at_value = x, y
    steps.sort(reverse=True)
    return tuple(np.cumsum([0.0, *(step[i] for step in steps)]) for i in (1, 2))


def convention_results() -> list[dict]:
    """Return seconds of a Qini coefficient of a million customers, beside a loop down the ranking."""
    draw = np.random.default_rng(1)
    score, treated = draw.random(MANY), draw.integers(0, 2, MANY)
    outcome = (draw.random(MANY) < 0.1 + 0.1 * score * treated).astype(np.int64)
    trial = RankedTrial(
        row_id=np.arange(MANY), outcome=outcome, treated=treated, score=score, used_for_choosing=np.array([])
    )
    taken, _ = timed(lambda: qini(trial, convention="sklift"))
    alone, _ = timed(lambda: qini_by_loop(outcome, treated, score))
    return [result("evaluation.qini_each", 1e6 * taken / MANY, "us", rival=("a plain loop", 1e6 * alone / MANY))]


def qini_by_loop(outcome: np.ndarray, treated: np.ndarray, score: np.ndarray) -> list[float]:
    """Return the Qini curve by a loop down the ranking."""
    n, y, curve = [0, 0], [0, 0], [0.0]
    for i in np.argsort(-score).tolist():
        arm = int(treated[i])
        n[arm] += 1
        y[arm] += int(outcome[i])
        curve.append(y[1] - y[0] * n[1] / n[0] if n[0] else 0.0)
    return curve


def coverage_results() -> list[dict]:
    """Return in how many of 1,000 streams the 95 % interval of a path held the truth; the bar is the distance to 95."""
    held = 0
    for seed in range(1_000):
        draw = np.random.default_rng(seed)
        x = draw.random(800)
        action = draw.integers(0, 3, 800)
        mean = np.column_stack([x, 2.0 * x, 1.0 + 0.0 * x])  # gains x and 1 - x over the first arm
        scores = doubly_robust_scores(
            row_id=np.arange(800), cluster=np.arange(800), arms=("none", "a", "b"), control="none", action=action,
            probability=np.full((800, 3), 1 / 3), outcome=mean[np.arange(800), action] + draw.normal(0, 1, 800),
            predicted=mean,
        )  # fmt: skip
        path = qini_path(scores, np.ones(2), np.array([0.4]), used_for_choosing=np.array([]), replicates=200, seed=seed)
        told = path.estimates()[0]
        held += told.low <= 0.36 <= told.high
    return [
        result("evaluation.path_coverage", held / 10.0, "% of 1,000 streams"),
        result("evaluation.path_coverage_off", abs(held / 10.0 - 95.0), "points from 95 %", bar=2.0),
    ]


def peeking_results() -> list[dict]:
    """Return the share of streams without effect in which one of 30 daily looks alarms, beside a z-test at each look.

    Published for 30 looks: z-test 29.4 %, asymptotic sequence 1.6 % (README of ville).
    """
    alarms, plain = 0, 0
    at = np.arange(1, LOOKS + 1) * PER_DAY - 1
    for seed in range(STREAMS):
        draw = np.random.default_rng(seed)
        treated = (draw.random(LOOKS * PER_DAY) < 0.5).astype(np.float64)
        outcome = (draw.random(LOOKS * PER_DAY) < 0.1).astype(np.float64)
        sums = running_sums(outcome, treated, 0.5, np.zeros(len(outcome)))
        mean, deviation = (each[at] for each in sums.mean_and_deviation())
        radius = asymptotic_radius(at + 1.0, deviation, level=0.95, tuned_for=at[-1] / 2.0)
        alarms += bool(np.any(np.abs(mean) > radius))
        plain += bool(np.any(np.abs(mean) > 1.959964 * deviation / np.sqrt(at + 1.0)))
    daily = ("a fixed interval looked at daily", 100 * plain / STREAMS)
    return [result("evaluation.looks_false_alarms", 100 * alarms / STREAMS, "%", rival=daily, bar=5.0)]


def rare_results() -> list[dict]:
    """Return whether read-outs of a rare outcome hold the truth at all looks, each 50 customers from the first 50 on.

    Of 200 customers one has the event, with treatment, and of 400 one without: the first looks have none at all.
    """
    looks = list(range(50, RARE_CUSTOMERS + 1, 50))
    held, began = [], 0
    for seed in range(RARE_STREAMS):
        draw = np.random.default_rng(seed)
        treated = draw.integers(0, 2, RARE_CUSTOMERS)
        outcome = (draw.random(RARE_CUSTOMERS) < RARE_RATE * np.where(treated == 1, 1.0, 0.5)).astype(np.float64)
        told = sequential_readout(
            outcome=outcome, treated=treated, probability=0.5, predicted=np.zeros(RARE_CUSTOMERS), looks=looks,
            tuned_for=RARE_CUSTOMERS // 2,
        )  # fmt: skip
        held.append(all(each.low <= RARE_RATE / 2.0 <= each.high for each in told))
        began += bool(np.isfinite(told[-1].high))
    begun = result("evaluation.looks_at_a_rare_outcome_begun", 100 * began / RARE_STREAMS, "% of streams")
    return [below("evaluation.looks_at_a_rare_outcome", held), begun]


def stopping_results() -> list[dict]:
    """Return how many customers a true +0.010 on 4 % takes until zero is excluded, and seconds of simulating power.

    Published: 16,532 (README of ville), one stream of unknown seed; here the median of 200 streams.
    """
    needed = []
    for seed in range(200):
        draw = np.random.default_rng(seed)
        treated = draw.integers(0, 2, 60_000)
        outcome = (draw.random(60_000) < 0.04 + 0.01 * treated).astype(np.float64)
        looks = np.arange(100, 60_001, 100)
        told = sequential_readout(
            outcome=outcome,
            treated=treated,
            probability=0.5,
            predicted=np.zeros(60_000),
            looks=looks.tolist(),
            tuned_for=10_000,
        )
        needed.append(next((each.n for each in told if each.excludes_zero()), 60_001))
    design = ExperimentDesign(per_day=1_000, days=60, treated=0.5, rate=0.04, effect=0.01, mature_after=30)
    taken, _ = timed(lambda: power(design, list(range(31, 91)), trials=10_000, seed=1, tuned_for=10_000))
    return [
        result(
            "evaluation.customers_to_show_1_point",
            float(np.median(needed)),
            "customers, median",
            rival=("ville, published", 16_532.0),
        ),
        result("evaluation.power_10k_trials", taken, "s", bar=5.0),
    ]
