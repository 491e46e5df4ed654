"""Lifetime value and the period accounts: two computations of one loan that must agree, and identities of each."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import (
    RLTC_LINES,
    Assumption,
    Curves,
    Displaced,
    LifetimeAssumptions,
    Loans,
    Scenario,
    accounts,
    incremental,
    statement,
    value,
    value_estimate,
)
from opportune.economics.accounts import ACCOUNTS, post
from opportune.economics.lifetime_assumptions import UNITS
from opportune.economics.path import expected_path, last_month

FREE = dict.fromkeys(UNITS, 0.0)
COSTS = {
    "cost_of_funds": 0.07, "advance_rate": 0.85, "capital_ratio": 0.15, "cost_of_equity": 0.12, "discount_rate": 0.08,
    "origination": 1.5, "processing_per_payment": 0.3, "processing_share": 0.01, "servicing": 0.8, "servicing_fee": 0.01,
    "late_fee": 7.0, "late_share": 0.05, "contact": 0.4, "acquisition": 12.0,
}  # fmt: skip
SCENARIO = Scenario(name="bad", says="twice the losses", loss=2.0, prepay=0.5, funding=1.5, volume=0.8)


def assumed(figures=COSTS, **changes):
    made = {name: Assumption(value=figures[name], unit=unit, source="test") for name, unit in UNITS.items()}
    given = {"currency": "USD", "capital_is": "hurdle", "scenario": (SCENARIO,), **changes}
    return LifetimeAssumptions(**{**made, **given})


def loans(count=1, **columns):
    plain = {
        "principal": 1200.0, "rate": 0.24, "payments": 12.0, "per_year": 12.0, "first_period": 1.0, "flat": 0.0,
        "segment": 0, "gmv": 1200.0, "mdr": 0.0, "interchange": 0.0, "incentive": 0.0, "market_rate": 0.0, "sold": 0.0,
        "sale_price": 1.0, "refunded": 0.0,
    }  # fmt: skip
    arrays = {name: np.broadcast_to(columns.get(name, each), count).copy() for name, each in plain.items()}
    return Loans(loan_id=np.arange(count).astype(str), **arrays, currency="USD")


def curves(default=0.0, prepay=0.0, recovery=(0.0,), lag=4, segments=1, months=60):
    shape = (segments, months)
    return Curves(
        segments=tuple(f"s{i}" for i in range(segments)), default=np.full(shape, default) * np.arange(1, segments + 1)[:, None],
        prepay=np.full(shape, prepay), recovery=np.tile(recovery, (segments, 1)), charge_off_lag=lag,
    )  # fmt: skip


CURVES = curves(0.004, 0.02, (0.05, 0.03, 0.02), lag=4, segments=3)


@st.composite
def books(draw):
    """Loans of every product: pay in four, weekly, monthly, quarterly, flat, odd first periods, sold, refunded."""
    count = draw(st.integers(1, 6))
    column = lambda values: np.array(draw(st.lists(values, min_size=count, max_size=count)))  # noqa: E731
    share = st.floats(0, 1)
    principal = column(st.floats(20, 9000))
    return loans(
        count, principal=principal, rate=column(st.sampled_from([0.0, 0.1, 0.36])), payments=column(st.integers(1, 14)).astype(float),
        per_year=column(st.sampled_from([4.0, 12.0, 26.0, 52.0])), first_period=column(st.sampled_from([0.4, 1.0, 1.8])),
        flat=column(st.sampled_from([0.0, 1.0])), segment=column(st.integers(0, 2)), gmv=principal * 1.25,
        mdr=column(st.floats(0, 0.2)), interchange=column(st.floats(0, 0.03)), incentive=column(st.floats(0, 5)),
        market_rate=column(st.sampled_from([0.0, 0.15, 0.5])), sold=column(share), sale_price=column(st.floats(0.9, 1.1)),
        refunded=column(share),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(books(), st.sampled_from(["lifetime", "stages"]), st.sampled_from([None, "bad"]))
def test_periods_add_up_to_the_lifetime_lines_of_each_loan(book, allowance, scenario):
    """The promise of the room: per loan, to a hundredth of a cent, in every line, whatever the allowance."""
    from opportune.economics.lifetime import stressed

    given = assumed() if scenario is None else assumed().under(scenario)
    actual = stressed(CURVES, given.in_scenario)
    posted = post(
        book, expected_path(book, actual, last_month(book, actual)), given, actual, allowance=allowance, stage_2=0.1
    )
    lines = value(book, CURVES, given).value.lines
    for line in RLTC_LINES:
        booked = -posted["provision" if line == "credit_loss" else line].sum(axis=1)
        assert booked == pytest.approx(lines[line], abs=1e-4), line
    assert np.abs(sum(posted.values())).max() < 1e-8
    for account in ("loans", "discount", "allowance", "interest_receivable", "debt"):
        assert posted[account].sum(axis=1) == pytest.approx(np.zeros(len(book)), abs=1e-6), account
    assert posted["cash"].sum(axis=1) == pytest.approx(value(book, CURVES, given).rltc(discounted=False), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(books())
def test_one_loan_and_many_give_the_same_bits(book):
    many = value(book, CURVES, assumed())
    for row in range(len(book)):
        one = value(book.take(slice(row, row + 1)), CURVES, assumed())
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


def test_a_hurdle_is_in_the_objective_and_cash_is_in_contribution():
    book = loans()
    hurdle, cash = (value(book, CURVES, assumed(capital_is=kind)) for kind in ("hurdle", "cash"))
    charge = hurdle.value.lines["cost_of_equity"]
    assert charge[0] < 0.0
    assert hurdle.contribution(discounted=False) - cash.contribution(discounted=False) == pytest.approx(-charge)
    assert hurdle.objective() == pytest.approx(cash.objective())


def test_lines_add_up_to_rltc_contribution_and_objective():
    found = value(loans(3, mdr=0.04), CURVES, assumed())
    rltc = found.rltc(discounted=True)
    assert rltc == pytest.approx(sum(found.discounted[name] for name in RLTC_LINES))
    contribution = found.contribution(discounted=True)
    assert contribution == pytest.approx(rltc + found.discounted["contact"] + found.discounted["acquisition"])
    assert found.objective() == pytest.approx(contribution + found.discounted["cost_of_equity"])


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
    assert bad["credit_loss"][0] < 1.8 * usual["credit_loss"][0]
    assert bad["funding_cost"][0] < 1.4 * usual["funding_cost"][0]
    with pytest.raises(BadInput, match=r"OP454.*expected one of bad"):
        assumed().under("worse")


def test_cecl_provides_at_once_and_stages_provide_later():
    book, when = loans(50), np.full(50, np.datetime64("2024-01"))
    shared = {"originated": when, "exclusions": {}}
    cecl, stages = (accounts(book, CURVES, assumed(), allowance=how, **shared) for how in ("lifetime", "stages"))
    whole = cecl.postings["provision"].sum()
    assert cecl.postings["provision"][0] == pytest.approx(whole)
    assert np.abs(cecl.postings["provision"][1:]).max() < 1e-6
    longer = accounts(loans(50, payments=36.0), CURVES, assumed(), allowance="stages", **shared)
    assert 0.3 < longer.postings["provision"][0] / longer.postings["provision"].sum() < 0.8
    assert stages.postings["provision"].sum() == pytest.approx(whole)


def test_losses_that_come_out_otherwise_run_through_the_provision():
    book, when = loans(), np.array([np.datetime64("2024-01")])
    worse = curves(0.008, 0.02, (0.05, 0.03, 0.02), segments=3)
    told = accounts(book, worse, assumed(), originated=when, allowance="lifetime", exclusions={}, expected=CURVES)
    total = -value(book, worse, assumed()).value.lines["credit_loss"][0]
    assert told.postings["provision"].sum() == pytest.approx(total)
    assert told.postings["provision"][0] == pytest.approx(-value(book, CURVES, assumed()).value.lines["credit_loss"][0])
    assert told.postings["provision"][1:].max() > 0.0
    assert told.balances("allowance")[-1] == pytest.approx(0.0, abs=1e-9)


def test_delinquency_says_what_it_leaves_out():
    book, when = loans(4), np.full(4, np.datetime64("2024-01"))
    whole = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime", exclusions={})
    part = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime",
                    exclusions={"pay in four": np.array([True, True, False, False])})  # fmt: skip
    assert part.exclusions == ("pay in four",)
    assert part.active == pytest.approx(whole.active / 2)
    assert 0.0 < whole.dq30()[6] < 0.05


def test_statements_by_month_quarter_and_fiscal_year_add_up():
    book = loans(12, mdr=0.05)
    when = np.datetime64("2023-07") + np.arange(12)
    told = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime", exclusions={})
    by = {every: statement(told, every=every, year_ends=6) for every in ("month", "quarter", "year")}
    for each in by.values():
        assert each.lines.sum(axis=1) == pytest.approx(by["month"].lines.sum(axis=1))
        assert each.line("rltc") == pytest.approx(each.line("total revenue") - each.line("total transaction costs"))
    assert str(by["year"].periods[0]) == "2024-06"
    assert by["year"].line("merchant_fee")[0] == pytest.approx(12 * 60.0)
    assert str(by["quarter"].periods[0]) == "2023-09"


AFFIRM = {  # $m: Affirm Results Presentation Deck, "Annual Revenue & Transaction Cost Detail"; fiscal years to June
    "gmv": (8292, 15483, 20201), "merchant_fee": (379.6, 458.5, 507.6), "card_network": (49.9, 100.7, 119.3),
    "interest": (326.4, 527.9, 685.2), "gain_on_sale": (89.9, 196.4, 188.3), "servicing_income": (24.7, 65.8, 87.5),
    "loss_on_purchase": (246.7, 204.1, 140.3), "provision": (65.9, 255.3, 331.9), "funding_cost": (52.7, 69.7, 183.0),
    "processing": (73.6, 157.8, 257.3),
}  # fmt: skip
PRINTED = {
    "total revenue": (870.5, 1349.3, 1588.0),
    "total transaction costs": (438.9, 686.9, 912.5),
    "rltc": (431.6, 662.4, 675.5),
}
PRINTED_SHARES = {
    "total revenue": (10.50, 8.71, 7.86),
    "total transaction costs": (5.29, 4.44, 4.52),
    "rltc": (5.21, 4.28, 3.34),
}


INCOME = ("merchant_fee", "card_network", "interest", "gain_on_sale", "servicing_income")


def scaled(book, period, wanted):
    """The book with each line of each period scaled to a wanted amount, other lines zero, cash as what balances."""
    postings = dict.fromkeys(ACCOUNTS, np.zeros(len(book.months)))
    for line, amounts in wanted.items():
        raw, sign = book.postings[line], -1.0 if line in INCOME else 1.0
        postings[line] = sum(
            np.where(period == i, raw * sign * amount / raw[period == i].sum(), 0.0) for i, amount in enumerate(amounts)
        )
    postings["cash"] = -sum(postings.values())
    return msgspec.structs.replace(book, postings=postings)


def unrounded():
    """Lines that round to the printed ones and add up to the printed totals (FY23 revenue misses its total by 0.1)."""
    lines = {name: np.array(amounts) for name, amounts in AFFIRM.items() if name != "gmv"}
    missing = np.array(PRINTED["total revenue"]) - sum(lines[name] for name in INCOME)
    total = np.array(PRINTED["total revenue"])
    return {name: line + missing * line / total if name in INCOME else line for name, line in lines.items()}


def test_the_affirm_table_comes_out_to_the_printed_digit():
    """A synthetic book of three fiscal years, scaled to the printed lines."""
    book = loans(360, principal=100.0, gmv=100.0, mdr=0.05, interchange=0.01, rate=0.2, market_rate=0.3, payments=6.0,
                 sold=0.3, sale_price=1.05)  # fmt: skip
    when = np.datetime64("2020-07") + np.arange(360) // 10
    told = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime", exclusions={})
    told = scaled(told, (told.months.astype(np.int64) - 6) // 12 - 50, unrounded())
    assert np.abs(sum(told.postings.values())).max() < 1e-9
    years, gmv = statement(told, every="year", year_ends=6), np.array(AFFIRM["gmv"])
    for line, printed in {**AFFIRM, **PRINTED}.items():
        if line != "gmv":
            assert np.round(years.line(line)[:3], 1).tolist() == list(printed), line
    for line, shares in PRINTED_SHARES.items():
        share = years.share_of(np.pad(gmv, (0, len(years.periods) - 3), constant_values=1))[years.names.index(line), :3]
        assert np.round(100 * share, 2).tolist() == list(shares), line


def test_provision_before_income():
    """Klarna US, Q4 2025, $m: of 2,500 lent 80 provided at once, 40 earned in the quarter, 180 later: 5.6 % over the life."""
    book = loans(payments=12.0, rate=0.18, principal=2500.0, gmv=2500.0)
    when = np.array([np.datetime64("2025-10")])
    told = accounts(book, curves(0.0044), assumed(FREE), originated=when, allowance="lifetime", exclusions={})
    by_quarter = statement(told, every="quarter").line("rltc")
    assert by_quarter[0] < 0.0 < by_quarter[1:5].min()
    later = np.minimum((told.months - when[0]).astype(np.int64) // 3, 1)
    klarna = scaled(told, later, {"interest": (40.0, 180.0), "provision": (80.0,)})
    rltc = statement(klarna, every="quarter").line("rltc")
    assert (rltc[0], rltc.sum() / 2500) == pytest.approx((-40.0, 0.056))


def test_an_incremental_value_takes_off_what_would_have_come_anyway():
    book = loans(2, mdr=0.05)
    offered = value(book, CURVES, assumed())
    organic = Displaced(kind="organic order", share=np.array([0.0, 1.0]), value=offered)
    found = incremental(offered, np.array([0.3, 0.3]), [organic], np.zeros(2))
    contact = offered.value.lines["contact"]
    assert found.contribution(discounted=True)[0] == pytest.approx(
        0.3 * (offered.contribution(discounted=True) - contact)[0] + contact[0]
    )
    # Everybody would have bought anyway: what is left is the contact, paid for nothing, and its saving in the baseline.
    assert found.contribution(discounted=True)[1] == pytest.approx(contact[1] - 0.3 * contact[1])
    assert found.value.lines["displaced: organic order"][1] < 0.0
    assert found.value.uses["exposure"][1] == pytest.approx(0.0)
    assert found.value.lines["cost_of_equity"][1] == pytest.approx(0.0)


def test_an_estimate_of_value_has_the_width_of_its_draws():
    uncertain = assumed(
        cost_of_funds=Assumption(value=0.07, unit=UNITS["cost_of_funds"], source="t", low=0.05, high=0.09)
    )
    book = loans(5)
    contribution = lambda found: found.contribution(discounted=False)  # noqa: E731
    same = value_estimate(book, CURVES, [CURVES] * 200, uncertain, contribution, seed=1)
    width = 2 * 0.02 / 0.07 * -value(book, CURVES, assumed()).value.lines["funding_cost"].sum()
    assert same.high - same.low == pytest.approx(width, rel=0.15)
    certain = value_estimate(book, CURVES, [CURVES] * 20, assumed(), contribution, seed=1)
    assert certain.low == certain.value == certain.high


def test_curves_that_end_before_a_loan_and_other_currencies_are_refused():
    with pytest.raises(BadInput, match=r"OP455.*cover 6 months: expected 12"):
        value(loans(), curves(months=6), assumed())
    with pytest.raises(BadInput, match="OP452"):
        value(loans(), CURVES, assumed(currency="EUR"))
