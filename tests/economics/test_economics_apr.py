"""APR against the published examples of Regulation Z, Appendix J (c), and of other public calculators.

Flows and rates: Appendix J (c)(1) to (c)(4), rates to two decimals as printed there.
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import (
    FINANCE_CHARGES,
    MAPR_CAP,
    Fee,
    UnitPeriod,
    apr,
    repeated,
    schedule,
    within_mapr_cap,
    within_tolerance,
)
from opportune.economics.terms import Terms
from opportune.economics.unit_count import SEMIMONTH, days_later, month_and_day, month_length, month_start, units_a_year

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


@pytest.mark.parametrize(
    ("start", "end", "amount", "published"),
    [
        ("1978-01-03", "1978-09-15", 1080.0, 11.45),
        ("1978-07-15", "1979-01-15", 1044.0, 8.80),
        ("1978-01-17", "1979-07-17", 1135.19, 8.76),
        ("1978-01-03", "1980-01-03", 1240.0, 11.36),
    ],
)
def test_single_payments_of_appendix_j(start, end, amount, published):
    """Appendix J (c)(5): less than a year in days and in months, between one and two years, two years exactly."""
    assert round(100 * apr(on(start, 1000.0), on(end, amount)).value, 2) == published


@pytest.mark.parametrize(("days", "rate"), [(14, 391.07), (28, 195.54), (7, 782.14), (30, 182.50)])
def test_a_single_payment_counts_365_over_its_days(days, rate):
    """(b)(5)(vii): not 52 weeks a year, which would be 390 % for two weeks. 2024-01-02 + 30 days is no whole month."""
    start = date(2024, 1, 2)
    found = apr([(start, 100.0)], [(start + timedelta(days=days), 115.0)])
    assert (round(100 * found.value, 2), found.unit_period) == (rate, f"{days} days")


def test_whole_months_beside_years_are_twelfths():
    """(b)(5)(v)(A): 18 months are 1 6/12 years; other days are over 365."""
    assert 100 * apr(on("2024-01-10", 100.0), on("2025-07-10", 115.0)).value == pytest.approx(9.6872, abs=5e-5)
    i = apr(on("2024-01-10", 100.0), on("2025-07-12", 115.0)).value
    assert (1 + i) * (1 + i * 184 / 365) == pytest.approx(1.15)


def dated(*days):
    return [date.fromisoformat(day) for day in days]


@pytest.mark.parametrize(
    ("lent", "due", "period"),
    [
        (dated("2024-01-10"), dated("2024-02-10", "2024-04-10"), "month"),  # 1 and 2 months: 1.5, the lower
        (dated("2024-01-10"), dated("2024-02-10", "2024-05-10"), "2 months"),
        (dated("2024-01-10"), dated("2024-02-24", "2024-04-01"), "6 weeks"),  # 45 and 37 days: 41, nearest 42
        (
            dated("2024-01-10"),
            dated("2024-02-24", "2024-04-09"),
            "45 days",
        ),  # 45 days twice: common, though no standard
        (dated("2024-01-10"), dated("2024-02-10", "2024-03-24"), "5 weeks"),  # 31 and 43 days: 37, nearest 35
        (dated("2024-01-01", "2024-02-01", "2024-03-01"), dated("2024-03-15", "2024-03-29"), "month"),
        (dated("2024-01-01", "2024-02-01"), dated("2024-02-15", "2024-02-29", "2024-03-14"), "2 weeks"),
        (dated("2024-01-31"), dated("2024-02-29", "2024-03-31", "2024-04-30"), "month"),
        (dated("2024-01-30"), dated("2024-02-29", "2024-03-30", "2024-04-30"), "month"),
        (dated("2024-01-03"), dated("2024-01-31", "2024-02-28", "2024-03-27"), "4 weeks"),
        (dated("2024-01-01"), dated("2024-01-15", "2024-02-01", "2024-02-15", "2024-03-01"), "semimonth"),
        (dated("2024-01-15"), dated("2024-01-31", "2024-02-15", "2024-02-29", "2024-03-15"), "semimonth"),
        (dated("2020-01-01"), dated("2022-01-01", "2024-01-01"), "year"),
        (dated("2024-01-01"), dated("2024-01-05", "2024-01-09"), "4 days"),
    ],
)
def test_the_unit_period_is_the_common_period(lent, due, period):
    """(b)(3) and (b)(4): between advances, between payments, from the start to the first payment; no common, the average."""
    found = apr([(day, 1000.0) for day in lent], [(day, 1000.0 * len(lent) / len(due) + 10.0) for day in due])
    assert (found.status, found.unit_period) == ("converged", period)


def test_months_of_a_series_on_last_days_are_whole():
    """(b)(3)(iv): from the last of January to the last of February is a month, not 28 odd days."""
    payments = [(day, 106.62) for day in dated("2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31")]
    alike = [(day, 106.62) for day in dated("2023-02-15", "2023-03-15", "2023-04-15", "2023-05-15")]
    assert apr(on("2023-01-31", 400.0), payments).value == pytest.approx(apr(on("2023-01-15", 400.0), alike).value)


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("2026-01-31", "02-16 02-28 03-16 03-31 04-16 04-30 05-16"),
        ("2026-01-30", "02-15 02-28 03-15 03-30 04-15 04-30 05-15"),
        ("2026-01-15", "01-30 02-15 02-28 03-15 03-30 04-15 04-30"),
        ("2026-01-14", "01-29 02-14 02-28 03-14 03-29 04-14 04-29"),
        ("2026-01-16", "02-01 02-16 03-01 03-16 04-01 04-16 05-01"),
        ("2026-02-14", "02-28 03-14 03-29 04-14 04-29 05-14 05-29"),
    ],
)
def test_half_months_are_counted_from_the_first_day_and_clipped_in_short_months_only(first, others):
    due = repeated(date.fromisoformat(first), 8, SEMI)
    assert [f"{day:%m-%d}" for day in due[1:]] == others.split()
    start, *due = repeated(date.fromisoformat(first), 25, SEMI)
    found = apr([(start, 1000.0)], [(day, 50.0) for day in due])
    assert (found.unit_period, found.irregular) == ("semimonth", False)


def test_a_series_on_last_days_is_regular_and_of_months_whatever_follows_february():
    """Every interval from last day to last day is a month, from February on too."""
    found = apr(on("2023-02-28", 300.0), [(day, 110.0) for day in dated("2023-03-31", "2023-04-30", "2023-05-31")])
    assert (found.unit_period, found.irregular) == ("month", False)
    spring = [(day, 110.0) for day in dated("2023-01-31", "2023-02-28", "2023-03-31")]
    found = apr(on("2022-12-31", 300.0), spring)
    assert (found.unit_period, found.irregular) == ("month", False)
    assert found.value == pytest.approx(apr(on("2022-12-15", 300.0), flows(("2023-01-15", 110.0, 3, MONTH))).value)
    lent = [(day, 100.0) for day in dated("2023-01-31", "2023-02-28", "2023-03-31")]
    late = [(day, 110.0) for day in dated("2023-05-31", "2023-06-30", "2023-07-31")]
    assert apr(lent, late).unit_period == "month"


def test_the_more_frequent_of_two_readings_of_an_interval():
    """31 days three times, and a month only where those are one: the days lead."""
    due = dated("2024-08-01", "2024-09-01", "2024-10-02", "2024-11-02")
    found = apr(on("2024-07-01", 400.0), [(day, 110.0) for day in due])
    assert found.unit_period == "31 days"


@settings(max_examples=300, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(0, 200))
def test_days_are_counted_as_the_calendar_does(day, later):
    number = (day - date(1970, 1, 1)).days
    month, of_month = month_and_day(number)
    assert (month, of_month) == (day.year * 12 + day.month - 1, day.day)
    assert month_start(month) + of_month - 1 == number
    assert month_length(month) == monthrange(day.year, day.month)[1]
    assert days_later(month, of_month, later) == month_and_day(number + later)


def test_effective_rates_of_eu_and_uk():
    assert round(100 * apr(on("2012-10-10", 500.0), on("2012-10-15", 510.0), "effective").value, 3) == 324.436
    two = [*on("2012-11-10", 270.0), *on("2012-12-10", 270.0)]
    assert round(100 * apr(on("2012-10-10", 500.0), two, "effective").value, 2) == 84.63


def test_how_time_is_counted_is_an_argument():
    """EU Annex I allows 12 equal months and 52 weeks: curo's 8.569257 % needs months, 84.63 % above needs days."""
    loan = on("2024-01-01", 10_000.0), flows(("2024-02-01", 1707.0, 6, MONTH))
    assert round(100 * apr(*loan, "effective", count="months").value, 6) == 8.569257
    assert round(100 * apr(*loan).value, 6) == 8.250040
    two = [*on("2012-11-10", 270.0), *on("2012-12-10", 270.0)]
    assert round(100 * apr(on("2012-10-10", 500.0), two, "effective", count="months").value, 3) == 85.585


def test_what_a_lender_earns_on_pay_in_four():
    """The merchant is paid 190 of 200: 140 out, 3 x 50 back every two weeks."""
    out, back = on("2024-01-01", 140.0), flows(("2024-01-15", 50.0, 3, TWO_WEEKS))
    assert round(100 * apr(out, back).value, 2) == 91.80
    assert round(100 * apr(out, back, "effective", count="weeks").value, 2) == 146.48


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.floats(0.0, 0.5), st.sampled_from([MONTH, WEEK, TWO_WEEKS]))
def test_united_states_rule_is_actuarial_where_every_payment_covers_its_charge(count, charge, period):
    start, *due = repeated(date(2023, 3, 5), count + 1, period)
    payments = [(day, 1000.0 * (1.0 + charge) / count) for day in due]
    by_rule, actuarial = (apr([(start, 1000.0)], payments, method) for method in ("us_rule", "actuarial"))
    assert by_rule.status == actuarial.status == "converged"
    assert by_rule.value == pytest.approx(actuarial.value, rel=1e-9, abs=1e-10)


def test_united_states_rule_does_not_charge_on_unpaid_charges():
    """100 for two months, 1 paid after the first: 112 = 100 + 13 - 1 with 6.5 earned in each."""
    found = apr(on("2024-01-01", 100.0), [*on("2024-02-01", 1.0), *on("2024-03-01", 112.0)], "us_rule")
    assert found.value == pytest.approx(12 * 0.065)
    assert apr(on("2024-01-01", 100.0), [*on("2024-02-01", 1.0), *on("2024-03-01", 112.0)]).value < found.value
    assert apr(on("2024-01-01", 100.0), on("2024-02-01", 90.0), "us_rule").status == "no_root"


@pytest.mark.parametrize(
    ("payment", "count", "period"), [(195.0, 104, WEEK), (195.0, 520, WEEK), (350.0, 60, MONTH), (900.0, 60, MONTH)]
)
def test_united_states_rule_has_a_rate_where_the_actuarial_method_has_a_high_one(payment, count, period):
    start, *due = repeated(date(2025, 1, 6), count + 1, period)
    by_rule, actuarial = (
        apr([(start, 1000.0)], [(day, payment) for day in due], method) for method in ("us_rule", "actuarial")
    )
    assert (by_rule.status, actuarial.status) == ("converged", "converged")
    assert by_rule.value == pytest.approx(actuarial.value, rel=1e-9)
    assert abs(by_rule.residual) < 1e-9
    assert apr([(start, 1.0)], [(due[0], 1e9)], "us_rule").status == "no_root"


def test_pay_in_four_with_a_prepaid_fee():
    """200 of goods, 50 down, 3 x 50 every two weeks, a fee of 6.00 paid with the down payment: 144 is financed."""
    found = apr(on("2024-01-01", 144.0), flows(("2024-01-15", 50.0, 3, TWO_WEEKS)))
    assert round(100 * found.value, 2) == 53.80
    assert (found.finance_charge, found.amount_financed) == (6.0, 144.0)


SIX = on("2024-01-01", 1000.0), flows(("2024-02-01", 175.0, 6, MONTH))
VOLUNTARY = Fee(name="cover", amount=60.0, financed=False, kind="voluntary_insurance")
ORIGINATION = Fee(name="setting up", amount=30.0, financed=False, kind="origination")


def test_a_prepaid_fee_is_a_finance_charge():
    fee = Fee(name="fee", amount=6.0, financed=False, kind="service")
    found = apr(on("2024-01-01", 150.0), flows(("2024-01-15", 50.0, 3, TWO_WEEKS)), fees=[fee])
    assert (round(100 * found.value, 2), found.amount_financed, found.finance_charge) == (53.80, 144.0, 6.0)


def test_what_is_a_finance_charge_is_a_named_list():
    """A voluntary premium paid in cash is no finance charge of the Truth in Lending Act, and one of the military rate."""
    plain, tila = apr(*SIX), apr(*SIX, fees=[VOLUNTARY, ORIGINATION])
    mapr = apr(*SIX, fees=[VOLUNTARY, ORIGINATION], include="mapr")
    assert [each.amount_financed for each in (plain, tila, mapr)] == [1000.0, 970.0, 910.0]
    assert plain.value < tila.value < MAPR_CAP < mapr.value
    assert apr(*SIX, fees=[VOLUNTARY], include=frozenset({"voluntary_insurance"})).amount_financed == 940.0
    assert FINANCE_CHARGES["tila"] < FINANCE_CHARGES["mapr"]


def test_a_financed_fee_is_lent_too_unless_it_is_a_finance_charge():
    financed = Fee(name="cover", amount=60.0, financed=True, kind="voluntary_insurance")
    assert apr(*SIX, fees=[financed]).amount_financed == 1060.0
    assert apr(*SIX, fees=[financed], include="mapr").amount_financed == 1000.0


@pytest.mark.parametrize("change", [{"amount": -1.0}, {"amount": float("nan")}, {"kind": "tip"}])
def test_a_fee_that_is_none_is_refused(change):
    fee = Fee(**{"name": "x", "amount": 1.0, "financed": False, "kind": "service", **change})
    with pytest.raises(BadInput, match="OP413"):
        apr(*SIX, fees=[fee])


def test_fees_above_what_is_lent_are_refused():
    with pytest.raises(BadInput, match="advance 1 of 2024-01-01 is -500"):
        apr(*SIX, fees=[Fee(name="fee", amount=1500.0, financed=False, kind="service")])


def test_tolerances():
    found = apr(on("2024-01-01", 10000.0), flows(("2024-02-01", 322.67, 36, MONTH)))
    assert round(100 * found.value, 4) == 9.9996
    assert not found.irregular
    assert not within_tolerance(0.10125, found.value, regular=True)
    assert within_tolerance(0.10125, found.value, regular=False)


@pytest.mark.parametrize(
    ("disclosed", "exact", "regular", "kept"),
    [
        (0.10125, 0.10, True, True), (0.12625, 0.125, True, True), (0.0975, 0.10, False, True),
        (0.101251, 0.10, True, False), (0.097499, 0.10, False, False), (0.0975, 0.10, True, False),
    ],
)  # fmt: skip
def test_the_bound_of_a_tolerance_belongs_to_it(disclosed, exact, regular, kept):
    assert within_tolerance(disclosed, exact, regular) is kept


@pytest.mark.parametrize("case", APPENDIX_J)
def test_odd_first_and_last_payments_are_regular(case):
    assert not apr(*APPENDIX_J[case][:2]).irregular


@pytest.mark.parametrize(
    ("advances", "payments"),
    [
        ([*on("2024-01-01", 500.0), *on("2024-02-01", 500.0)], flows(("2024-03-01", 175.0, 6, MONTH))),
        (on("2024-01-01", 1000.0), flows(("2024-02-01", 175.0, 3, MONTH), ("2024-06-01", 175.0, 3, MONTH))),
        (on("2024-01-01", 1000.0), flows(("2024-02-01", 150.0, 3, MONTH), ("2024-05-01", 200.0, 3, MONTH))),
    ],
)
def test_advances_periods_and_amounts_make_a_contract_irregular(advances, payments):
    assert apr(advances, payments).irregular


@settings(max_examples=60, deadline=None)
@given(st.integers(100_00, 9_000_00), st.integers(1, 3600), st.integers(2, 60))
def test_the_rate_of_a_schedule_is_its_apr(cents, basis_points, count):
    """A legal schedule priced at a rate, with ordinary months, has that APR but for its cents."""
    rate = Decimal(basis_points) / 10_000
    contract = Terms(
        amount=Decimal(cents) / 100, rate=rate, payments=count, period=MONTH, disbursed=date(2024, 1, 5),
        first_payment=date(2024, 2, 5), day_count="30/360",
    )  # fmt: skip
    rows = schedule(contract)
    found = apr([(contract.disbursed, float(contract.amount))], [(row.due, float(row.payment)) for row in rows])
    assert found.value == pytest.approx(float(rate), abs=0.02 * 24 / (cents / 100) + 1e-9)


@settings(max_examples=80, deadline=None)
@given(st.floats(0.0005, 0.08), st.integers(1, 60), st.integers(1, 28), st.sampled_from([MONTH, WEEK, TWO_WEEKS]))
def test_an_annuity_at_a_rate_has_that_rate(rate, count, day, period):
    start = date(2021, 3, day)
    dates = repeated(start, count + 1, period)[1:]
    payment = 1000.0 * rate / (1.0 - (1.0 + rate) ** -count)
    found = apr([(start, 1000.0)], [(each, payment) for each in dates])
    assert found.status == "converged"
    a_year = {MONTH: 12, WEEK: 52, TWO_WEEKS: 26}[period] if count > 1 or period == MONTH else 365 / period.length
    assert found.value == pytest.approx(rate * a_year, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 1000.0))
def test_scaling_money_changes_nothing(scale):
    advances, payments, _, _ = APPENDIX_J["c4ii"]
    scaled = apr([(d, a * scale) for d, a in advances], [(d, a * scale) for d, a in payments])
    assert scaled.value == pytest.approx(apr(advances, payments).value, rel=1e-9)


def test_nothing_charged_is_a_rate_of_zero():
    assert apr(on("2024-01-01", 300.0), flows(("2024-02-01", 100.0, 3, MONTH))).value == pytest.approx(0.0, abs=1e-12)


def test_losing_all_in_a_year_and_more_is_no_rate():
    """100 lent and 10 paid a month later would be -1,080 % a year."""
    assert apr(on("2024-01-01", 100.0), on("2024-02-01", 10.0)).status == "no_root"
    assert apr(on("2024-01-01", 100.0), on("2024-02-01", 99.0)).value == pytest.approx(-0.12)


def test_lent_again_after_a_payment_with_one_rate():
    found = apr([*on("2024-01-01", 1000.0), *on("2024-04-01", 500.0)], flows(("2024-02-01", 270.0, 6, MONTH)))
    assert (found.status, found.irregular) == ("converged", True)
    assert abs(found.residual) < 1e-6


def test_units_a_year():
    assert [units_a_year(code) for code in (7, 14, 28, 1, SEMIMONTH, 501, 503, 512)] == [52, 26, 13, 365, 24, 12, 4, 1]


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
        (on("2024-01-01", 5.0), on("2024-01-01", 5.0), "expected time between them"),
        (
            on("2024-01-01", 5.0),
            [*on("2024-03-01", 3.0), *on("2024-02-01", 3.0)],
            "payment 2 of 2024-02-01 stands after",
        ),
    ],
)
def test_flows_without_a_rate_are_refused(advances, payments, words):
    with pytest.raises(BadInput, match=words):
        apr(advances, payments)


@pytest.mark.parametrize("below", [0.0, 1e-17, 1e-15])
def test_a_solved_rate_is_held_as_the_decimal_it_stands_for(below):
    assert within_tolerance(0.10125, 0.1 - below, regular=True)
    assert within_tolerance(0.12625, 0.125 - below, regular=True)
    assert within_tolerance(0.0975, 0.1 + below, regular=False)
    assert not within_tolerance(0.10125001, 0.1 - below, regular=True)


@pytest.mark.parametrize(
    ("lent", "repaid", "kept"), [(1000.0, 1030.0, True), (200.0, 206.0, True), (1000.0, 1030.01, False)]
)
def test_a_military_rate_of_36_per_cent_is_within_its_cap(lent, repaid, kept):
    assert within_mapr_cap(apr(on("2026-01-01", lent), on("2026-02-01", repaid), include="mapr").value) is kept
