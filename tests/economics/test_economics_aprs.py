"""Many APRs at once are the APRs one by one."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import Fee, Flows, UnitPeriod, apr, repeated

PERIODS = [UnitPeriod("month", 1), UnitPeriod("month", 3), UnitPeriod("month", 12), UnitPeriod("day", 1),
           UnitPeriod("day", 7), UnitPeriod("day", 14), UnitPeriod("day", 28), UnitPeriod("semimonth", 1)]  # fmt: skip


def together(sides):
    """Flows of many contracts from one list of (day, amount) each."""
    rows = [(i, day, amount) for i, flows in enumerate(sides) for day, amount in flows]
    contract, day, amount = zip(*rows, strict=True)
    return Flows(contract=np.array(contract), day=np.array(day, dtype="datetime64[D]"), amount=np.array(amount))


@st.composite
def contracts(draw):
    """One or several advances, some after the first payment; payments in rows of any period, or on any dates."""
    start = draw(st.dates(date(2020, 1, 1), date(2024, 12, 31)))
    first = start + timedelta(days=draw(st.integers(1, 400)))
    due = repeated(first, draw(st.integers(1, 30)), draw(st.sampled_from(PERIODS)))
    gaps = st.lists(st.integers(0, 70), min_size=1, max_size=8)
    if draw(st.booleans()):
        due = list(np.datetime64(first) + np.cumsum(draw(gaps)))
        due = [day.item() for day in due]
    lent = [
        start,
        *(start + timedelta(days=int(days)) for days in np.cumsum(draw(st.lists(st.integers(0, 90), max_size=2)))),
    ]
    amounts = draw(st.lists(st.floats(20.0, 900.0), min_size=len(due), max_size=len(due)))
    share = draw(st.floats(0.5, 1.1)) * sum(amounts) / len(lent)
    return [(day, share) for day in lent], list(zip(due, amounts, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(contracts(), min_size=1, max_size=4),
    st.sampled_from(
        [
            ("actuarial", "days"),
            ("us_rule", "days"),
            ("effective", "days"),
            ("effective", "months"),
            ("effective", "weeks"),
        ]
    ),
)
def test_many_are_one_by_one(given_contracts, how):
    """Status, unit-period and irregularity are the same, and values to the last bits, for contracts of every kind."""
    method, count = how
    many = apr(*(together(side) for side in zip(*given_contracts, strict=True)), method, count=count)
    for i, (advances, payments) in enumerate(given_contracts):
        alone = apr(advances, payments, method, count=count)
        assert (many.status[i], many.unit_period[i], many.irregular[i]) == (
            alone.status,
            alone.unit_period,
            alone.irregular,
        )
        np.testing.assert_allclose(many.value[i], alone.value, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(many.finance_charge[i], alone.finance_charge, rtol=1e-9, atol=1e-9)
        if alone.status == "converged":
            assert abs(many.residual[i]) <= 1e-9 * alone.amount_financed


def test_one_and_many_give_the_same_bits():
    dates = [repeated(date(2024, 2, 1), count, PERIODS[0]) for count in range(1, 60)]
    advances = together([[(date(2024, 1, 5), 500.0)] for _ in dates])
    payments = together([[(day, 700.0 / len(due)) for day in due] for due in dates])
    many = apr(advances, payments)
    for i in (0, 17, 58):
        lent, paid = advances.contract == i, payments.contract == i
        alone = apr(*(Flows(contract=0 * each.contract[rows], day=each.day[rows], amount=each.amount[rows])
                      for each, rows in ((advances, lent), (payments, paid))))  # fmt: skip
        assert alone.value[0] == many.value[i]


def test_contracts_may_stand_in_any_order():
    advances = Flows(
        contract=np.array([1, 0]),
        day=np.array(["2024-01-01"] * 2, dtype="datetime64[D]"),
        amount=np.array([200.0, 100.0]),
    )
    payments = Flows(contract=np.array([1, 0, 1]), day=np.array(["2024-02-01", "2024-02-01", "2024-03-01"], dtype="datetime64[D]"),
                     amount=np.array([105.0, 110.0, 105.0]))  # fmt: skip
    found = apr(advances, payments)
    assert found.value[0] == pytest.approx(1.2)
    assert found.amount_financed.tolist() == [100.0, 200.0]
    assert found.finance_charge.tolist() == [10.0, 10.0]


def test_a_bad_contract_is_said_and_the_others_are_solved():
    """An amount below zero, one missing, dates out of order, a payment too early, on the day itself, and none at all."""
    day = date(2024, 1, 1)
    later = [day + timedelta(days=31 * k) for k in range(1, 4)]
    good = [(each, 40.0) for each in later]
    bad = [
        [(later[0], -40.0)], [(later[0], float("nan"))], [(later[1], 60.0), (later[0], 60.0)],
        [(day - timedelta(days=1), 120.0)], [(day, 120.0)], [],
    ]  # fmt: skip
    found = apr(together([[(day, 100.0)]] * 8), together([good, *bad, good]))
    assert found.status.tolist() == ["converged", *["bad_input"] * 6, "converged"]
    np.testing.assert_array_equal(np.isnan(found.value), found.status != "converged")
    assert found.value[0] == found.value[-1]


def test_fees_are_taken_off_each_contract():
    day, due = date(2024, 1, 1), date(2024, 2, 1)
    fee = Fee(name="fee", amount=4.0, financed=False, kind="origination")
    found = apr(together([[(day, 104.0)]] * 2), together([[(due, 110.0)], [(due, 105.0)]]), fees=[fee])
    assert found.value == pytest.approx([1.2, 0.6])
    with pytest.raises(BadInput, match="OP413"):
        apr(
            together([[(day, 104.0)]]),
            together([[(due, 110.0)]]),
            fees=[Fee(name="fee", amount=-4.0, financed=False, kind="origination")],
        )


def test_arrays_that_do_not_fit_are_refused():
    one = Flows(
        contract=np.array([0]), day=np.array(["2024-01-01"], dtype="datetime64[D]"), amount=np.array([1.0, 2.0])
    )
    with pytest.raises(ValueError, match="of 1, 1 and 2 rows"):
        apr(one, one)
    with pytest.raises(ValueError, match="contract -1 is below zero"):
        apr(*(Flows(contract=np.array([-1]), day=one.day, amount=np.array([1.0])) for _ in range(2)))
    with pytest.raises(TypeError, match="two forms"):
        apr(one, [(date(2024, 1, 1), 1.0)])


def test_no_contracts_have_no_rates():
    none = Flows(contract=np.zeros(0, dtype=np.int64), day=np.zeros(0, dtype="datetime64[D]"), amount=np.zeros(0))
    assert len(apr(none, none)) == 0
