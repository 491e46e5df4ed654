"""Totals with intervals: by line and by cohort, under draws of curves and assumptions."""

import msgspec
import numpy as np
import pytest
from lending_books import CURVES, UNITS, assumed, curves, loans

from opportune.domain import BadInput
from opportune.economics import Assumption, Loans, Scenario, value, value_estimate
from opportune.economics.lifetime_assumptions import check_lifetime_assumptions
from opportune.economics.loans import ARRAYS

HALF = Scenario(name="half", says="half as many loans", volume=0.5)
UNCERTAIN = assumed(cost_of_funds=Assumption(value=0.07, unit=UNITS["cost_of_funds"], source="t", low=0.05, high=0.09))


def test_an_estimate_of_value_has_the_width_of_its_draws():
    book = loans(5)
    found = value_estimate(book, CURVES, [CURVES] * 200, UNCERTAIN, seed=1)
    width = 2 * 0.02 / 0.07 * -value(book, CURVES, assumed()).value.lines["funding_cost"].sum()
    for name in ("funding_cost", "rltc", "contribution"):
        told = found.of(name)
        assert told.high - told.low == pytest.approx(width, rel=0.15), name
        assert told.n == 5
    interest = found.of("interest")
    assert interest.low == interest.value == interest.high
    certain = value_estimate(book, CURVES, [CURVES] * 20, assumed(), seed=1).of("rltc")
    assert certain.low == certain.value == certain.high


@pytest.mark.parametrize(
    ("low", "value", "high"), [(0.01, 0.02, 0.3), (0.7, 0.95, 1.0), (0.04, 0.05, 0.06), (0.0, 0.0, 0.5)]
)
def test_a_range_is_that_of_its_draws_however_lopsided(low, value, high):
    given = assumed(late_share=Assumption(value=value, unit=UNITS["late_share"], source="t", low=low, high=high))
    rng = np.random.default_rng(5)
    draws = np.array([given.drawn(rng).figure("late_share") for _ in range(20_000)])
    assert 0.0 <= draws.min() <= draws.max() <= 1.0
    assert np.quantile(draws, [0.025, 0.5, 0.975]) == pytest.approx([low, value, high], abs=0.03 * (high - low))


def test_a_symmetric_range_is_a_normal_distribution():
    funds = UNCERTAIN.cost_of_funds
    assert [funds.drawn(each) for each in (-1.96, 0.0, 0.98, 1.96)] == pytest.approx([0.05, 0.07, 0.08, 0.09])


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (0.05, np.inf), (0.05, np.nan)])
def test_a_range_that_cannot_be_is_refused(low, high):
    with pytest.raises(ValueError, match="expected"):
        Assumption(value=0.07, unit=UNITS["cost_of_funds"], source="t", low=low, high=high)


def test_the_high_of_a_fraction_is_a_fraction():
    wide = Assumption(value=0.95, unit=UNITS["advance_rate"], source="t", low=0.9, high=1.2)
    (finding,) = check_lifetime_assumptions(assumed(advance_rate=wide))
    assert finding.text().startswith("assumptions [OP403] advance_rate.high is 1.2: expected a fraction")


def test_cohorts_add_up_and_each_has_its_interval():
    book = loans(6, principal=np.arange(1.0, 7.0) * 1000)
    worse = [curves(0.004 * factor, 0.02, (0.1,), segments=3) for factor in np.linspace(0.5, 1.5, 40)]
    found = value_estimate(book, CURVES, worse, assumed(), seed=1, cohort=np.array(list("aabbbb")))
    assert found.cohorts == ("a", "b", "all")
    for name in found.names:
        assert found.of(name, "a").value + found.of(name, "b").value == pytest.approx(found.of(name).value)
    loss = found.of("credit_loss", "a")
    assert loss.low < loss.value < loss.high
    assert loss.n == 2


def test_a_cohort_may_be_called_all():
    found = value_estimate(loans(3), CURVES, [CURVES], assumed(), seed=1, cohort=np.array(["all", "x", "x"]))
    assert found.cohorts == ("all", "x", "all")
    assert (found.of("rltc").n, found.of("rltc", "all").n, found.of("rltc", "x").n) == (3, 1, 2)
    assert found.of("rltc").value == pytest.approx(3.0 * found.of("rltc", "all").value)


def test_volume_moves_estimates_and_not_only_files():
    book = loans(3)
    usual, fewer = (
        value_estimate(book, CURVES, [], each, seed=1) for each in (assumed(), assumed(scenario=(HALF,)).under("half"))
    )
    assert fewer.of("interest").value == pytest.approx(0.5 * usual.of("interest").value)


def test_offers_in_columns_have_no_totals_yet():
    one = loans(4)
    wide = Loans(**{name: np.tile(getattr(one, name)[:, None], (1, 2)) for name in ARRAYS}, currency="USD")
    with pytest.raises(BadInput, match=r"OP450.*have shape \(4, 2\): expected \(n,\)"):
        value_estimate(wide, CURVES, [], assumed(), seed=1)


def months(count):
    return curves(0.004, 0.02, (0.1,), segments=3, months=count)


SHORT, REVERSED = months(12), msgspec.structs.replace(CURVES, segments=CURVES.segments[::-1])


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (SHORT, "OP432.*default of draw 2 has 12 months: expected 60, those of the curves"),
        (months(72), "OP432.*default of draw 2 has 72 months: expected 60"),
        (REVERSED, "OP432.*segments of draw 2 are s2, s1, s0: expected those of the curves in their order, s0, s1, s2"),
        (curves(0.01, segments=2), "OP432.*segments of draw 2 are s0, s1"),
        (msgspec.structs.replace(CURVES, default=CURVES.default * np.nan), "OP430.*default of s0, month 1 is nan"),
        (msgspec.structs.replace(CURVES, prepay=CURVES.prepay[:, :12]), r"OP432.*prepay of draw 2 has shape \(3, 12\)"),
    ],
)
def test_draws_are_of_the_curves_that_they_are_drawn_around(drawn, words):
    """Loans of 60 payments would read beyond draws of 12 months."""
    with pytest.raises(BadInput, match=words):
        value_estimate(loans(40, payments=60.0), CURVES, [CURVES, drawn], assumed(), seed=1)
