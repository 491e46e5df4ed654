"""The compiled loops: what plain NumPy says, the same bits with any number of threads, and ties."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.allocation import allocate
from opportune.allocation.inner import inner, smoothed
from opportune.allocation.near import closest
from opportune.allocation.prepare import prepare
from opportune.domain import Candidates, Limit


def problem_of(count, offers, seed):
    draw = np.random.default_rng(seed)
    eligible = draw.random((count, offers)) < 0.8
    value = np.where(eligible, np.round(draw.normal(2.0, 5.0, (count, offers)), 1), 0.0)
    uses = {name: np.where(eligible, np.round(draw.normal(1.0, 1.0, (count, offers)), 1), 0.0) for name in ("a", "b")}
    ids = np.arange(count).astype(str).astype(object)
    candidates = Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=tuple(f"k{k}" for k in range(offers)),
        eligible=eligible, value=value, uses=uses, currency="USD",
    )  # fmt: skip
    limits = [Limit(name="a", uses="a", at_most=0.3 * count), Limit(name="r", uses="b", per="a", at_most=0.7)]
    return prepare(candidates, limits, None).problem(limits, {})


def plain_net(problem, prices):
    offers, charges = problem.pool.offers, problem.charges(prices)[problem.pool.cell]
    return offers[:, 0] - np.einsum("nr,nrk->nk", charges, offers[:, 1:])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 2.0]))
def test_the_loops_say_what_numpy_says(count, offers, seed, price):
    problem = problem_of(count, offers, seed)
    prices = np.array([price, price / 2])
    net = np.column_stack([np.zeros(len(problem.pool.cell)), plain_net(problem, prices)])
    found = inner(problem, prices)
    clear = found.margin > 1e-9  # within rounding of a tie, the order of a sum decides
    assert np.array_equal(found.choice[clear], (np.argmax(net, axis=1) - 1)[clear])
    copies = problem.pool.copies
    bound = np.sum(prices * problem.b) + np.sum(copies * net.max(axis=1)) / count
    assert found.bound == pytest.approx(bound, abs=1e-12)
    np.testing.assert_allclose(found.gain, net.max(axis=1), atol=1e-12)
    two = np.sort(net, axis=1)
    np.testing.assert_allclose(found.margin, two[:, -1] - two[:, -2], atol=1e-12)
    tau = 0.2
    weight = np.exp((net - net.max(axis=1, keepdims=True)) / tau)
    total = weight.sum(axis=1)
    value = prices @ problem.b + np.sum(copies * (net.max(axis=1) + tau * np.log(total))) / count
    share, uses = (weight / total[:, None])[:, 1:], problem.pool.offers[:, 1:]
    use = np.einsum("nk,nrk->rn", share, uses)
    covariance = np.einsum("n,nk,nrk,nqk->rq", copies, share, uses, uses) - (use * copies) @ use.T
    weights = problem.about * problem.mixes[problem.mix]
    said = smoothed(problem, prices, tau)
    assert said.value == pytest.approx(value)
    np.testing.assert_allclose(said.gradient, problem.b - weights @ (use @ copies) / count, atol=1e-10)
    hessian = weights @ (covariance / count) @ weights.T / tau
    np.testing.assert_allclose(said.hessian, hessian, atol=1e-6 * (1 + np.abs(hessian).max()))


def test_the_gradient_is_the_slope_of_the_value():
    problem, prices, tau, step = problem_of(500, 4, 3), np.array([0.4, 0.2]), 0.1, 1e-6
    said = smoothed(problem, prices, tau)
    for r in range(2):
        ahead, behind = (smoothed(problem, prices + sign * step * np.eye(2)[r], tau) for sign in (1, -1))
        assert (ahead.value - behind.value) / (2 * step) == pytest.approx(said.gradient[r], abs=1e-6)
        slope = (ahead.gradient - behind.gradient) / (2 * step)
        np.testing.assert_allclose(slope, said.hessian[r], rtol=1e-4, atol=1e-5)


def test_any_number_of_threads_gives_the_same_bits():
    problem, prices = problem_of(20_000, 5, 1), np.array([0.5, 0.1])
    bits = set()
    before = numba.get_num_threads()
    for threads in range(1, before + 1):
        numba.set_num_threads(threads)
        said = smoothed(problem, prices, 0.05)
        bits.add((said.value, said.gradient.tobytes(), said.hessian.tobytes()))
    numba.set_num_threads(before)
    assert len(bits) == 1


def test_identical_customers_are_no_trap():
    """Thirty thousand customers in 500 segments of equal scores: at the best prices whole segments tie."""
    draw, per = np.random.default_rng(5), 60
    value = np.repeat(draw.normal(5.0, 4.0, (500, 3)), per, axis=0)
    lent = np.repeat(draw.gamma(2.0, 50.0, (500, 3)), per, axis=0)
    count = len(value)
    ids = np.arange(count).astype(str).astype(object)
    candidates = Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b", "c"), eligible=np.ones((count, 3), dtype=bool),
        value=value, uses={"contacts": np.ones((count, 3)), "lent": lent}, currency="USD",
    )  # fmt: skip
    limits = [
        Limit(name="contacts", uses="contacts", at_most=0.37 * count),
        Limit(name="lent", uses="lent", at_most=20.0 * count),
    ]
    proof = allocate(candidates, limits, gap=1e-5).certificate
    assert proof.status == "optimal"
    assert proof.gap <= 1e-5


def test_the_closest_are_the_same_whatever_their_order_of_ties():
    problem, margin = problem_of(5, 2, 0), np.array([0.5, 0.1, 0.1, 0.0, 0.1])
    assert closest(problem, margin, 3).tolist() == [1, 2, 3]
    assert closest(problem, margin, 5).tolist() == [0, 1, 2, 3, 4]
