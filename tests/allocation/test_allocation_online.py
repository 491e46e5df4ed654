"""One opportunity at the prices of limits: the choice of a list, the kernel's choice, and prices outside their window."""

import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.allocation import PriceList, allocate, best_offer
from opportune.allocation._kernels import best_offers
from opportune.decisioning import choose, explain_choice, unit_charges
from opportune.domain import NO_OFFER_ID, AsOf, BadInput, Candidates, Limit, limit_rows, places_of

START, END = (AsOf(datetime(2026, 3, day, tzinfo=UTC)) for day in (2, 3))
NOON = AsOf(datetime(2026, 3, 2, 12, tzinfo=UTC))
HEAVY = {"numba", "scipy", "highspy", "pyarrow", "duckdb", "pandas", "polars", "xgboost", "sklearn"}


def instance(count, seed):
    rng = np.random.default_rng(seed)
    shape = (count, 4)
    eligible = rng.random(shape) < 0.8
    lent = np.where(eligible, rng.gamma(2.0, 50.0, shape), 0.0)
    ids = np.array([f"o{i:03d}" for i in range(count)], dtype=object)
    return Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b", "c", "d"), eligible=eligible,
        value=np.where(eligible, np.round(rng.normal(3.0, 6.0, shape)), 0.0),
        uses={"contacts": eligible.astype(float), "lent": lent, "loss": lent * rng.beta(1.0, 12.0, shape)},
        currency="USD",
        attributes={
            "shop": np.array([f"s{i % 3}" for i in range(count)], dtype=object), "score": rng.uniform(0, 1, count),
            "at": np.full(count, np.datetime64("2026-03-02T12:00", "us")),
        },
    )  # fmt: skip


def limits_of(count):
    return [
        Limit(name="contacts", uses="contacts", at_most=0.5 * count),
        Limit(name="shops", uses="lent", by="shop", at_most=8.0 * count),
        Limit(name="loss rate", uses="loss", per="lent", at_most=0.06),
        Limit(name="new", uses="contacts", where="score < 0.5", at_least=0.1 * count),
        Limit(name="parity", uses="contacts", by="shop", within=0.05),
        Limit(name="weekly", uses="lent", period="week", at_most=30.0 * count, soft_price=0.1),
    ]


def priced(candidates, limits, scale, seed):
    """Return a price list with drawn prices for every row of the limits."""
    places, draw = places_of(limits, [candidates.attributes]), np.random.default_rng(seed)
    prices = {row.name: float(scale * draw.uniform(0.0, 0.2)) for row in limit_rows(places)}
    return PriceList(prices=prices, places=places, valid_from=START, valid_until=END)


def asked(candidates, prices, i):
    """Return the best offer of one opportunity of a list."""
    charges = prices.charges({name: values[i] for name, values in candidates.attributes.items()}, NOON)
    values = np.where(candidates.eligible[i], candidates.value[i], -np.inf)
    return best_offer(values, {name: amounts[i] for name, amounts in candidates.uses.items()}, charges)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 3.0]))
def test_one_opportunity_gets_what_a_list_would_give_it_to_the_bit(count, seed, scale):
    candidates = instance(count, seed)
    prices = priced(candidates, limits_of(30), scale, seed)
    chosen = choose(candidates, unit_charges(prices.places, prices.prices, candidates.attributes))
    for i in range(count):
        found = asked(candidates, prices, i)
        assert found.offer == chosen.choice[i]
        assert found.net == (chosen.net[i, found.offer] if found.offer >= 0 else 0.0)
        ids = [
            NO_OFFER_ID if k == -1 else candidates.offer_ids[k] for k in (found.offer, found.runner_up) if k is not None
        ]
        told = explain_choice(candidates, prices.places, prices.prices, i).ranked
        assert [offer.net for offer in told] == pytest.approx([found.net, found.runner_up_net][: len(told)], abs=1e-9)
        if len(told) == 2 and told[0].net > told[1].net + 1e-9:
            assert ids[0] == told[0].offer_id
        assert len(ids) == len(told)


def test_the_prices_of_a_plan_give_its_choices_but_for_the_repaired():
    candidates, limits = instance(300, 3), limits_of(300)
    plan = allocate(candidates, limits, gap=1e-2)
    prices = PriceList(prices=plan.prices, places=plan.places, valid_from=START, valid_until=END)
    online = np.array([asked(candidates, prices, i).offer for i in range(300)])
    assert plan.prices["contacts"] > 0 or plan.prices["loss rate"] > 0
    assert np.sum(online != plan.choice) == plan.certificate.repaired
    assert plan.certificate.repaired < 30


def test_the_solvers_kernel_chooses_the_same():
    draw = np.random.default_rng(4)
    offers, charges = draw.normal(1.0, 1.0, (500, 10, 8)), draw.uniform(0.0, 0.3, (1, 9))
    alone, nothing = np.arange(501), np.full(500, -1)
    choice, margin, *_ = best_offers(offers, np.zeros(500, np.int64), np.ones(500), alone, 1, charges, nothing)
    of = dict(enumerate(charges[0].tolist()))
    found = [best_offer(one[0], dict(enumerate(one[1:])), of) for one in offers]
    assert [each.offer for each in found] == choice.tolist()
    np.testing.assert_allclose([each.net - each.runner_up_net for each in found], margin, atol=1e-12)
    assert len(set(choice.tolist())) == 9


def test_nobody_eligible_ties_and_what_is_no_number():
    uses, free = {"contacts": np.ones(2)}, {"contacts": 0.0}
    nobody = best_offer(np.full(2, -np.inf), uses, {"contacts": 2.0})
    assert (nobody.offer, nobody.net, nobody.runner_up) == (-1, 0.0, None)
    none = best_offer(np.array([2.0, 2.0]), uses, {"contacts": 2.0})
    assert (none.offer, none.runner_up, none.runner_up_net) == (-1, 0, 0.0)
    first = best_offer(np.array([2.0, 2.0]), uses, free)
    assert (first.offer, first.net, first.runner_up, first.runner_up_net) == (0, 2.0, 1, 2.0)
    alone = best_offer(np.array([-np.inf, 3.0]), uses, free)
    assert (alone.offer, alone.runner_up, alone.runner_up_net) == (1, -1, 0.0)


@pytest.mark.parametrize(
    ("value", "use", "says"),
    [
        (np.nan, 1.0, r"\[OP504\] value, offer 0 is not finite"),
        (np.inf, 1.0, "value, offer 0"),
        (3.0, np.nan, "contacts, offer 0"),
        (3.0, np.inf, "contacts, offer 0"),
    ],
)
def test_an_offer_of_no_number_is_refused_and_not_passed_over(value, use, says):
    with pytest.raises(BadInput, match=says):
        best_offer(np.array([value, -np.inf]), {"contacts": np.array([use, np.nan])}, {"contacts": 1.0})


@pytest.mark.parametrize("at", [AsOf(datetime(2026, 3, 1, 23, 59, tzinfo=UTC)), END])
def test_prices_outside_their_window_are_refused_with_a_sentence(at):
    prices = priced(instance(5, 0), limits_of(5), 1.0, 0)
    with pytest.raises(
        BadInput, match=r"OP513\] are asked for at .*, and hold from 2026-03-02.* until 2026-03-03.*Next: plan again"
    ):
        prices.charges({}, at)


def test_the_instant_of_the_request_says_which_week_is_charged():
    weekly = Limit(name="weekly", uses="cost", period="week", at_most=10.0)
    places = places_of([weekly], [{"at": np.array(["2026-03-01", "2026-03-02"], dtype="datetime64[us]")}])
    prices = PriceList(
        prices={"weekly [2026-02-23]": 1.0, "weekly [2026-03-02]": 4.0}, places=places,
        valid_from=AsOf.parse("2026-02-25"), valid_until=END,
    )  # fmt: skip
    assert prices.charges({}, AsOf.parse("2026-03-01T23:59:59")) == {"cost": 1.0}
    assert prices.charges({}, START) == {"cost": 4.0}


def test_a_period_or_a_value_that_was_not_planned_has_no_price_and_not_a_price_of_zero():
    columns = {"at": np.array(["2026-03-30"], dtype="datetime64[us]"), "shop": np.array([7.0])}
    monthly = Limit(name="monthly", uses="cost", period="month", at_most=10.0)
    shops = Limit(name="shops", uses="cost", by="shop", at_most=10.0, where="shop < 100")
    prices = PriceList(
        prices={"monthly [2026-03]": 2.0, "shops [7]": 3.0}, places=places_of([monthly, shops], [columns]),
        valid_from=AsOf.parse("2026-03-30"), valid_until=AsOf.parse("2026-04-06"),
    )  # fmt: skip
    assert prices.charges({"shop": 7}, AsOf.parse("2026-03-31")) == {"cost": 5.0}
    assert prices.charges({"shop": 100}, AsOf.parse("2026-03-31")) == {"cost": 2.0}
    with pytest.raises(BadInput, match="limit 'monthly' have none for '2026-04'"):
        prices.charges({"shop": 7}, AsOf.parse("2026-04-02"))
    with pytest.raises(BadInput, match="limit 'shops' have none for '8'"):
        prices.charges({"shop": 8}, AsOf.parse("2026-03-31"))


def test_an_attribute_that_a_limit_reads_and_nobody_gave_is_named():
    prices = priced(instance(9, 0), limits_of(9), 1.0, 0)
    with pytest.raises(BadInput, match=r"\[OP503\] shop is read by a limit and not given"):
        prices.charges({"score": 0.5}, NOON)


@pytest.mark.parametrize(("change", "says"), [
    ({"valid_until": START}, "expected an end after the beginning"),
    ({"prices": {"contacts": -0.1}}, "price of 'contacts' is -0.1: expected a finite number"),
    ({"prices": {"contacts": float("nan")}}, "is nan: expected a finite number"),
    ({"prices": {"contacts": float("inf")}}, "is inf: expected a finite number"),
])  # fmt: skip
def test_price_lists_that_cannot_be_are_refused(change, says):
    with pytest.raises(BadInput, match=f"OP513.*{says}"):
        msgspec.structs.replace(priced(instance(5, 0), [], 1.0, 0), **change)


def test_a_price_list_travels_as_json():
    prices = priced(instance(9, 0), limits_of(9), 1.0, 0)
    assert msgspec.json.decode(msgspec.json.encode(prices), type=PriceList) == prices


def test_a_service_that_prices_loads_no_solver():
    program = "import sys\nfrom opportune.allocation import PriceList, best_offer, paced, still_planned\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & HEAVY
