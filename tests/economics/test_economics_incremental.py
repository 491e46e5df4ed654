"""What an offer adds: what is displaced comes off, and shares that cannot be are refused."""

import msgspec
import numpy as np
import pytest
from lending_books import CURVES, assumed, loans

from opportune.domain import BadInput
from opportune.economics import Displaced, incremental, value


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


def test_only_what_an_offer_adds_is_an_objective():
    offered = value(loans(2), CURVES, assumed())
    with pytest.raises(ValueError, match="expected that of offers"):
        offered.objective()
    added = incremental(offered, np.array([1.0, 0.5]), [], np.zeros(2))
    assert added.objective()[0] == pytest.approx(offered.economic_profit()[0])
    assert added.objective()[1] < added.objective()[0]


def test_offers_of_each_opportunity_share_its_baseline():
    grid = loans(6)
    names = [name for name in grid.__struct_fields__ if name != "currency"]
    grid = type(grid)(**{name: getattr(grid, name).reshape(2, 3) for name in names}, currency="USD")
    offered = value(grid, CURVES, assumed())
    found = incremental(offered, np.full((2, 3), 0.2), [], np.array([[1.0], [2.0]]))
    none = incremental(offered, np.full((2, 3), 0.2), [], np.zeros((2, 3)))
    assert none.objective() - found.objective() == pytest.approx(np.array([[1.0] * 3, [2.0] * 3]))


@pytest.mark.parametrize("capital_is", ["hurdle", "cash"])
def test_who_would_have_come_anyway_costs_no_capital_twice(capital_is):
    offered = value(loans(), CURVES, assumed(capital_is=capital_is))
    same = Displaced(kind="checkout order", share=np.ones(1), value=offered)
    free = incremental(offered, np.ones(1), [same], np.zeros(1))
    assert free.objective()[0] == pytest.approx(0.0, abs=1e-9)


def refused(words, **changes):
    offered = value(loans(2), CURVES, assumed())
    given = {"offered": offered, "take_up": np.full(2, 0.3), "baseline": np.zeros(2), "displaced": [], **changes}
    with pytest.raises(BadInput, match=f"OP473.*{words}"):
        incremental(**given)


def test_what_cannot_be_is_refused_with_its_row():
    offered = value(loans(2), CURVES, assumed())
    refused("take_up is 1.7 in row 2: expected a probability", take_up=np.array([0.1, 1.7]))
    refused("take_up is -0.2 in row 1", take_up=np.array([-0.2, 0.1]))
    refused("take_up is nan", take_up=np.array([0.1, np.nan]))
    refused(r"take_up has shape \(3,\)", take_up=np.zeros(3))
    refused("baseline is no money", baseline=np.array([np.nan, 0.0]))
    half = [Displaced(kind=kind, share=np.full(2, 0.7), value=offered) for kind in ("organic order", "shorter term")]
    refused("sum to 1.4 in row 1 and 1 more: expected at most 1", displaced=half)
    refused("is incremental already", offered=msgspec.structs.replace(offered, of="offer"))
