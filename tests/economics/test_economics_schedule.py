"""Schedules against published ones, to the cent, and the two forms against each other."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import Terms, UnitPeriod, level_schedules, repeated, schedule
from opportune.numerics import year_fraction

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


@settings(max_examples=60, deadline=None)
@given(
    st.integers(100_00, 50_000_00), st.integers(0, 3600), st.integers(1, 60), st.integers(1, 28),
    st.sampled_from(["30/360", "actual/365", "actual/360", "actual/actual"]),
)  # fmt: skip
def test_the_two_forms_agree_within_a_cent_a_row(cents, basis_points, count, day, day_count):
    contract = terms(
        Decimal(cents) / 100, Decimal(basis_points) / 10_000, count, disbursed=date(2023, 1, day), first_payment=date(2023, 2, day),
        day_count=day_count,
    )  # fmt: skip
    legal = schedule(contract)
    dates = repeated(contract.first_payment, count, MONTH)
    starts = [contract.disbursed, *dates[:-1]]
    rates = [
        float(contract.rate * 1) * float(year_fraction(a, b, day_count)) for a, b in zip(starts, dates, strict=True)
    ]
    many = level_schedules(np.array([float(contract.amount)]), np.array([rates]), np.array([count]))
    assert legal[-1].balance == 0
    assert sum(row.principal for row in legal) == contract.amount
    np.testing.assert_allclose(many.principal.sum(), float(contract.amount), rtol=1e-10)
    # Rounding moves the balance by at most a cent a period, so interest by far less than one: row by row within a cent.
    np.testing.assert_allclose(column(legal, "payment")[:-1], many.payment[0][:-1], atol=0.0051)
    np.testing.assert_allclose(column(legal, "interest"), many.interest[0], atol=0.01 + 0.01 * count * max(rates))


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
    ],
)
def test_terms_without_a_schedule_are_refused(change, words):
    given_terms = {"amount": "100", "rate": "0.1", "payments": 3, **change}
    amount, rate, payments = (given_terms.pop(name) for name in ("amount", "rate", "payments"))
    with pytest.raises(BadInput, match=words):
        schedule(terms(amount, rate, payments, **given_terms))
