"""APR against the published examples of Regulation Z, Appendix J (c), and of other public calculators.

Flows and rates: Appendix J (c)(1) to (c)(4), rates to two decimals as printed there.
"""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import UnitPeriod, apr, repeated, within_tolerance

MONTH, SEMI, QUARTER = UnitPeriod("month", 1), UnitPeriod("semimonth", 1), UnitPeriod("month", 3)
WEEK, TWO_WEEKS, FOUR_WEEKS = UnitPeriod("day", 7), UnitPeriod("day", 14), UnitPeriod("day", 28)


def flows(*parts):
    """Each part: first date, amount, count, period; dates run on."""
    return [
        (day, amount)
        for first, amount, count, period in parts
        for day in repeated(date.fromisoformat(first), count, period)
    ]


def on(day, amount):
    return [(date.fromisoformat(day), amount)]


APPENDIX_J = {
    "c1i": (on("1978-01-10", 5000.0), flows(("1978-02-10", 230.0, 24, MONTH)), 9.69, "month"),
    "c1ii": (on("1978-02-10", 6000.0), flows(("1978-04-01", 200.0, 36, MONTH)), 11.82, "month"),
    "c1iii": (on("1978-02-23", 5000.0), flows(("1978-03-01", 219.17, 24, SEMI)), 10.34, "semimonth"),
    "c1iv": (on("1978-05-23", 10000.0), flows(("1978-10-01", 385.0, 40, QUARTER)), 8.97, "3 months"),
    "c1v": (on("1978-03-20", 500.0), flows(("1978-04-21", 17.60, 30, WEEK)), 14.96, "week"),
    "c2i": (on("1978-01-10", 5000.0), [*on("1978-02-10", 250.0), *flows(("1978-03-10", 230.0, 23, MONTH))], 10.08, "month"),
    "c2ii": (on("1978-03-18", 400.0), [*on("1978-04-20", 39.50), *flows(("1978-05-18", 38.31, 11, FOUR_WEEKS))], 28.50, "4 weeks"),
    "c3i": (on("1978-01-10", 5000.0), [*flows(("1978-02-10", 230.0, 23, MONTH)), *on("1980-01-10", 280.0)], 10.50, "month"),
    "c3ii": (on("1978-04-03", 200.0), [*flows(("1978-04-11", 9.50, 19, TWO_WEEKS)), *on("1979-01-02", 30.0)], 12.22, "2 weeks"),
    "c4i": (on("1978-01-10", 5000.0), [*on("1978-02-10", 250.0), *flows(("1978-03-10", 230.0, 22, MONTH)), *on("1980-01-10", 280.0)], 10.90, "month"),
    "c4ii": (on("1978-01-10", 8000.0), [*on("1978-03-01", 449.36), *flows(("1978-05-01", 465.0, 18, UnitPeriod("month", 2))), *on("1981-05-01", 200.0)], 7.30, "2 months"),
}  # fmt: skip


@pytest.mark.parametrize("case", APPENDIX_J)
def test_appendix_j_to_the_printed_digit(case):
    advances, payments, published, period = APPENDIX_J[case]
    found = apr(advances, payments)
    assert (found.status, found.unit_period) == ("converged", period)
    assert round(100 * found.value, 2) == published
    assert abs(found.residual) < 1e-6


@pytest.mark.parametrize(
    ("advance", "payments", "published"),
    [
        (on("2023-10-28", 1000.0), flows(("2023-11-30", 250.0, 5, WEEK)), 176.52),
        (on("2023-11-23", 1000.0), flows(("2023-11-30", 250.0, 5, WEEK)), 412.40),
        (on("2023-11-24", 1000.0), flows(("2023-11-30", 250.0, 5, WEEK)), 434.30),
        (on("2023-10-26", 1000.0), flows(("2023-11-30", 500.0, 5, UnitPeriod("month", 12))), 78.34),
        (on("2023-10-26", 1000.0), flows(("2023-11-30", 220.0, 5, UnitPeriod("day", 1))), 94.15),
        (on("1978-06-23", 10000.0), flows(("1978-10-01", 385.0, 40, QUARTER)), 9.15),
        (on("1978-07-23", 10000.0), flows(("1978-10-01", 385.0, 40, QUARTER)), 9.32),
    ],
)  # fmt: skip
def test_other_unit_periods_and_odd_days(advance, payments, published):
    """Figures of the test suite of FSharp.Finance.Personal, which its author confirmed with a spreadsheet."""
    assert round(100 * apr(advance, payments).value, 2) == published


def test_effective_rates_of_eu_and_uk():
    assert round(100 * apr(on("2012-10-10", 500.0), on("2012-10-15", 510.0), "effective").value, 3) == 324.436
    two = [*on("2012-11-10", 270.0), *on("2012-12-10", 270.0)]
    assert round(100 * apr(on("2012-10-10", 500.0), two, "effective").value, 2) == 84.63


def test_pay_in_four_with_a_prepaid_fee():
    """200 of goods, 50 down, 3 x 50 every two weeks, a fee of 6.00 paid with the down payment: 144 is financed."""
    found = apr(on("2024-01-01", 144.0), flows(("2024-01-15", 50.0, 3, TWO_WEEKS)))
    assert round(100 * found.value, 2) == 53.80
    assert (found.finance_charge, found.amount_financed) == (6.0, 144.0)


def test_tolerances():
    exact = apr(on("2024-01-01", 10000.0), flows(("2024-02-01", 322.67, 36, MONTH))).value
    assert round(100 * exact, 4) == 9.9996
    assert not within_tolerance(0.10125, exact, regular=True)
    assert within_tolerance(0.10125, exact, regular=False)


@settings(max_examples=80, deadline=None)
@given(st.floats(0.0005, 0.08), st.integers(1, 60), st.integers(1, 28), st.sampled_from([MONTH, WEEK, TWO_WEEKS]))
def test_an_annuity_at_a_rate_has_that_rate(rate, count, day, period):
    start = date(2021, 3, day)
    dates = repeated(start, count + 1, period)[1:]
    payment = 1000.0 * rate / (1.0 - (1.0 + rate) ** -count)
    found = apr([(start, 1000.0)], [(each, payment) for each in dates])
    assert found.status == "converged"
    if count > 1:
        assert found.value == pytest.approx(rate * period.per_year, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 1000.0))
def test_scaling_money_changes_nothing(scale):
    advances, payments, _, _ = APPENDIX_J["c4ii"]
    scaled = apr([(d, a * scale) for d, a in advances], [(d, a * scale) for d, a in payments])
    assert scaled.value == pytest.approx(apr(advances, payments).value, rel=1e-9)


def test_nothing_charged_is_a_rate_of_zero():
    assert apr(on("2024-01-01", 300.0), flows(("2024-02-01", 100.0, 3, MONTH))).value == pytest.approx(0.0, abs=1e-12)


def test_several_roots_are_said():
    """Money goes out, comes back, and goes out again: 10 % and 20 % both fit, and none is picked."""
    out, back = [*on("2025-01-01", 1000.0), *on("2027-01-01", 1320.0)], on("2026-01-01", 2300.0)
    found = apr(out, back, "effective")
    assert found.status == "several_roots"
    assert found.value != found.value


@pytest.mark.parametrize(
    ("advances", "payments", "words"),
    [
        (on("2024-01-01", -5.0), on("2024-02-01", 6.0), "advance 1 of 2024-01-01 is -5"),
        (on("2024-01-01", 5.0), on("2023-02-01", 6.0), "before the first advance"),
        (on("2024-01-01", 5.0), [], "payment is missing"),
        (on("2024-01-01", float("nan")), on("2024-02-01", 6.0), "is nan"),
    ],
)
def test_flows_without_a_rate_are_refused(advances, payments, words):
    with pytest.raises(BadInput, match=words):
        apr(advances, payments)
