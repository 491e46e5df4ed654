"""Margins that fit the error of the plan they are kept for; the nearest plan; a frontier judged by other scores."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.allocation import allocate, allocate_with_margins, frontier, nearest_plan
from opportune.domain import BrokenPromise, Candidates, Limit, Reserved
from opportune.evaluation import hull_walk


def instance(count, offers, seed):
    rng = np.random.default_rng(seed)
    ids = np.array([f"o{i:05d}" for i in range(count)], dtype=object)
    lent = rng.gamma(2.0, 50.0, (count, offers))
    return Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=tuple(f"k{k}" for k in range(offers)),
        eligible=np.ones((count, offers), dtype=bool), value=rng.normal(3.0, 6.0, (count, offers)),
        uses={"contacts": np.ones((count, offers)), "lent": lent, "loss": lent * rng.beta(1, 12, (count, offers))},
        currency="USD",
    )  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.5, 1.0, 3.0]))
def test_a_margin_covers_the_errors_of_the_plan_that_keeps_it(seed, kappa):
    candidates = instance(400, 3, seed)
    limits = [
        Limit(name="lent", uses="lent", at_most=9_000.0, margin=kappa),
        Limit(name="rate", uses="loss", per="lent", at_most=0.07, margin=kappa),
        Limit(name="contacts", uses="contacts", at_most=200.0),
    ]

    def errors(choice):
        chosen = np.flatnonzero(choice >= 0)
        lent, loss = (candidates.uses[name][chosen, choice[chosen]] for name in ("lent", "loss"))
        return {
            "lent": np.sqrt(np.sum(lent**2)), "rate": np.sqrt(np.sum((loss - 0.07 * lent) ** 2)), "contacts": 0.0,
        }  # fmt: skip

    plan = allocate_with_margins(candidates, limits, errors, gap=1e-2)
    kept, rows = errors(plan.choice), {row.name: row for row in plan.certificate.rows}
    for name in ("lent", "rate"):
        assert rows[name].margin >= kappa * kept[name]
        assert rows[name].slack >= -1e-6
    assert rows["lent"].used + kappa * kept["lent"] <= 9_000.0 + 1e-6
    assert rows["contacts"].margin == 0.0
    assert plan.certificate.value <= allocate(candidates, limits, gap=1e-2).certificate.bound


def test_a_margin_beyond_any_plan_is_told():
    candidates = instance(50, 2, 0)
    limits = [Limit(name="lent", uses="lent", at_most=500.0, margin=2.0)]
    grows = iter(range(1, 100))
    with pytest.raises(BrokenPromise, match=r"OP51[01]"):
        allocate_with_margins(candidates, limits, lambda choice: {"lent": 10.0 * 3.0 ** next(grows)})


def test_the_nearest_plan_passes_limits_by_the_least_that_can_be():
    candidates = instance(300, 3, 4)
    limits = [Limit(name="lent", uses="lent", at_most=2_000.0), Limit(name="floor", uses="contacts", at_least=250.0)]
    with pytest.raises(BrokenPromise):
        allocate(candidates, limits)
    near = nearest_plan(candidates, limits, gap=1e-2)
    assert near is not None
    proof = near.certificate
    assert proof.status == "infeasible"
    slack = {row.name: row.slack for row in proof.rows}
    assert min(slack.values()) < 0.0
    cheapest = np.sort(candidates.uses["lent"].min(axis=1))
    of_lent_alone, of_floor_alone = (
        cheapest[:250].sum() / 2_000.0 - 1.0,
        1.0 - np.sum(np.cumsum(cheapest) <= 2_000.0) / 250.0,
    )
    excess = max(-slack["lent"], 0.0) / 2_000.0 + max(-slack["floor"], 0.0) / 250.0
    assert excess <= min(of_lent_alone, of_floor_alone) * 1.02 + 1e-6
    assert nearest_plan(candidates, [limits[0]], gap=1e-2).certificate.value == pytest.approx(
        allocate(candidates, [limits[0]], gap=1e-2).certificate.value, rel=1e-2
    )


def test_with_one_budget_the_frontier_is_the_path_of_the_multi_armed_qini_curve():
    rng, count = np.random.default_rng(2), 1_500
    candidates = instance(count, 4, 2)
    scores = candidates.value + rng.normal(0.0, 5.0, candidates.value.shape)
    cost = candidates.uses["lent"]
    budgets = np.array([5_000.0, 20_000.0, 60_000.0])
    limit = Limit(name="budget", uses="lent", at_most=budgets[0])
    points = frontier(candidates, [limit], "budget", budgets.tolist(), scores=scores)
    walk = hull_walk(candidates.value, cost, candidates.value)
    judged = hull_walk(candidates.value, cost, scores)
    for point, exact, by_scores in zip(points, walk.gain_at(budgets), judged.gain_at(budgets), strict=True):
        assert point.bound == pytest.approx(exact, rel=1e-8)
        assert point.value <= exact + 1e-6
        assert point.value >= exact * (1 - 1e-3)
        assert point.judged == pytest.approx(by_scores, rel=0.02, abs=0.5 * point.standard_error)
    assert all(point.standard_error > 0 for point in points)


def plainly():
    raise KeyboardInterrupt


def entering_a_loop():
    try:
        plainly()
    except KeyboardInterrupt as stop:
        raise SystemError("returned a result with an exception set") from stop


@pytest.mark.parametrize("stop", [plainly, entering_a_loop])
def test_an_interrupted_solve_leaves_a_plan_that_keeps_the_limits(monkeypatch, stop):
    from opportune.allocation import solver

    candidates = instance(5_000, 3, 1)
    limits = [
        Limit(name="lent", uses="lent", at_most=60_000.0),
        Limit(name="rate", uses="loss", per="lent", at_most=0.07),
    ]

    def interrupted(*given):
        stop()

    monkeypatch.setattr(solver, "solve_core", interrupted)
    plan = allocate(candidates, limits)
    assert plan.certificate.status == "interrupted"
    assert all(row.slack >= 0 for row in plan.certificate.rows)
    assert plan.certificate.gap < 0.05
    assert "interrupted" in repr(plan)
    monkeypatch.setattr(solver, "smoothed_prices", interrupted)
    at_once = allocate(candidates, limits)
    assert at_once.certificate.status == "interrupted"
    assert at_once.certificate.value >= 0.0


def margin_case(seed):
    rng, count = np.random.default_rng(100 + seed), 3_000
    candidates = instance(count, 3, seed)
    lent = candidates.uses["lent"]
    spread = lent * rng.uniform(0.0, 2.0, lent.shape)
    candidates = msgspec.structs.replace(candidates, value=candidates.value * lent / 100.0)

    def errors(choice):
        chosen = np.flatnonzero(choice >= 0)
        return {"lent": float(np.sqrt(np.sum(spread[chosen, choice[chosen]] ** 2)))}

    return candidates, [Limit(name="lent", uses="lent", at_most=60_000.0, margin=2.0)], errors


@pytest.mark.parametrize("seed", range(3))
def test_a_margin_that_is_larger_than_counted_comes_down_again(seed):
    candidates, limits, errors = margin_case(seed)
    plan = allocate_with_margins(candidates, limits, errors)
    (row,) = plan.certificate.rows
    counted = 2.0 * errors(plan.choice)["lent"]
    assert counted <= row.margin <= 1.05 * counted
    first = 2.0 * errors(allocate(candidates, limits).choice)["lent"]
    reserved = {"lent": Reserved(margin=1.01 * first)}  # what was kept for ever when margins only rose
    assert row.margin < first
    assert plan.certificate.value > allocate(candidates, limits, reserved=reserved).certificate.value


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_interruption_stops_the_rounds_of_margins(at, monkeypatch):
    from opportune.allocation import solver

    candidates, limits, errors = margin_case(1)
    solve, solved = solver.solve_core, itertools.count(1)

    def interrupted(*given):
        if next(solved) == at:
            raise KeyboardInterrupt
        return solve(*given)

    monkeypatch.setattr(solver, "solve_core", interrupted)
    plan = allocate_with_margins(candidates, limits, errors)
    (row,) = plan.certificate.rows
    assert (next(solved), plan.certificate.status) == (at + 1, "interrupted")
    assert row.slack >= 0.0
    assert row.margin >= 2.0 * errors(plan.choice)["lent"]
    assert plan.certificate.value > 4_000.0


def test_a_fault_inside_a_solve_is_no_interruption(monkeypatch):
    from opportune.allocation import solver

    def faulty(*given):
        raise SystemError("a fault")

    monkeypatch.setattr(solver, "solve_core", faulty)
    with pytest.raises(SystemError, match="a fault"):
        allocate(instance(50, 3, 1), [Limit(name="lent", uses="lent", at_most=600.0)])
