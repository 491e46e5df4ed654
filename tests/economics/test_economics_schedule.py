"""Schedules against published ones, to the cent, and the two forms against each other."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import BusinessDays, Terms, UnitPeriod, business_day, level_schedules, schedule
from opportune.economics.schedule import down_payment
from opportune.economics.terms import interest_dates
from opportune.numerics import year_fraction, year_fractions

MONTH, TWO_WEEKS = UnitPeriod("month", 1), UnitPeriod("day", 14)


def terms(amount, rate, payments, **named):
    base = {"period": MONTH, "disbursed": date(2024, 1, 1), "first_payment": date(2024, 2, 1), "day_count": "30/360"}
    return Terms(amount=Decimal(amount), rate=Decimal(rate), payments=payments, **{**base, **named})


def column(rows, name):
    return [float(getattr(row, name)) for row in rows]


def test_fineract_thirty_days_a_month():
    """ProgressiveEMICalculatorTest of Apache Fineract: 100.00 at 9.4822 % over 6 months from 2024-01-01."""
    rows = schedule(terms("100.00", "0.094822", 6))
    assert column(rows, "payment") == [17.13] * 6
    assert column(rows, "interest") == [0.79, 0.66, 0.53, 0.40, 0.27, 0.13]
    assert column(rows, "balance") == [83.66, 67.19, 50.59, 33.86, 17.00, 0.0]


def test_fineract_actual_days():
    """The same test, actual/365: 100.00 at 15.678 %; the last payment closes the balance."""
    rows = schedule(terms("100.00", "0.15678", 6, day_count="actual/365"))
    assert column(rows, "payment") == [17.43] * 5 + [17.47]
    assert column(rows, "interest") == [1.33, 1.05, 0.90, 0.66, 0.46, 0.22]
    assert column(rows, "balance") == [83.90, 67.52, 50.99, 34.22, 17.25, 0.0]


def test_cent_schedules_of_mortgages():
    """Figures of the README of mortgagemath: payment rounded up; interest and lifetime interest to the cent."""
    rows = schedule(terms("300000", "0.065", 360, payment_rounding="up"))
    assert (rows[0].payment, rows[0].interest, rows[0].principal) == (
        Decimal("1896.21"),
        Decimal("1625.00"),
        Decimal("271.21"),
    )
    assert sum(row.interest for row in rows) == Decimal("382628.90")
    assert schedule(terms("162000", "0.03875", 360))[0].payment == Decimal("761.78")


def test_actus_annuity():
    """ann01 of the ACTUS test cases: 5,000 at 8 %, actual/365, monthly from 2013-02-01; nothing is rounded there."""
    rows = schedule(
        terms(
            "5000",
            "0.08",
            12,
            disbursed=date(2013, 1, 1),
            first_payment=date(2013, 2, 1),
            day_count="actual/365",
            cents=10,
        )
    )
    assert float(rows[0].payment) == pytest.approx(434.866594118346, abs=1e-6)
    assert float(rows[0].interest) == pytest.approx(33.9726027397, abs=1e-9)
    assert float(rows[0].principal) == pytest.approx(400.8939913786, abs=1e-6)
    assert float(rows[0].balance) == pytest.approx(4599.1060086213, abs=1e-6)
    assert float(rows[1].interest) == pytest.approx(28.2246505734, abs=1e-6)
    assert float(rows[1].principal) == pytest.approx(406.6419435448, abs=1e-6)
    assert float(rows[-1].interest) == pytest.approx(2.9347696566, abs=1e-6)
    assert float(rows[-1].payment - rows[-1].interest) == pytest.approx(431.9318244617, abs=1e-5)


def test_thirty_360_level_payment():
    """README of curo: 10,000 over 6 months at 8.25 % is 1,707.00."""
    assert schedule(terms("10000", "0.0825", 6))[0].payment == Decimal("1707.00")


def test_pay_in_four_has_no_interest_and_a_down_payment():
    rows = schedule(
        terms("200", "0", 3, period=TWO_WEEKS, first_payment=date(2024, 1, 15), down_payment=Decimal("0.25"))
    )
    assert column(rows, "payment") == [50.0] * 4
    assert column(rows, "interest") == [0.0] * 4
    assert [row.due for row in rows] == [date(2024, 1, 1), date(2024, 1, 15), date(2024, 1, 29), date(2024, 2, 12)]


def test_fineract_down_payment_of_a_quarter():
    rows = schedule(terms("1000", "0", 3, down_payment=Decimal("0.25")))
    assert column(rows, "payment") == [250.0] * 4


@pytest.mark.parametrize(
    ("start", "end", "convention", "days", "year"),
    [
        (date(2024, 1, 31), date(2024, 2, 29), "30/360", 29, 360),
        (date(2024, 1, 31), date(2024, 3, 31), "30/360", 60, 360),
        (date(2024, 1, 1), date(2024, 2, 1), "actual/360", 31, 360),
        (date(2024, 1, 1), date(2025, 1, 1), "actual/365", 366, 365),
        (date(2024, 1, 1), date(2025, 1, 1), "actual/actual", 1, 1),
    ],
)
def test_day_counts(start, end, convention, days, year):
    assert year_fraction(start, end, convention) == pytest.approx(days / year)
    assert year_fraction(end, start, convention) == -year_fraction(start, end, convention)


def test_actual_actual_splits_at_new_year():
    assert float(year_fraction(date(2023, 12, 1), date(2024, 2, 1), "actual/actual")) == pytest.approx(
        31 / 365 + 31 / 366
    )


PERIODS = {
    "week": UnitPeriod("day", 7),
    "two weeks": TWO_WEEKS,
    "month": MONTH,
    "semimonth": UnitPeriod("semimonth", 1),
}
PRODUCTS = {
    "pay-in-2": {"payments": 1, "period": "two weeks", "down_payment": Decimal("0.5"), "rate": Decimal(0)},
    "pay-in-4": {"payments": 3, "period": "two weeks", "down_payment": Decimal("0.25"), "rate": Decimal(0)},
    "0 % monthly": {"period": "month", "rate": Decimal(0)},
    "monthly": {"period": "month"},
    "weekly": {"period": "week"},
    "semi-monthly": {"period": "semimonth"},
    "per month, flat": {"period": "month", "interest_on": "flat", "day_count": "30/360"},
    "per month, on balance": {"period": "month", "day_count": "30/360"},
    "weekly, flat": {"period": "week", "interest_on": "flat"},
    "equal payments": {"period": "month", "last_payment": "interest_closes"},
}  # fmt: skip


@st.composite
def contracts(draw):
    product = PRODUCTS[draw(st.sampled_from(sorted(PRODUCTS)))]
    disbursed = date(2023, draw(st.integers(1, 12)), draw(st.integers(1, 28)))
    first = disbursed + timedelta(days=draw(st.integers(1, 150)))  # short, long, and deferred with interest or without
    given_terms = {
        "amount": Decimal(draw(st.integers(100_00, 50_000_00))) / 100,
        "rate": Decimal(draw(st.integers(1, 9600))) / 10_000,
        "payments": draw(st.integers(1, 60)),
        "day_count": draw(st.sampled_from(["30/360", "actual/365", "actual/360", "actual/actual"])),
        "payment_rounding": draw(st.sampled_from(["half_up", "half_even", "up"])),
        "interest_rounding": draw(st.sampled_from(["half_up", "half_even", "up"])),
        "interest_from": draw(st.sampled_from([None, first])),
        "calendar": draw(st.sampled_from([None, BusinessDays(rule="modified_following", holidays=frozenset({first}))])),
        **product,
    }
    period = PERIODS[given_terms.pop("period")]
    return Terms(disbursed=disbursed, first_payment=first, period=period, **given_terms)


def in_arrays(contract, cent_rule):
    """The array form of one contract: what is left after the down payment, and the rates of its periods."""
    days = np.array(interest_dates(contract), dtype="datetime64[D]")
    rates = float(contract.rate) * year_fractions(days[:-1], days[1:], contract.day_count)
    lent = float(contract.amount - down_payment(contract))
    flat = np.array([contract.interest_on == "flat"])
    return level_schedules(np.array([lent]), rates[None], np.array([contract.payments]), flat=flat, cent_rule=cent_rule)


@settings(max_examples=300, deadline=None)
@given(contracts())
def test_the_two_forms_agree_within_a_cent_in_every_row_and_column(contract):
    """Every product, day count, rounding and first period; the last row and the balance too."""
    try:
        legal = schedule(contract)[-contract.payments :]
    except BadInput:  # terms that leave rows of nothing, or no business day before the first payment
        return
    many = in_arrays(contract, contract.cent_rule)
    for name in ("payment", "interest", "principal", "balance"):
        np.testing.assert_allclose(getattr(many, name)[0], column(legal, name), rtol=0.0, atol=0.01)
    assert legal[-1].balance == 0
    assert sum(row.principal for row in legal) == contract.amount - down_payment(contract)


@settings(max_examples=100, deadline=None)
@given(contracts())
def test_what_rounding_moves_is_bounded(contract):
    """Without a cent rule the level payment is off by its rounding, and cents of interest add up with theirs."""
    if contract.payment_rounding == "up" or contract.last_payment == "interest_closes":
        return
    exact, rounded = in_arrays(contract, None), in_arrays(contract, contract.cent_rule)
    rates = in_arrays(contract, None).interest[0] / np.maximum(exact.balance[0] + exact.principal[0], 1e-9)
    moved = 0.02 * np.cumsum(np.cumprod(1.0 + rates))
    assert np.all(np.abs(exact.balance[0] - rounded.balance[0]) <= moved + 1e-6)
    assert exact.principal.sum() == pytest.approx(float(contract.amount - down_payment(contract)), rel=1e-10)


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 4000),
    st.sampled_from(["30/360", "actual/365", "actual/360", "actual/actual"]),
)  # fmt: skip
def test_year_fractions_of_arrays_are_those_of_dates(start, days, day_count):
    end = start + timedelta(days=days)
    many = year_fractions(np.array([start], "datetime64[D]"), np.array([end], "datetime64[D]"), day_count)
    assert many[0] == pytest.approx(float(year_fraction(start, end, day_count)), abs=1e-14, rel=1e-14)


def test_flat_interest_of_a_loan_priced_per_month():
    """Karlan and Zinman's short loans: 1,000 at 7.75 % a month flat for 4 months cost 77.50 each month."""
    rows = schedule(terms("1000", "0.93", 4, interest_on="flat"))
    assert column(rows, "interest") == [77.5] * 4
    assert column(rows, "payment") == [327.5] * 4
    on_balance = schedule(terms("1000", "0.93", 4))
    assert column(on_balance, "interest")[0] == 77.5
    assert sum(column(on_balance, "interest")) < 310.0


def test_flat_interest_with_cents_left_over():
    rows = schedule(terms("100", "0.12", 3, interest_on="flat"))
    assert column(rows, "principal") == [33.33, 33.33, 33.34]
    assert column(rows, "payment") == [34.33, 34.33, 34.34]


def test_last_payment_rules_put_the_cents_in_the_payment_or_the_interest():
    by_payment = schedule(terms("100.00", "0.15678", 6, day_count="actual/365"))
    by_interest = schedule(terms("100.00", "0.15678", 6, day_count="actual/365", last_payment="interest_closes"))
    assert column(by_payment, "payment")[-1] == 17.47
    assert column(by_interest, "payment") == [17.43] * 6
    assert by_payment[-1].interest - by_interest[-1].interest == Decimal("0.04")


def test_a_deferred_start_bears_interest_only_from_its_day():
    late = {"first_payment": date(2024, 5, 1)}
    free = schedule(terms("1000", "0.12", 6, interest_from=date(2024, 4, 1), **late))
    charged = schedule(terms("1000", "0.12", 6, **late))
    assert (free[0].interest, charged[0].interest) == (Decimal("10.00"), Decimal("40.00"))


CHRISTMAS = frozenset({date(2024, 12, 25), date(2024, 12, 26), date(2024, 12, 31)})


@pytest.mark.parametrize(
    ("rule", "day", "moved"),
    [
        ("following", date(2024, 6, 1), date(2024, 6, 3)),
        ("preceding", date(2024, 6, 1), date(2024, 5, 31)),
        ("modified_following", date(2024, 6, 1), date(2024, 6, 3)),
        ("following", date(2024, 8, 31), date(2024, 9, 2)),
        ("modified_following", date(2024, 8, 31), date(2024, 8, 30)),
        ("following", date(2024, 12, 25), date(2024, 12, 27)),
        ("modified_following", date(2024, 12, 31), date(2024, 12, 30)),
        ("preceding", date(2024, 12, 24), date(2024, 12, 24)),
    ],
)  # fmt: skip
def test_business_days(rule, day, moved):
    assert business_day(day, BusinessDays(rule=rule, holidays=CHRISTMAS)) == moved


def test_interest_runs_to_the_moved_date_or_to_that_of_the_contract():
    """2024-06-01 is a Saturday: the payment of June is due on Monday, two days of interest later or not."""
    due = {}
    for interest_to in ("moved", "contract"):
        calendar = BusinessDays(rule="following", interest_to=interest_to)
        row = schedule(terms("1000", "0.365", 6, day_count="actual/365", calendar=calendar))[4]
        due[interest_to] = (row.due, round(float(row.interest / (row.balance + row.principal)), 3))
    assert due == {"moved": (date(2024, 6, 3), 0.033), "contract": (date(2024, 6, 3), 0.031)}


def test_a_calendar_without_business_days_is_an_error():
    with pytest.raises(ValueError, match="no business day"):
        business_day(date(2024, 6, 1), BusinessDays(rule="following", weekend=frozenset(range(7))))


def test_loans_of_different_terms_share_an_array():
    principal, rates = np.array([600.0, 1200.0]), np.full((2, 12), 0.01)
    many = level_schedules(principal, rates, np.array([6, 12]))
    alone = level_schedules(principal[:1], rates[:1, :6], np.array([6]))
    np.testing.assert_array_equal(many.payment[0, :6], alone.payment[0])
    assert many.payment[0, 6:].sum() == many.balance[0, 6:].sum() == 0.0
    np.testing.assert_allclose(many.principal.sum(axis=1), principal)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": "-5"}, "amount is -5"),
        ({"payments": 0}, "payments is 0"),
        ({"first_payment": date(2023, 1, 1)}, "first_payment is 2023-01-01"),
        ({"down_payment": Decimal("1")}, "down_payment is 1"),
        ({"rate": "NaN"}, "rate is NaN"),
        ({"rate": "Infinity"}, "rate is Infinity"),
        ({"amount": "NaN"}, "amount is NaN"),
        ({"amount": "100.005"}, "at most 2 decimal places"),
        ({"amount": "0.03", "payments": 12, "payment_rounding": "up"}, "leaves 9 of 12 rows of 0.00"),
        ({"amount": "0.03", "payments": 12}, "leaves 11 of 12 rows of 0.00"),
        ({"interest_on": "flat", "last_payment": "interest_closes"}, "last_payment is interest_closes"),
        ({"interest_from": date(2024, 3, 1)}, "interest_from is 2024-03-01"),
        (
            {
                "disbursed": date(2024, 5, 31),
                "first_payment": date(2024, 6, 1),
                "calendar": BusinessDays(rule="preceding"),
            },
            "first_payment is 2024-05-31",
        ),
    ],
)
def test_terms_without_a_schedule_are_refused(change, words):
    given_terms = {"amount": "100", "rate": "0.1", "payments": 3, **change}
    amount, rate, payments = (given_terms.pop(name) for name in ("amount", "rate", "payments"))
    with pytest.raises(BadInput, match=words):
        schedule(terms(amount, rate, payments, **given_terms))


@pytest.mark.parametrize(
    ("name", "given"), [("rate", None), ("rate", 0.1), ("amount", 100.0), ("payments", None), ("disbursed", None)]
)
def test_terms_of_another_kind_are_told(name, given):
    good = msgspec.structs.asdict(terms("1000", "0.1", 12))
    with pytest.raises(BadInput, match=rf"OP412.*{name} is {given}: expected a"):
        schedule(Terms(**{**good, name: given}))


@pytest.mark.parametrize(
    ("name", "given"),
    [("interest_on", "Flat"), ("last_payment", "interest"), ("payment_rounding", "down"), ("day_count", "30/365")],
)
def test_a_word_that_is_no_rule_is_not_taken_for_another_one(name, given):
    with pytest.raises(BadInput, match=rf"OP412.*{name} is '{given}': expected one of "):
        schedule(terms("100", "0.1", 3, **{name: given}))


def test_a_unit_period_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="unit-period 'weeks': expected one of day, semimonth, month"):
        UnitPeriod("weeks", 1)
