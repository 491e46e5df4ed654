"""One row and 100,000 rows give the same bits, in any order: the promise that list and request decide alike."""

import numpy as np
import pytest

from opportune.decisioning import candidates, choose, unit_charges
from opportune.domain import Candidates, Limit, places_of
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.plan import read_rulebook


@pytest.fixture(scope="module")
def waist(demo):
    """The demo's list, its facts and its rulebook: trees and linear models, five offers."""
    settings = demo.settings
    batch = opportunities_at(open_tables(demo.out, settings.directory), settings.plan_at, context_columns(settings))
    facts = read_facts(demo.out, list(settings.features), batch.opportunity_id, settings.plan_at)
    return batch, facts, read_rulebook(settings, demo.out)


@pytest.mark.demo
def test_one_row_and_100_000_rows_give_the_same_bits(waist):
    batch, facts, rulebook = waist
    rows = np.resize(np.arange(len(batch)), 100_000)
    many = candidates(batch.take(rows), facts.take(rows), rulebook)
    for row in (0, 1, 17, 16_383, 16_384, 29_252, 99_999):
        one = candidates(batch.take(rows[[row]]), facts.take(rows[[row]]), rulebook)
        assert one.value.tobytes() == many.value[[row]].tobytes()
        assert all(one.uses[name].tobytes() == many.uses[name][[row]].tobytes() for name in one.uses)


@pytest.mark.demo
def test_the_order_of_a_batch_changes_no_bit(waist):
    batch, facts, rulebook = waist
    rows = np.arange(3_000)
    straight = candidates(batch.take(rows), facts.take(rows), rulebook)
    turned = candidates(batch.take(rows[::-1]), facts.take(rows[::-1]), rulebook)
    assert straight.value.tobytes() == np.ascontiguousarray(turned.value[::-1]).tobytes()


@pytest.mark.demo
def test_a_dearer_offer_is_never_likelier_to_be_taken(waist):
    from opportune.decisioning import forecast

    batch, facts, rulebook = waist
    rows = np.arange(5_000)
    response = forecast(batch.take(rows), facts.take(rows), rulebook).quantities["response"]
    assert np.all(np.diff(response, axis=1) >= 0)  # steps are ordered by growing discount


@pytest.mark.demo
def test_facts_in_another_order_are_refused(waist):
    batch, facts, rulebook = waist
    with pytest.raises(ValueError, match="order of the batch"):
        candidates(batch.take(np.array([0, 1])), facts.take(np.array([1, 0])), rulebook)


def options(value, eligible=None, **uses):
    value = np.asarray(value, dtype=float)
    names = np.array([f"o{i}" for i in range(len(value))], dtype=object)
    return Candidates(
        opportunity_id=names,
        customer_id=names,
        slot=names,
        offer_ids=tuple(f"k{k}" for k in range(value.shape[1])),
        eligible=np.ones(value.shape, dtype=bool) if eligible is None else np.asarray(eligible),
        value=value,
        uses={name: np.asarray(amounts, dtype=float) for name, amounts in uses.items()},
        currency="USD",
    )


def test_no_offer_wins_ties_and_then_the_first_offer():
    chosen = choose(
        options([[0.0, 0.0], [2.0, 2.0], [-1.0, 3.0], [5.0, 9.0]], eligible=[[1, 1], [1, 1], [1, 1], [1, 0]]), {}
    )
    assert chosen.choice.tolist() == [-1, 0, 1, 0]
    assert chosen.probability.tolist() == [[0, 0], [1, 0], [0, 1], [1, 0]]


def test_charges_of_resources_add_up_the_prices_of_limits():
    limits = [
        Limit(name="cap", uses="contacts", at_most=10.0),
        Limit(name="rate", uses="loss", per="lent", at_most=0.1),
        Limit(name="both", uses="lent", at_most=9.0, at_least=1.0),
    ]
    prices = {"cap": 2.0, "rate": 3.0, "both (at most)": 0.5, "both (at least)": 0.25}
    charges = unit_charges(places_of(limits, []), prices, {})
    assert charges == pytest.approx({"contacts": 2.0, "loss": 3.0, "lent": -0.3 + 0.5 - 0.25})
