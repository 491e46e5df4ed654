"""Choosing: who wins a tie, and what a unit of a resource is charged under several limits."""

import numpy as np
import pytest

from opportune.decisioning import choose, unit_charges
from opportune.domain import Candidates, Limit, places_of


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
