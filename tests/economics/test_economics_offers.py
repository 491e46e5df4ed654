"""Offers of instalment loans: incremental lines per (opportunity, offer), and the same lines from what was booked."""

import msgspec
import numpy as np
import pytest
from lending_books import COSTS, UNITS, loans

from opportune.domain import BadInput, Forecast
from opportune.economics import (
    Assumption,
    CurveTable,
    Displaced,
    InstalmentAssumptions,
    LifetimeAssumptions,
    Scenario,
    check_instalment,
    economics_from,
    incremental,
    offers_value,
    value,
    value_of_booked,
)
from opportune.economics.booked_offers import BOOKED
from opportune.economics.instalment_offers import OFFER_RESOURCES
from opportune.tables import canonical_json

TERMS = {"payments": 12.0, "per_year": 12.0, "first_period": 1.0, "flat": 0.0, "risk": 1.0, "down_payment": 0.2,
         "mdr": 0.03, "interchange": 0.0, "incentive": 0.0, "market_rate": 0.0, "sold": 0.0, "sale_price": 1.0,
         "refunded": 0.0}  # fmt: skip
TABLE = CurveTable(by=("band",), segments=("A", "B"), default=((0.004,) * 12, (0.02,) * 12),
                   prepay=((0.02,) * 12,) * 2, recovery=((0.1,),) * 2, charge_off_lag=4)  # fmt: skip
BAD = Scenario(name="bad", says="twice the losses, twice the takers", loss=2.0, volume=2.0)


def economics(organic=0.25, baseline=0.0, terms=TERMS, figures=COSTS, **changes):
    made = {name: Assumption(value=figures[name], unit=unit, source="t") for name, unit in UNITS.items()}
    plain = {
        "loans": LifetimeAssumptions(currency="USD", capital_is="hurdle", terms=terms, **made), "curves": TABLE,
        "price_is": "monthly_rate_pp", "organic": Assumption(value=organic, unit="fraction of takers", source="t"),
        "baseline": Assumption(value=baseline, unit="USD per opportunity", source="t"),
    }  # fmt: skip
    return InstalmentAssumptions(**{**plain, **changes})


def forecast(shape, **changes):
    plain = {"response": 0.3, "amount": 1000.0, **changes}
    quantities = {name: np.broadcast_to(each, shape).astype(float) for name, each in plain.items()}
    return Forecast(quantities=quantities, spread={}, model="m")


PRICE = np.array([[2.0, 1.0], [3.0, 2.5], [2.0, 2.0]])
BANDS = np.array(["A", "B", "A"], dtype=object)


def test_an_offer_is_worth_what_it_adds():
    """Against the same loan valued and made incremental by hand; two percentage points a month are 24 % a year."""
    given = economics(baseline=0.7)
    found = offers_value(forecast((3, 2)), PRICE, BANDS, given, "USD")
    row = {name: each for name, each in TERMS.items() if name != "down_payment"}
    loan = loans(1, principal=1000.0, rate=0.24, gmv=1250.0, **row)
    made = value(loan, given.curves.curves(), given.loans)
    alone = msgspec.structs.replace(given.loans, contact=Assumption(value=0.0, unit="per contact", source="t"))
    unasked = value(loan, given.curves.curves(), alone)
    added = incremental(made, np.array([0.3]), [Displaced(kind="organic order", share=np.array([0.25]), value=unasked)],
                        np.array([0.7]))  # fmt: skip
    assert found.total()[0, 0] == pytest.approx(added.objective()[0])
    assert found.uses["capital"][0, 0] == pytest.approx(added.value.uses["capital"][0])
    assert found.uses["amount_lent"][0, 0] == pytest.approx(300.0)
    assert set(found.uses) == set(OFFER_RESOURCES)
    assert found.uses["contacts"].tolist() == [[1.0, 1.0]] * 3


def test_one_opportunity_and_many_give_the_same_bits():
    given, many = economics(), np.tile(PRICE, (40, 1))
    wide = offers_value(forecast(many.shape), many, np.tile(BANDS, 40), given, "USD")
    for row in range(3):
        one = offers_value(forecast((1, 2)), PRICE[row : row + 1], BANDS[row : row + 1], given, "USD")
        for name, line in wide.lines.items():
            assert line[row].tolist() == one.lines[name][0].tolist(), name
        chosen = offers_value(forecast((1,)), PRICE[row : row + 1, 1], BANDS[row : row + 1], given, "USD")
        assert chosen.total()[0] == one.total()[0, 1]


def test_an_offer_that_cannot_be_is_not_known_and_leaves_the_others():
    price = PRICE.copy()
    price[0, 1] = np.nan
    found = offers_value(forecast((3, 2)), price, np.array(["A", "X", "A"], dtype=object), economics(), "USD")
    assert np.isnan(found.total()).tolist() == [[False, True], [True, True], [False, False]]
    whole = offers_value(forecast((3, 2)), PRICE, BANDS, economics(), "USD")
    assert found.total()[2].tolist() == whole.total()[2].tolist()
    with pytest.raises(BadInput, match=r"OP451.*\(0/1\), payments is 0"):
        offers_value(forecast((3, 2)), PRICE, BANDS, economics(terms={**TERMS, "payments": 0.0}), "USD")


@pytest.mark.parametrize(
    ("name", "bad"),
    [("amount", -5.0), ("amount", 0.0), ("amount", np.nan), ("response", np.nan), ("response", -0.1), ("risk", -1.0),
     ("risk", np.inf)],
)  # fmt: skip
def test_a_forecast_that_no_loan_can_have_costs_its_own_offer(name, bad):
    given = economics(terms={each: value for each, value in TERMS.items() if each != "risk"}, beside=(BAD,))
    good = {"response": 0.3, "amount": 1000.0, "risk": 1.0}
    cells = np.full((3, 2), good[name])
    cells[0, 1] = bad
    whole = offers_value(forecast((3, 2), **good), PRICE, BANDS, given, "USD")
    found = offers_value(forecast((3, 2), **{**good, name: cells}), PRICE, BANDS, given, "USD")
    for there, expected in ((found.total(), whole.total()), (found.uses["gmv in bad"], whole.uses["gmv in bad"])):
        assert np.isnan(there).sum() == 1
        assert np.isnan(there[0, 1])
        assert there[1:].tolist() == expected[1:].tolist()
    nothing = offers_value(forecast((3, 2), **{**good, name: bad}), PRICE, BANDS, given, "USD")
    assert np.isnan(nothing.total()).all()


def test_scenarios_stand_beside_and_more_takers_are_never_more_than_all():
    given = economics(beside=(BAD,))
    found = offers_value(forecast((3, 2), response=0.8), PRICE, BANDS, given, "USD")
    assert found.uses["gmv in bad"][0, 0] / found.uses["gmv"][0, 0] == pytest.approx(1.0 / 0.8)
    assert found.uses["expected_loss in bad"][0, 0] > 2.0 * found.uses["expected_loss"][0, 0]
    assert found.uses["contacts in bad"].tolist() == found.uses["contacts"].tolist()
    there = offers_value(forecast((3, 2), response=0.8), PRICE, BANDS, economics(scenario=BAD), "USD")
    assert there.uses["expected_loss"].tolist() == found.uses["expected_loss in bad"].tolist()


def test_risk_may_be_forecast_of_each_offer():
    without = {name: each for name, each in TERMS.items() if name != "risk"}
    given = economics(terms=without)
    assert given.quantities == ("response", "amount", "risk")
    risk = np.array([[1.0, 2.0], [1.0, 1.0], [0.5, 1.0]])
    found = offers_value(forecast((3, 2), risk=risk), np.full((3, 2), 2.0), np.full(3, "A", dtype=object), given, "USD")
    loss = found.uses["expected_loss"]
    assert loss[0, 1] > 1.8 * loss[0, 0]
    assert loss[2, 0] < 0.6 * loss[0, 0]


def test_a_booked_loan_has_the_lines_that_were_expected_of_a_certain_one():
    """Nobody defaults or prepays: what is booked is what was expected, but for discounting and what is displaced."""
    nobody = msgspec.structs.replace(TABLE, default=((0.0,) * 12,) * 2, prepay=((0.0,) * 12,) * 2)
    given = economics(organic=0.0, curves=nobody, figures={**COSTS, "discount_rate": 0.0})
    expected = offers_value(forecast((1,), response=1.0), np.array([2.0]), np.array(["A"], dtype=object), given, "USD")
    level = 1000.0 * 0.02 / (1 - 1.02**-12)
    balances = 1000.0 * (1.02 ** np.arange(12)) - level * (1.02 ** np.arange(12) - 1) / 0.02
    booked = {
        "amount_lent": 1000.0, "interest": 12 * level - 1000.0, "net_loss": 0.0, "balance_years": balances.sum() / 12,
        "payments_made": 12.0, "months_open": 12.0, "paid": 12 * level,
    }  # fmt: skip
    outcomes = {name: np.array([booked[name], np.nan]) for name in BOOKED}
    found = value_of_booked(np.array([1.0, 0.0]), outcomes, given, "USD")
    for name, line in found.lines.items():
        assert line[0] == pytest.approx(expected.lines[name][0]), name
    for name, use in found.uses.items():
        assert use[0] == pytest.approx(expected.uses[name][0]), name
    assert found.total()[1] == pytest.approx(-COSTS["contact"])
    assert np.isnan(value_of_booked(np.array([1.0, 1.0]), outcomes, given, "USD").total()[1])


@pytest.mark.parametrize("refunded", [0.0, 0.4, 1.0])
def test_fees_that_are_given_back_are_booked_as_they_are_expected(refunded):
    """Outcomes do not tell whose goods went back: the assumed share of the fees of 1,000 lent, 0.07 of 1,250, is off."""
    given = economics(organic=0.0, terms={**TERMS, "mdr": 0.06, "interchange": 0.01, "refunded": refunded})
    expected = offers_value(forecast((1,), response=1.0), np.array([2.0]), np.array(["A"], dtype=object), given, "USD")
    outcomes = {**{name: np.zeros(1) for name in BOOKED}, "amount_lent": np.array([1000.0])}
    found = value_of_booked(np.ones(1), outcomes, given, "USD")
    for told in (expected, found):
        assert told.lines["merchant_fee"] + told.lines["card_network"] == pytest.approx(87.5 * (1.0 - refunded))


def test_what_is_declared_is_checked_and_comes_back_from_a_release():
    given = economics(beside=(BAD,))
    assert list(check_instalment(given)) == []
    assert economics_from(msgspec.json.decode(canonical_json(given))) == given
    odd = economics(organic=25.0, terms={**{name: 1.0 for name in TERMS if name != "flat"}, "color": 2.0})
    told = [f"{each.code} {each.subject} {each.message}" for each in check_instalment(odd)]
    assert any(each.startswith("OP403 organic.value is 25") for each in told)
    assert "OP475 terms.flat is missing: nothing is assumed unseen" in told
    assert any(each.startswith("OP475 terms.color is no term of an offer") for each in told)
    assert "OP475 terms.down_payment is no share below 1 of the goods" in told


def test_a_few_offers_are_valued_without_a_compiler():
    """A service values one opportunity at a time and loads no numba."""
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np; import test_economics_offers as t; "
        "t.offers_value(t.forecast((1, 2)), t.PRICE[:1], t.BANDS[:1], t.economics(), 'USD'); "
        "print('numba' in sys.modules)"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, here], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
