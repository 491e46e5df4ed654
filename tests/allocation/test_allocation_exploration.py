"""Exploring: a floor under near offers, inside a budget, with limits that hold in expectation."""

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opportune.allocation import ExplorationTerms, allocate, draw, explore
from opportune.allocation.certificate import certify_mixture
from opportune.domain import Candidates, Limit, OpportuneError


def instance(count, offers, seed):
    rng = np.random.default_rng(seed)
    eligible = rng.random((count, offers)) < 0.9
    value = np.where(eligible, rng.normal(3.0, 6.0, (count, offers)), 0.0)
    lent = np.where(eligible, rng.gamma(2.0, 50.0, (count, offers)), 0.0)
    ids = np.array([f"o{i:05d}" for i in range(count)], dtype=object)
    return Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=tuple(f"k{k}" for k in range(offers)),
        eligible=eligible, value=value,
        uses={"contacts": eligible.astype(float), "lent": lent, "loss": lent * rng.beta(1.0, 12.0, (count, offers))},
        currency="USD", attributes={"shop": np.array([f"s{i % 4}" for i in range(count)], dtype=object)},
    )  # fmt: skip


def limits_of(count):
    return [
        Limit(name="contacts", uses="contacts", at_most=0.5 * count),
        Limit(name="shops", uses="lent", by="shop", at_most=9.0 * count),
        Limit(name="loss rate", uses="loss", per="lent", at_most=0.07),
        Limit(name="parity", uses="contacts", by="shop", within=0.05),
    ]


@settings(max_examples=10, deadline=None)
@example(seed=868, budget=5.0, floor=0.01)  # the least that could be tried costs more: nothing is
@given(st.integers(0, 1000), st.sampled_from([5.0, 40.0, 400.0]), st.sampled_from([0.01, 0.05]))
def test_limits_hold_in_expectation_and_the_budget_is_kept(seed, budget, floor):
    candidates, limits = instance(300, 4, seed), limits_of(300)
    allowed = np.random.default_rng(seed).random(candidates.value.shape) < 0.7
    plain = allocate(candidates, limits, gap=1e-2)
    plan = explore(candidates, limits, plain, allowed, ExplorationTerms(floor=floor, budget=budget))
    proof, p = plan.certificate, plan.probability
    assert p is not None
    assert np.all(p >= 0)
    assert np.all(p.sum(axis=1) <= 1 + 1e-12)
    assert not np.any((p > 0) & ~candidates.eligible)
    tried = (p > 0) & (np.arange(4) != plan.choice[:, None])
    assert np.all(allowed[tried])
    assert np.all(p[tried] == floor)
    assert proof.explored.cost <= budget
    best = plain.certificate
    assert proof.explored.cost == pytest.approx(best.value - np.sum(p * candidates.value), abs=1e-6)
    assert proof.value <= best.bound + 1e-6
    for row in proof.rows:
        assert row.slack >= -1e-6
    used = {name: np.sum(p * amounts) for name, amounts in candidates.uses.items()}
    assert used["contacts"] <= 150 + 1e-6
    assert used["loss"] <= 0.07 * used["lent"] + 1e-6


def test_more_budget_tries_more_and_none_tries_only_what_is_free():
    candidates, limits = instance(600, 4, 3), limits_of(600)
    allowed = np.ones(candidates.value.shape, dtype=bool)
    plain = allocate(candidates, limits, gap=1e-2)
    tried = [
        explore(
            candidates, limits, plain, allowed, ExplorationTerms(floor=0.02, budget=budget)
        ).certificate.explored.offers
        for budget in (0.0, 10.0, 100.0)
    ]
    assert tried[0] <= 600
    assert tried == sorted(tried)
    assert tried[2] > tried[1]


@pytest.mark.parametrize(
    "limit",
    [
        Limit(name="none", uses="contacts", where="shop = 's0'", at_most=0.0),
        Limit(name="few", uses="contacts", by="shop", at_most=1.0),
        Limit(name="lent", uses="lent", at_most=100.0),
    ],
)
@pytest.mark.parametrize("budget", [20.0, 500.0])
def test_limits_that_hold_without_exploring_are_not_refused_with_it(limit, budget):
    candidates = instance(300, 4, 1)
    plain = allocate(candidates, [limit], gap=1e-2)
    allowed = np.ones(candidates.value.shape, dtype=bool)
    proof = explore(candidates, [limit], plain, allowed, ExplorationTerms(floor=0.05, budget=budget)).certificate
    assert min(row.slack for row in proof.rows) >= -1e-9
    assert proof.explored.cost <= budget
    assert proof.explored.offers > 0 or limit.name == "few"


@pytest.mark.parametrize("most", [1, 2])
def test_no_draw_gives_a_customer_more_offers_than_it_may_get(most):
    one = instance(390, 4, 3)
    customers = np.array([f"c{i // 3}" for i in range(390)], dtype=object)
    candidates, limits = msgspec.structs.replace(one, customer_id=customers), limits_of(390)
    allowed = np.ones(candidates.value.shape, dtype=bool)
    plain = allocate(candidates, limits, gap=1e-2, offers_per_customer=most)
    plan = explore(candidates, limits, plain, allowed, ExplorationTerms(floor=0.1, budget=200.0), most)
    assert plan.certificate.explored.opportunities > 50
    could_be = (plan.probability > 0.0).any(axis=1).reshape(-1, 3).sum(axis=1)
    assert could_be.max() == most
    with pytest.raises(OpportuneError, match=f"more than {most} offers"):
        certify_mixture(candidates, limits, np.where(candidates.eligible, 0.1, 0.0), plan, 0.0, None, most)


@pytest.mark.parametrize(("floor", "most"), [(0.2, 4), (0.13, 6), (0.1, 8)])
def test_near_offers_are_no_more_than_leave_the_chosen_one_its_floor(floor, most):
    candidates, limits = instance(200, 8, 5), limits_of(200)
    plain = allocate(candidates, limits, gap=1e-2)
    terms, allowed = ExplorationTerms(floor=floor, budget=1e6), np.ones(candidates.value.shape, dtype=bool)
    p = explore(candidates, limits[:1], allocate(candidates, limits[:1], gap=1e-2), allowed, terms).probability
    tried = (p > 0.0) & candidates.eligible
    plan = explore(candidates, limits, plain, allowed, terms)
    for each in (p, plan.probability):
        assert np.all(each >= 0.0)
        assert np.all(each.sum(axis=1) <= 1.0 + 1e-12)
    assert tried.sum(axis=1).max() in (most, most + 1)  # the chosen one may lie beside those that are near
    made = np.flatnonzero(plan.choice >= 0)
    assert np.all(plan.probability[made, plan.choice[made]] >= plan.probability[made].max(axis=1) - 1e-12)


def test_an_interruption_stops_exploring_and_leaves_the_plan_without_it(monkeypatch):
    from opportune.allocation import solver

    candidates, limits = instance(300, 4, 3), limits_of(300)
    plain = allocate(candidates, limits, gap=1e-2)
    solved = []

    def interrupted(*given):
        solved.append(given)
        raise KeyboardInterrupt

    monkeypatch.setattr(solver, "solve_core", interrupted)
    terms = ExplorationTerms(floor=0.02, budget=100.0)
    plan = explore(candidates, limits, plain, np.ones(candidates.value.shape, dtype=bool), terms)
    assert (len(solved), plan.certificate.status) == (1, "interrupted")
    assert plan.certificate.explored.offers == 0
    assert plan.choice.tolist() == plain.choice.tolist()
    assert plan.certificate.value == plain.certificate.value
    assert all(row.slack >= 0.0 for row in plan.certificate.rows)


def test_draws_realise_the_probabilities():
    probability = np.array([[0.2, 0.5], [0.0, 0.0], [1.0, 0.0]])
    draws = (np.arange(1000) + 0.5) / 1000
    realised = np.array([draw(probability, np.full(3, u)) for u in draws])
    assert [np.mean(realised[:, 0] == k) for k in (0, 1, -1)] == pytest.approx([0.2, 0.5, 0.3])
    assert np.all(realised[:, 1] == -1)
    assert np.all(realised[:, 2] == 0)


@pytest.mark.parametrize(
    ("floor", "budget"), [(0.0, 1.0), (0.5, 1.0), (np.nan, 1.0), (0.1, -1.0), (0.1, np.inf), (0.1, np.nan)]
)
def test_terms_that_cannot_be_are_refused(floor, budget):
    with pytest.raises(ValueError, match="expected"):
        ExplorationTerms(floor=floor, budget=budget)
