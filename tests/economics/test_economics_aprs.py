"""Many APRs at once are the APRs one by one."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.economics import UnitPeriod, apr, regular_aprs, repeated

MONTH = UnitPeriod("month", 1)


def array(*values):
    return np.array(values, dtype=np.float64)


def test_appendix_j_regular_examples_at_once():
    """Examples c1i, c1ii, c1iii, c1iv, c1v, c2i, c3i and c4ii with their counted times."""
    found = regular_aprs(
        array(5000, 6000, 5000, 10000, 500, 5000, 5000, 8000),
        array(230, 200, 219.17, 385, 17.60, 230, 230, 465),
        array(24, 36, 24, 40, 30, 24, 24, 20),
        array(12, 12, 24, 4, 52, 12, 12, 6),
        first_payment=array(230, 200, 219.17, 385, 17.60, 250, 230, 449.36),
        last_payment=array(230, 200, 219.17, 385, 17.60, 230, 280, 200),
        whole=array(1, 1, 0, 1, 4, 1, 1, 0),
        odd=array(0, 19 / 30, 6 / 15, 39 / 90, 4 / 7, 0, 0, (30 + 22) / 60),
    )
    assert found.status.tolist() == ["converged"] * 8
    assert np.round(100 * found.value, 2).tolist() == [9.69, 11.82, 10.34, 8.97, 14.96, 10.08, 10.50, 7.30]
    assert np.abs(found.residual).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.floats(50.0, 50_000.0), st.integers(1, 72), st.floats(-0.3, 2.0), st.integers(1, 28), st.integers(0, 27),
    st.floats(0.5, 2.0), st.floats(0.5, 2.0),
)  # fmt: skip
def test_one_of_many_is_the_one_by_itself(advance, count, charge, day, wait, first_factor, last_factor):
    level = advance * (1.0 + charge) / count
    first, last = (level * factor if count > 1 else level for factor in (first_factor, last_factor))
    start, due = date(2023, 1, day), date(2023, 2, min(day + wait, 28))
    dates = repeated(due, count, MONTH)
    payments = [level] * count
    payments[0] = first
    payments[-1] = last
    alone = apr([(start, advance)], list(zip(dates, payments, strict=True)))
    if alone.unit_period != "month" or alone.status != "converged":
        return
    odd_days = (due - date(2023, 2, day)).days if due.day >= day else (due - start).days
    whole, odd = (1.0, odd_days / 30.0) if due.day >= day else (0.0, odd_days / 30.0)
    many = regular_aprs(
        array(advance), array(level), array(count), array(12), first_payment=array(first), last_payment=array(last),
        whole=array(whole), odd=array(odd),
    )  # fmt: skip
    assert many.status[0] == "converged"
    assert many.value[0] == pytest.approx(alone.value, rel=1e-7, abs=1e-9)


def test_a_bad_row_is_said_and_the_others_are_solved():
    found = regular_aprs(
        array(100, -1, 100, np.nan), array(10, 10, 0, 10), array(12, 12, 12, 12), array(12, 12, 12, 12)
    )
    assert found.status.tolist() == ["converged", "bad_input", "bad_input", "bad_input"]
    assert np.isnan(found.value).tolist() == [False, True, True, True]


def test_a_rate_of_zero_and_a_negative_one():
    found = regular_aprs(array(120, 120), array(10, 9), array(12, 12), array(12, 12))
    assert found.value[0] == pytest.approx(0.0, abs=1e-12)
    assert found.value[1] < 0.0
