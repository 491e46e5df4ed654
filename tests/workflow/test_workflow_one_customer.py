"""Why one customer of a plan gets what they get, told from what the plan left behind."""

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from opportune.cli.app import status_of
from opportune.cli.printing_customer import print_customer
from opportune.domain import NO_OFFER_ID, AsOf, BadInput


@profile(max_examples=8, deadline=None)
@given(st.integers(0, 1999))
def test_of_any_customer_money_adds_up_and_the_winner_is_what_the_plan_gives(small_run, row):
    planned = small_run.planned()
    given_offer = planned.choices.slice(row, 1).to_pylist()[0]
    (told,) = small_run.explain_customer(given_offer["customer_id"]).opportunities
    assert (told.opportunity_id, told.gets) == (given_offer["opportunity_id"], given_offer["offer_id"])
    by_offer = {offer.offer_id: offer for offer in told.ranked}
    mine = by_offer[told.gets]
    assert mine.value == pytest.approx(given_offer["value"], rel=1e-12)
    letters = planned.prices["letters"]
    charged = {"letters": letters * given_offer["contacts"]}
    charged["arrears rate"] = planned.prices["arrears rate"] * (
        given_offer["expected_loss"] - 0.05 * given_offer["amount_lent"]
    )
    assert mine.charges == pytest.approx(charged, rel=1e-9)
    for offer in told.ranked:
        assert offer.net == pytest.approx(offer.value - sum(offer.charges.values()), abs=1e-9)
    assert told.ranked[0].net >= told.ranked[-1].net
    if told.because == "most left":
        assert told.gets == told.ranked[0].offer_id
    else:
        assert told.because in {"nothing eligible", "whole customers"}


def test_a_request_at_the_prices_of_the_plan_gets_what_the_list_gets(small_run):
    planned = small_run.planned()
    monday, tuesday = AsOf.parse("2025-03-03"), AsOf.parse("2025-03-04")
    charges = planned.price_list(monday, tuesday).charges({}, monday)
    assert charges["contacts"] == planned.prices["letters"] > 0.0
    (told,) = small_run.explain_customer("c20001").opportunities
    assert told.ranked[0].net == pytest.approx(told.ranked[0].value - charges["contacts"])  # the ratio has no price
    with pytest.raises(BadInput, match=r"\[OP513\]"):
        planned.price_list(monday, tuesday).charges({}, tuesday)


def test_a_stranger_is_refused_with_an_example(small_run, capsys):
    with pytest.raises(BadInput, match=r"\[OP845\] c1 has no opportunity on the list .* such as c20000"):
        small_run.explain_customer("c1")
    assert status_of(["plan", str(small_run.settings.directory), "--customer", "c1"]) == 2
    assert "[OP845]" in capsys.readouterr().err


def test_winner_and_runner_up_are_printed_side_by_side(small_run, capsys):
    print_customer(small_run.explain_customer("c20001"), "USD")
    title, header, *rows = capsys.readouterr().out.strip().splitlines()
    assert title == (
        "Customer c20001, opportunity l20001: standard, because most is left of it once limits have charged for what it "
        "uses"
    )
    assert header.split() == ["winner:", "standard", "runner-up:", "step_1"]
    assert [row.rsplit(None, 2)[0] for row in rows] == [
        "value, USD", "charge of letters", "charge of arrears rate", "left",
    ]  # fmt: skip
    print_customer(small_run.explain_customer("c20000"), "USD")
    assert f"{NO_OFFER_ID}, because no offer is eligible" in capsys.readouterr().out
