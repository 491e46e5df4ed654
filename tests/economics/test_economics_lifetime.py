"""Lifetime value: identities, and loans small enough to check by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from lending_books import COSTS, CURVES, FREE, assumed, books, curves, loans, seasoned

from opportune.domain import BadInput
from opportune.economics import RLTC_LINES, value


@settings(max_examples=30, deadline=None)
@given(books())
def test_one_loan_and_many_give_the_same_bits(book):
    many = value(book, seasoned(), assumed())
    for row in range(len(book)):
        one = value(book.take(slice(row, row + 1)), seasoned(), assumed())
        for name, line in many.value.lines.items():
            assert one.value.lines[name][0] == line[row]
            assert one.discounted[name][0] == many.discounted[name][row]


def test_a_safe_loan_earns_the_interest_of_its_schedule():
    lines = value(loans(), curves(), assumed(FREE)).value.lines
    assert lines["interest"][0] == pytest.approx(12 * 113.4715 - 1200.0, abs=0.001)  # level payment at 2 % a month
    assert lines["credit_loss"][0] == 0.0


def test_a_loan_that_always_defaults_at_once_loses_its_principal_less_recoveries():
    lines = value(loans(), curves(default=1.0, recovery=(0.1, 0.05)), assumed(FREE)).value.lines
    assert lines["interest"][0] == 0.0
    assert lines["credit_loss"][0] == pytest.approx(-1200.0 * 0.85)


def test_a_loan_that_is_always_prepaid_pays_one_month_of_interest():
    assert value(loans(), curves(prepay=1.0), assumed(FREE)).value.lines["interest"][0] == pytest.approx(24.0)


def test_a_flat_loan_pays_interest_on_its_first_principal():
    assert value(loans(flat=1.0), curves(), assumed(FREE)).value.lines["interest"][0] == pytest.approx(1200 * 0.24)


def test_pay_in_four_by_hand():
    """200 of goods, 50 down, 3 x 50 fortnightly, fee 5 %: 10 earned; 150, 100 and 50 owed for two weeks each at 7.8 %."""
    book = loans(principal=150.0, rate=0.0, payments=3.0, per_year=26.0, gmv=200.0, mdr=0.05)
    lines = value(book, curves(), assumed({**FREE, "cost_of_funds": 0.078, "advance_rate": 1.0})).value.lines
    assert lines["merchant_fee"][0] == pytest.approx(10.0)
    assert lines["funding_cost"][0] == pytest.approx(-0.078 * 300 / 26)


def test_what_is_paid_above_value_comes_back_as_interest_and_is_charged_once():
    """A 0 % loan bought above its value: loss on purchase and accretion cancel, and its interest is only accretion."""
    lines = value(loans(rate=0.0, market_rate=0.2), curves(0.01, 0.03, (0.1,)), assumed(FREE)).value.lines
    assert lines["loss_on_purchase"][0] < -100.0
    assert lines["interest"][0] == pytest.approx(-lines["loss_on_purchase"][0])
    dear = value(loans(rate=0.3, market_rate=0.2), curves(), assumed(FREE)).value.lines
    assert dear["loss_on_purchase"][0] == 0.0


def test_of_a_loan_sold_whole_only_the_sale_and_servicing_remain():
    found = value(loans(sold=1.0, sale_price=1.02, market_rate=0.3), CURVES, assumed()).value
    for line in ("interest", "late_fees", "credit_loss", "funding_cost", "cost_of_equity"):
        assert found.lines[line][0] == 0.0
    assert found.lines["gain_on_sale"][0] + found.lines["loss_on_purchase"][0] == pytest.approx(24.0)
    assert found.lines["servicing_income"][0] > 0.0
    assert found.uses["exposure"][0] == 0.0


def test_a_hurdle_is_in_economic_profit_and_cash_is_in_contribution():
    book = loans()
    hurdle, cash = (value(book, CURVES, assumed(capital_is=kind)) for kind in ("hurdle", "cash"))
    charge = hurdle.value.lines["cost_of_equity"]
    assert charge[0] < 0.0
    assert hurdle.contribution(discounted=False) - cash.contribution(discounted=False) == pytest.approx(-charge)
    assert hurdle.economic_profit() == pytest.approx(cash.economic_profit())


def test_lines_add_up_to_rltc_contribution_and_economic_profit():
    found = value(loans(3, mdr=0.04), CURVES, assumed())
    rltc = found.rltc(discounted=True)
    assert rltc == pytest.approx(sum(found.discounted[name] for name in RLTC_LINES))
    contribution = found.contribution(discounted=True)
    assert contribution == pytest.approx(rltc + found.discounted["contact"] + found.discounted["acquisition"])
    assert found.economic_profit() == pytest.approx(contribution + found.discounted["cost_of_equity"])


def test_without_a_discount_rate_discounted_lines_are_the_lines():
    found = value(loans(2), CURVES, assumed({**COSTS, "discount_rate": 0.0}))
    for name, line in found.value.lines.items():
        assert found.discounted[name] == pytest.approx(line), name


def test_exposure_is_the_average_balance_and_the_provision_is_due_at_once():
    uses = value(loans(rate=0.0), curves(), assumed()).value.uses
    assert uses["exposure"][0] == pytest.approx(1200 * 13 / 24)  # 1200, 1100, ..., 100 over twelve months
    assert uses["capital"][0] == pytest.approx(0.15 * uses["exposure"][0])
    risky = value(loans(payments=24.0), CURVES, assumed())
    assert risky.value.uses["provision_at_origination"] == pytest.approx(-risky.value.lines["credit_loss"])
    stage_1 = value(loans(payments=24.0), CURVES, assumed(), allowance="stages").value.uses["provision_at_origination"]
    assert 0.0 < stage_1[0] < risky.value.uses["provision_at_origination"][0]


def test_a_scenario_moves_what_it_names():
    usual, bad = (value(loans(), CURVES, each).value.lines for each in (assumed(), assumed().under("bad")))
    assert bad["credit_loss"][0] < 0.8 * 1.8 * usual["credit_loss"][0]
    assert bad["funding_cost"][0] < 0.8 * 1.4 * usual["funding_cost"][0]
    assert bad["acquisition"][0] == pytest.approx(0.8 * usual["acquisition"][0])
    assert bad["contact"][0] == usual["contact"][0]
    with pytest.raises(BadInput, match=r"OP454.*expected one of bad"):
        assumed().under("worse")


def test_curves_that_end_before_a_loan_and_other_currencies_are_refused():
    with pytest.raises(
        BadInput, match=r"OP455.*row 1 \(0\), payments has its last payment in month 12: expected at most 6"
    ):
        value(loans(), curves(months=6), assumed())
    with pytest.raises(BadInput, match="OP452"):
        value(loans(), CURVES, assumed(currency="EUR"))


def test_a_flat_loan_above_its_value_amortises_with_its_balance():
    lines = value(loans(flat=1.0, market_rate=0.9), curves(), assumed(FREE)).value.lines
    discount = -lines["loss_on_purchase"][0]
    assert discount > 0.0
    assert lines["interest"][0] == pytest.approx(1200 * 0.24 + discount)


def test_the_risk_of_a_row_multiplies_its_default_hazards():
    twice = value(loans(2, risk=np.array([1.0, 2.0])), curves(0.004, 0.02), assumed())
    plain = value(loans(), curves(0.008, 0.02), assumed())
    for name, line in plain.value.lines.items():
        assert twice.value.lines[name][1] == pytest.approx(line[0]), name


def test_offers_of_several_opportunities_are_valued_in_their_shape():
    """Arrays (n, K): every entry is the value of that loan by itself, to the bit."""
    flat = loans(6, principal=np.linspace(300.0, 900.0, 6), rate=np.linspace(0.0, 0.3, 6), payments=np.arange(3.0, 9.0))
    names = [name for name in flat.__struct_fields__ if name != "currency"]
    grid = type(flat)(**{name: getattr(flat, name).reshape(2, 3) for name in names}, currency="USD")
    one, many = value(flat, CURVES, assumed()), value(grid, CURVES, assumed())
    assert many.value.lines["interest"].shape == (2, 3)
    for name, line in one.value.lines.items():
        assert np.array_equal(many.value.lines[name].ravel(), line)
        assert np.array_equal(many.discounted[name].ravel(), one.discounted[name])
    for name, use in one.value.uses.items():
        assert np.array_equal(many.value.uses[name].ravel(), use)
    assert many.economic_profit().shape == (2, 3)


@settings(max_examples=60, deadline=None)
@given(books())
def test_the_walk_gives_the_same_bits_plain_and_compiled(book):
    """A service values a few offers without the compiler, a plan millions with it: one definition decides in both."""
    plain, given = value(book, seasoned(), assumed()), assumed()
    many = value(book.take(np.arange(40) % len(book)), seasoned(), given)
    for row in range(len(book)):
        for name, line in plain.value.lines.items():
            assert many.value.lines[name][row] == line[row], name
            assert many.discounted[name][row] == plain.discounted[name][row], name
