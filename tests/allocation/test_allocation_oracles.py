"""The allocator against exact solvers, and its certificate against tampering."""

import msgspec
import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from opportune.allocation import allocate, certificate, certify, frontier
from opportune.allocation.prepare import prepare
from opportune.domain import BadInput, BrokenPromise, Candidates, Limit, OpportuneError, Reserved


def instance(n, K, seed, signed=False):
    draw = np.random.default_rng(seed)
    eligible = draw.random((n, K)) < 0.85
    value = np.where(eligible, draw.normal(5.0, 10.0, (n, K)), 0.0)
    lent = np.where(eligible, draw.gamma(2.0, 50.0, (n, K)), 0.0)
    loss = lent * draw.beta(1.0, 12.0, (n, K)) - (np.where(eligible, 4.0, 0.0) if signed else 0.0)
    ids = np.array([f"o{i:04d}" for i in range(n)], dtype=object)
    return Candidates(
        opportunity_id=ids,
        customer_id=ids,
        slot=np.full(n, "1", dtype=object),
        offer_ids=tuple(f"k{k}" for k in range(K)),
        eligible=eligible,
        value=value,
        uses={"contacts": eligible.astype(float), "lent": lent, "loss": loss},
        currency="USD",
    )


def limits_of(n, kind):
    sums = [
        Limit(name="contacts", uses="contacts", at_most=np.floor(0.4 * n)),
        Limit(name="lent", uses="lent", at_most=25.0 * n),
    ]
    ratio = Limit(name="loss rate", uses="loss", per="lent", at_most=0.06)
    floor = Limit(name="floor", uses="contacts", at_least=np.floor(0.1 * n))
    both = Limit(name="both", uses="lent", at_least=2.0 * n, at_most=20.0 * n)
    soft = Limit(name="soft", uses="contacts", at_most=np.floor(0.2 * n), soft_price=6.0)
    return {
        "sums": sums, "ratio": [*sums, ratio], "floor": [*sums, ratio, floor], "both": [both, ratio], "soft": [soft, ratio],
    }[kind]  # fmt: skip


def as_matrix(candidates, limits):
    """Rows <= bounds over the flattened (opportunity, offer) columns plus one overflow per soft row, written anew."""
    rows, bounds, prices = [], [], []
    for limit in limits:
        for sign, bound in ((1.0, limit.at_most), (-1.0, limit.at_least)):
            if bound is not None:
                row = sign * candidates.uses[limit.uses]
                row = row - sign * bound * candidates.uses[limit.per] if limit.per else row
                rows.append(np.where(candidates.eligible, row, 0.0).ravel())
                bounds.append(0.0 if limit.per else sign * bound)
                prices.append(limit.soft_price)
    n, K = candidates.value.shape
    soft = [i for i, price in enumerate(prices) if price is not None]
    overflow = np.zeros((len(rows), len(soft)))
    overflow[soft, np.arange(len(soft))] = -1.0
    one = np.hstack([np.kron(np.eye(n), np.ones(K)), np.zeros((n, len(soft)))])
    matrix = np.vstack([np.hstack([np.array(rows), overflow]), one])
    cost = np.concatenate([-np.where(candidates.eligible, candidates.value, 0.0).ravel(), [prices[i] for i in soft]])
    highest = np.concatenate([candidates.eligible.ravel().astype(float), np.full(len(soft), np.inf)])
    return cost, matrix, np.array([*bounds, *np.ones(n)]), highest, n * K


@pytest.mark.parametrize("kind", ["sums", "ratio", "floor", "both", "soft"])
@pytest.mark.parametrize("seed", range(8))
def test_no_plan_beats_the_bound_and_ours_lies_within_its_gap(kind, seed):
    n = 10 + 6 * seed
    candidates, limits = instance(n, 3, seed, signed=bool(seed % 2)), limits_of(n, kind)
    cost, matrix, upper, highest, whole = as_matrix(candidates, limits)
    kinds = np.array([1] * whole + [0] * (len(cost) - whole))
    exact = milp(cost, constraints=LinearConstraint(matrix, ub=upper), bounds=Bounds(0.0, highest), integrality=kinds)
    plan = allocate(candidates, limits)
    proof = plan.certificate
    assert exact.success
    assert proof.status in {"optimal", "feasible"}
    assert proof.bound >= -exact.fun - 1e-6
    assert proof.value <= -exact.fun + 1e-6
    assert proof.value == pytest.approx(-exact.fun, rel=1e-4, abs=1e-4)
    assert all(row.soft or row.slack >= -1e-6 for row in proof.rows)


def test_the_bound_is_the_optimum_of_the_linear_programme():
    candidates, limits = instance(1_500, 4, 7), limits_of(1_500, "floor")
    cost, matrix, upper, highest, _ = as_matrix(candidates, limits)
    exact = linprog(
        cost, A_ub=matrix, b_ub=upper, bounds=np.column_stack([np.zeros_like(highest), highest]), method="highs"
    )
    assert allocate(candidates, limits).certificate.bound == pytest.approx(-exact.fun, rel=1e-8)


def test_brute_force_on_four_customers():
    candidates = instance(4, 2, 3)
    limits = [Limit(name="contacts", uses="contacts", at_most=2.0), Limit(name="lent", uses="lent", at_most=150.0)]
    best = 0.0
    for code in range(3**4):
        choice = np.array([code // 3**i % 3 - 1 for i in range(4)])
        rows = np.flatnonzero(choice >= 0)
        if all(candidates.eligible[rows, choice[rows]]):
            used = {name: use[rows, choice[rows]].sum() for name, use in candidates.uses.items()}
            if used["contacts"] <= 2.0 and used["lent"] <= 150.0:
                best = max(best, candidates.value[rows, choice[rows]].sum())
    assert allocate(candidates, limits).certificate.value == pytest.approx(best, abs=1e-9)


def test_scaling_money_scales_value_and_prices():
    import msgspec

    candidates, limits = instance(300, 3, 5), limits_of(300, "ratio")
    dear = msgspec.structs.replace(candidates, value=candidates.value * 1000.0)
    plain, scaled = allocate(candidates, limits), allocate(dear, limits)
    assert scaled.certificate.value == pytest.approx(1000.0 * plain.certificate.value, rel=1e-4)
    assert scaled.certificate.bound == pytest.approx(1000.0 * plain.certificate.bound, rel=1e-9)


def test_a_limit_that_does_not_bind_has_price_zero_and_changes_nothing():
    candidates, limits = instance(300, 3, 6), limits_of(300, "sums")
    more = [*limits, Limit(name="slack", uses="loss", at_most=1e9)]
    plain, with_slack = allocate(candidates, limits), allocate(candidates, more)
    assert with_slack.prices["slack"] == 0.0
    assert with_slack.certificate.bound == pytest.approx(plain.certificate.bound, rel=1e-9)


def test_identical_customers_and_ties():
    import msgspec

    one = instance(1, 3, 2)
    rows = np.zeros(400, dtype=int)
    ids = np.array([f"o{i}" for i in range(400)], dtype=object)
    many = msgspec.structs.replace(
        one, opportunity_id=ids, customer_id=ids, slot=ids, eligible=np.ones((400, 3), dtype=bool),
        value=np.full((400, 3), 7.0), uses={name: np.full((400, 3), 1.0) for name in one.uses},
    )  # fmt: skip
    assert len(rows) == 400
    plan = allocate(many, [Limit(name="contacts", uses="contacts", at_most=123.0)])
    assert plan.certificate.value == pytest.approx(123 * 7.0)
    assert plan.certificate.status == "optimal"


def test_zero_capacity_and_customers_without_offers():
    import msgspec

    candidates = instance(50, 3, 4)
    nothing = allocate(candidates, [Limit(name="contacts", uses="contacts", at_most=0.0)])
    assert nothing.certificate.offered == 0
    barred = msgspec.structs.replace(candidates, eligible=np.zeros((50, 3), dtype=bool))
    assert allocate(barred, [Limit(name="contacts", uses="contacts", at_most=10.0)]).certificate.value == 0.0


def test_values_of_very_different_size():
    import msgspec

    candidates = instance(60, 2, 8)
    value = np.where(np.arange(60)[:, None] % 2 == 0, 1e9, 1e-9) * np.ones((60, 2))
    sized = msgspec.structs.replace(candidates, value=np.where(candidates.eligible, value, 0.0))
    plan = allocate(sized, [Limit(name="contacts", uses="contacts", at_most=10.0)])
    assert plan.certificate.value == pytest.approx(1e10, rel=1e-9)


@pytest.mark.parametrize(("loss", "gain", "factor"), [(-1.0, 2e-6, 1.0), (-1e9, 1e-9, 1e9), (-1e9, 1e-9, 3.0)])
@pytest.mark.parametrize("count", [200, 3_000])
def test_a_floor_holds_whatever_it_costs_beside_the_mean_best_value(loss, gain, factor, count):
    one = instance(count, 1, 8)
    value = np.where(np.arange(count) == 7, gain, loss * np.linspace(1.0, factor, count))[:, None]
    ones = np.ones((count, 1))
    sized = msgspec.structs.replace(one, eligible=ones > 0, value=value, uses={**one.uses, "contacts": ones})
    floor = Limit(name="contacts", uses="contacts", at_least=count / 2)
    with_floor = allocate(sized, [floor]).certificate
    best = gain - np.sort(-value[np.arange(count) != 7, 0])[: count // 2 - 1].sum()
    assert (with_floor.status, with_floor.value) == ("optimal", pytest.approx(best, rel=1e-9))
    with pytest.raises(BrokenPromise, match=f"at_least is {count + 1} and {count} of contacts can be reached"):
        allocate(sized, [msgspec.structs.replace(floor, at_least=count + 1)])


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_place(poison):
    candidates = instance(10, 2, 1)
    row, offer = np.argwhere(candidates.eligible)[3]
    candidates.value[row, offer] = poison
    with pytest.raises(BadInput, match=rf"OP504.*o{row:04d} k{offer}"):
        allocate(candidates, [])


@pytest.mark.parametrize(
    ("offers", "most", "words"), [(0, None, "offer_ids are none"), (2, 0, "is 0"), (2, -1, "is -1")]
)
def test_what_could_offer_nothing_is_refused(offers, most, words):
    limits = [Limit(name="contacts", uses="contacts", at_most=5.0)]
    with pytest.raises(BadInput, match=rf"OP515.*{words}: expected"):
        allocate(instance(10, offers, 1), limits, offers_per_customer=most)
    with pytest.raises(BadInput, match="OP515"):
        frontier(instance(10, offers, 1), limits, "contacts", [1.0, 2.0], offers_per_customer=most)


def test_limits_that_cannot_hold_are_explained_and_the_advice_works():
    candidates = instance(300, 3, 1)
    limits = [Limit(name="lent", uses="lent", at_most=2000.0), Limit(name="floor", uses="contacts", at_least=200.0)]
    with pytest.raises(BrokenPromise) as refused:
        allocate(candidates, [*limits, Limit(name="idle", uses="loss", at_most=1e6)])
    said = {finding.subject: finding for finding in refused.value.findings}
    assert set(said) == {"limit 'lent'", "limit 'floor'"}
    advice = float(said["limit 'floor'"].next_step.split("set at_least = ")[1].split(",")[0])
    eased = allocate(candidates, [limits[0], Limit(name="floor", uses="contacts", at_least=advice)])
    assert eased.certificate.rows[1].used >= advice


def test_the_certificate_sees_a_tampered_plan():
    candidates, limits = instance(200, 3, 9), limits_of(200, "sums")
    plan = allocate(candidates, limits)
    best = np.where(candidates.eligible, candidates.value, -np.inf).argmax(axis=1)
    greedy = np.where(candidates.eligible.any(axis=1), best, -1)
    assert certify(candidates, limits, greedy, plan.prices, 1e-4, 0).status == "infeasible"


def test_the_data_hash_is_of_everything_that_was_solved():
    one = msgspec.structs.replace(instance(40, 2, 3), attributes={"shop": np.full(40, "a", dtype=object)})
    limits = [Limit(name="contacts", uses="contacts", at_most=15.0)]
    moved = np.array([f"x{i}" for i in range(40)], dtype=object)
    reserved = {"contacts": Reserved(margin=2.0)}
    differing = [
        allocate(each, asked, **other).certificate.data_hash
        for each, asked, other in [
            (one, limits, {}),
            (one, limits, {"offers_per_customer": 1}),
            (one, limits, {"reserved": reserved}),
            (one, [msgspec.structs.replace(limits[0], at_most=16.0)], {}),
            *[
                (msgspec.structs.replace(one, **change), limits, {})
                for change in (
                    {"opportunity_id": moved},
                    {"customer_id": moved},
                    {"slot": moved},
                    {"value": one.value + 1.0},
                    {"offer_ids": ("p", "q")},
                    {"attributes": {"shop": moved}},
                )
            ],
        ]
    ]
    assert len(set(differing)) == len(differing)
    assert allocate(one, limits, seed=3).certificate.data_hash == differing[0]


@pytest.mark.parametrize("made", [None, 3, 99, -2])
def test_the_certificate_refuses_what_is_not_eligible(made):
    candidates, limits = instance(200, 3, 9), limits_of(200, "sums")
    plan = allocate(candidates, limits)
    row = int(np.flatnonzero(~candidates.eligible.all(axis=1))[0])
    tampered = plan.choice.copy()
    tampered[row] = np.flatnonzero(~candidates.eligible[row])[0] if made is None else made
    with pytest.raises(OpportuneError, match=f"1 offers that are not eligible.*o{row:04d}"):
        certify(candidates, limits, tampered, plan.prices, 1e-4, 0)


def test_the_certificate_refuses_a_value_above_its_bound(monkeypatch):
    candidates, limits = instance(200, 3, 9), limits_of(200, "sums")
    plan = allocate(candidates, limits)
    net = certificate._net
    monkeypatch.setattr(certificate, "_net", lambda *given: net(*given) - 1.0)
    with pytest.raises(OpportuneError, match="exceeds its bound"):
        certify(candidates, limits, plan.choice, plan.prices, 1e-4, 0)


def test_numbers_of_pairs_that_are_not_eligible_do_not_matter():
    candidates, limits = instance(200, 3, 9), limits_of(200, "ratio")
    noise = np.where(candidates.eligible, 0.0, np.nan)
    uses = {name: amounts + noise for name, amounts in candidates.uses.items()}
    plan = allocate(candidates, limits)
    odd = msgspec.structs.replace(candidates, value=candidates.value + noise, uses=uses)
    assert certify(odd, limits, plan.choice, plan.prices, 1e-4, 0).bound == plan.certificate.bound


@pytest.mark.parametrize("factor", [0.0, 0.3, 3.0])
def test_wrong_prices_still_give_a_valid_bound(factor):
    candidates, limits = instance(200, 3, 9), limits_of(200, "ratio")
    plan = allocate(candidates, limits)
    wrong = {name: factor * price for name, price in plan.prices.items()}
    again = certify(candidates, limits, plan.choice, wrong, 1e-4, 0)
    assert again.bound >= plan.certificate.value
    assert again.status == "feasible"
    assert again.value == plan.certificate.value


def test_unscaling_prices_inverts_scaling():
    limits = limits_of(50, "floor")
    problem = prepare(instance(50, 3, 2), limits, None).problem(limits, {})
    prices = np.array([0.5, 2.0, 0.0, 7.0])
    assert problem.scaled_prices(problem.prices_of(prices)) == pytest.approx(prices)


def test_the_frontier_rises_and_its_prices_fall():
    candidates = instance(800, 3, 11)
    points = frontier(
        candidates, [Limit(name="contacts", uses="contacts", at_most=1.0)], "contacts", [50, 150, 300, 500, 800]
    )
    assert np.all(np.diff([point.value for point in points]) >= -1e-6)
    assert np.all(np.diff([point.price for point in points]) <= 1e-9)


def test_a_bound_that_no_plan_keeps_is_an_empty_point_of_the_frontier():
    limits = [Limit(name="contacts", uses="contacts", at_most=300, at_least=100)]
    empty, good = frontier(instance(800, 3, 11), limits, "contacts", [50, 150])
    assert (empty.limit, empty.value, empty.price, empty.offered) == (50, None, None, None)
    assert 100 <= good.offered <= 150


def test_the_same_input_gives_the_same_bits():
    candidates, limits = instance(500, 3, 12), limits_of(500, "floor")
    first, second = allocate(candidates, limits), allocate(candidates, limits)
    assert first.choice.tobytes() == second.choice.tobytes()
    assert first.prices == second.prices
    assert first.certificate == second.certificate
