"""The value of a loan: each line against arithmetic done by hand."""

import numpy as np
import pytest

from opportune.domain import Forecast
from opportune.economics import QUANTITIES, Assumption, Assumptions, expected_value, realised_value


def assumptions(**changes):
    values = {"funding": 0.14, "servicing": 10.0, "mailing": 5.0, "loss_weight": 1.0, **changes}
    return Assumptions(**{name: Assumption(value=value, unit="u", source="s") for name, value in values.items()})


LOAN = {"interest": 470.0, "amount_lent": 1000.0, "amount_months": 4000.0, "term_months": 4.0, "arrears": 60.0}


def booked(taken=1.0, **changes):
    loan = {name: np.array([value]) for name, value in {**LOAN, **changes}.items()}
    return realised_value(np.array([taken]), loan, assumptions(), "ZAR")


def test_each_line_by_hand():
    value = booked()
    assert {name: float(line[0]) for name, line in value.lines.items()} == pytest.approx(
        {"interest": 470.0, "arrears": -60.0, "funding": -0.14 / 24 * 5000.0, "servicing": -40.0, "mailing": -5.0}
    )
    assert float(value.total()[0]) == pytest.approx(470.0 - 60.0 - 0.14 / 24 * 5000.0 - 40.0 - 5.0)
    assert {name: float(use[0]) for name, use in value.uses.items()} == {
        "contacts": 1.0, "amount_lent": 1000.0, "expected_loss": 60.0,
    }  # fmt: skip


@pytest.mark.parametrize("months", [1, 4, 6, 12, 18])
def test_funding_is_the_cost_of_the_balances_month_by_month(months):
    """Equal repayments of principal leave P, P (n-1)/n, ..., P/n at the starts of the n months."""
    principal = 1200.0
    balances = [principal * (months - k) / months for k in range(months)]
    by_month = sum(balance * 0.14 / 12 for balance in balances)
    value = booked(amount_lent=principal, amount_months=principal * months, term_months=float(months))
    assert -float(value.lines["funding"][0]) == pytest.approx(by_month)


def test_who_did_not_take_costs_a_letter_and_nothing_else():
    value = booked(
        taken=0.0, interest=np.nan, amount_lent=np.nan, amount_months=np.nan, term_months=np.nan, arrears=np.nan
    )
    assert float(value.total()[0]) == -5.0
    assert float(value.uses["amount_lent"][0]) == 0.0


def test_an_unknown_amount_of_a_taker_stays_unknown():
    assert np.isnan(booked(arrears=np.nan).total()[0])


def test_a_certain_taker_is_worth_what_the_booked_loan_is():
    rate = np.array([[11.75]])
    quantities = {
        "response": 1.0, "amount": 1000.0, "amount_months": 4000.0, "interest_months": 4000.0, "term_months": 4.0, "arrears": 60.0,
    }  # fmt: skip
    assert set(quantities) == set(QUANTITIES)
    forecast = Forecast(quantities={n: np.array([[v]]) for n, v in quantities.items()}, spread={}, model="m")
    value = expected_value(forecast, rate, assumptions(), "ZAR")
    assert value.total()[0, 0] == pytest.approx(booked(interest=470.0).total()[0])


def test_every_line_but_the_letter_is_proportional_to_take_up():
    def lines(response):
        quantities = {name: np.array([[100.0]]) for name in QUANTITIES} | {"response": np.array([[response]])}
        forecast = Forecast(quantities=quantities, spread={}, model="m")
        return expected_value(forecast, np.array([[5.0]]), assumptions(), "ZAR").lines

    for name, line in lines(0.4).items():
        assert line[0, 0] == pytest.approx(lines(0.2)[name][0, 0] * (1 if name == "mailing" else 2))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_an_assumption_that_cannot_be_is_refused(value):
    with pytest.raises(ValueError, match="expected a finite number"):
        Assumption(value=value, unit="u", source="s")
