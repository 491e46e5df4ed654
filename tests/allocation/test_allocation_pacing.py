"""Pacing: bounded steps from spend against plan, and days that differ from their forecast."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportune.allocation import PriceList, paced, still_planned
from opportune.domain import AsOf, Limit, places_of

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench.pacing import DAYS, simulated

START, END = (AsOf(datetime(2026, 3, day, tzinfo=UTC)) for day in (2, 3))
LIMITS = [
    Limit(name="budget", uses="cost", at_most=100.0),
    Limit(name="soft", uses="cost", at_most=100.0, soft_price=1.2),
    Limit(name="floor", uses="contacts", at_least=10.0),
    Limit(name="rate", uses="loss", per="lent", at_most=0.05),
]
WORTH = dict.fromkeys(("budget", "soft", "floor", "rate"), 2.0)


def listed(**prices):
    return PriceList(
        prices={"budget": 1.0, "soft": 1.0, "floor": 1.0, "rate": 1.0, **prices},
        places=places_of(LIMITS, []), valid_from=START, valid_until=END,
    )  # fmt: skip


def moved(name, price, spent, planned, **named):
    return paced(listed(**{name: price}), {name: spent}, {name: planned}, WORTH, **named).prices[name]


def test_the_formula_by_hand():
    assert moved("budget", 1.0, 12.1, 10.0) == pytest.approx(1.1 * 1.1 - 0.1)
    assert moved("budget", 1.0, 8.1, 10.0) == pytest.approx(1.1 * 0.9 - 0.1)
    assert moved("floor", 1.0, 10.0, 12.1) == pytest.approx(1.1 * 1.1 - 0.1)
    assert moved("budget", 1.0, 10.0, 10.0) == pytest.approx(1.0)
    assert moved("budget", 1.0, 10.0, 8.0, gain=1.0, step=0.5, least=0.0) == pytest.approx(1.25)


@given(
    st.sampled_from(["budget", "soft", "floor", "rate"]), st.floats(0.0, 1.0), st.floats(0.0, 1e9),
    st.floats(-1e9, 1e9),
)  # fmt: skip
def test_no_step_is_too_long_and_no_price_negative(name, price, spent, planned):
    found = moved(name, price, spent, planned)
    assert 0.0 <= found <= (1.2 if name == "soft" else 20.0)
    assert (price + 0.1) / 1.25 - 1e-9 <= found + 0.1 <= (price + 0.1) * 1.25 + 1e-9


@given(st.floats(0.01, 1.0), st.floats(0.1, 100.0), st.floats(0.1, 100.0))
def test_more_spent_never_gives_a_lower_price(price, one, other):
    less, more = sorted([one, other])
    assert moved("budget", price, less, 10.0) <= moved("budget", price, more, 10.0)
    assert moved("floor", price, less, 10.0) >= moved("floor", price, more, 10.0)


def test_a_zero_price_rises_and_a_price_falls_to_zero_and_no_higher_than_it_may():
    assert moved("budget", 0.0, 20.0, 10.0) == pytest.approx(0.1 * 1.25 - 0.1)
    assert moved("budget", 0.01, 1.0, 10.0) == 0.0
    assert moved("budget", 0.0, 1.0, 10.0) == 0.0
    assert moved("budget", 19.9, 20.0, 10.0) == 20.0
    assert moved("budget", 1.0, 1.0, 0.0) == pytest.approx(1.1 * 1.25 - 0.1)
    assert moved("budget", 1.0, 0.0, 0.0) == 1.0
    assert moved("soft", 1.15, 20.0, 10.0) == 1.2


def test_other_rows_and_the_window_stay():
    before = listed(soft=0.7)
    after = paced(before, {"budget": 20.0}, {"budget": 10.0}, WORTH)
    assert {**after.prices, "budget": 1.0} == before.prices
    assert (after.places, after.valid_from, after.valid_until) == (before.places, START, END)
    assert before.prices["budget"] == 1.0


def test_what_is_left_is_planned_over_what_is_still_to_come():
    limit = {"budget": 100.0, "loss": 50.0}
    assert still_planned(limit, {"budget": 40.0, "loss": 60.0}, 0.25) == {"budget": 15.0, "loss": 0.0}
    assert still_planned(limit, {"budget": 40.0}, 1.0) == {"budget": 60.0}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", DAYS)
def test_days_unlike_their_forecast_end_at_the_budget_and_near_the_best_in_hindsight(name, seed):
    day = simulated(DAYS[name], pace=True, seed=seed)
    assert day.spent["budget"] == pytest.approx(1.0, abs=0.03)
    assert day.spent["expected loss"] <= 1.03
    assert 0.95 <= day.value <= 1.03


def test_fixed_prices_overspend_or_leave_money_on_such_days():
    spent = {
        name: simulated(DAYS[name], pace=False).spent["budget"]
        for name in ("more_traffic", "less_traffic", "other_mix")
    }
    assert spent["more_traffic"] > 1.3
    assert spent["less_traffic"] < 0.8
    assert spent["other_mix"] > 1.15
