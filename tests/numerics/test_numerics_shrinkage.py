"""Shrinkage: between the own rate and the parent's, by how much is known and how much segments differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.numerics import generator
from opportune.numerics.credibility import group_ratios, ratio_of_sums
from opportune.numerics.shrinkage import blend, level_strength, level_weights, month_strength, widened_rates


@settings(max_examples=80, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_a_blend_lies_between_its_two_sides(own, prior, data, strength):
    mixed = float(blend(np.array([own]), np.array([prior]), np.array([data]), strength)[0])
    assert min(own, prior) - 1e-12 <= mixed <= max(own, prior) + 1e-12


def test_nothing_known_is_the_prior_and_infinite_strength_too():
    assert blend(np.array([0.9]), np.array([0.1]), np.array([0.0]), 0.0)[0] == 0.1
    assert blend(np.array([0.9]), np.array([0.1]), np.array([1e9]), np.inf)[0] == 0.1


def test_the_spread_of_levels_is_found_again():
    rng = generator(1, "levels")
    expected = np.full(400, 60.0)
    events = rng.poisson(expected * rng.gamma(5.0, 1.0 / 5.0, 400))
    assert level_strength(events, expected) == pytest.approx(5.0, rel=0.25)


def test_levels_that_differ_by_chance_only_are_not_told_apart():
    rng = generator(2, "levels")
    expected = np.full(400, 60.0)
    assert level_strength(rng.poisson(expected), expected) > 500.0
    assert level_strength(np.array([3.0]), np.array([2.0])) == np.inf


def test_a_level_is_worth_its_expected_events_unless_months_vary():
    rows, hazard = np.full((1, 10), 500), np.full((1, 10), 0.02)
    assert level_weights(rows, hazard, np.inf)[0] == pytest.approx(100.0)
    assert level_weights(rows, hazard, 498.0)[0] == pytest.approx(50.0)
    assert level_weights(0 * rows, hazard, 10.0)[0] == 0.0


def test_the_spread_of_months_is_found_again():
    rng = generator(3, "months")
    mean = np.full((60, 36), 0.03)
    rows = np.full((60, 36), 800)
    events = rng.binomial(rows, rng.beta(200 * mean, 200 * (1 - mean)))
    assert month_strength(events, rows, mean) == pytest.approx(200.0, rel=0.2)
    assert month_strength(rng.binomial(rows, mean), rows, mean) > 20_000.0


def test_thick_months_stand_alone_and_thin_ones_are_pooled():
    rate, rows = widened_rates(np.array([100, 200, 1, 3, 0]), np.array([1000, 1000, 10, 10, 10]), 50.0)
    np.testing.assert_allclose(rate[:2], [0.1, 0.2])
    assert rows[:2].tolist() == [1000, 1000]
    assert rows[4] > 10
    assert 0.0 < rate[4] < 1.0


def test_many_rows_without_an_event_are_not_thin():
    rate, _ = widened_rates(np.array([100, 100, 0]), np.array([1000, 1000, 1000]), 50.0)
    assert rate[2] == 0.0


def test_nothing_at_risk_is_no_rate():
    rate, rows = widened_rates(np.zeros(3), np.zeros(3), 50.0)
    assert np.isnan(rate).all()
    assert not rows.any()


def test_ratios_of_like_groups_meet_and_of_unlike_ones_stay():
    rng = generator(4, "ratios")
    group, weight = np.repeat(np.arange(10), 500), rng.uniform(500, 1500, 5000)
    noise = rng.normal(0.0, 0.3, 5000)
    truth = np.linspace(0.1, 0.6, 10)
    for spread in (0.0, 1.0):
        level = 0.35 + spread * (truth - 0.35)
        y = weight * (level[group] + noise)
        whole, variance = ratio_of_sums(y, weight)
        found, deviation2 = group_ratios(
            y, weight, group, np.zeros(10, dtype=int), np.array([whole]), np.array([variance])
        )
        np.testing.assert_allclose(found, level, atol=4.0 * np.sqrt(deviation2.max()))
        assert np.ptp(found) == pytest.approx(np.ptp(level), abs=0.04)


def test_a_group_without_weight_takes_its_parents_ratio():
    y, weight, group = np.array([1.0, 4.0, 3.0]), np.array([10.0, 10.0, 10.0]), np.array([0, 1, 1])
    found, _ = group_ratios(y, weight, group, np.zeros(3, dtype=int), np.array([0.26]), np.array([0.01]))
    assert found[2] == 0.26
