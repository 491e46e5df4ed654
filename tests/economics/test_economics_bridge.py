"""The bridge: exact, indifferent to order, and each term alone where only that term changes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import Totals, bridge

money = st.floats(1.0, 1e6)


@st.composite
def periods(draw, segments=3):
    gmv = np.array([draw(money) for _ in range(segments)])
    lines = {
        "merchant_fee": gmv * draw(st.floats(0, 0.1)), "interest": np.array([draw(money) for _ in gmv]) * 0.01,
        "credit_loss": -gmv * draw(st.floats(0, 0.05)), "funding_cost": -gmv * draw(st.floats(0, 0.03)),
        "processing": -gmv * draw(st.floats(0, 0.02)),
    }  # fmt: skip
    worth = float(sum(line.sum() for line in lines.values()))
    return Totals(segments=("a", "b", "c"), gmv=gmv, lines=lines, booked=worth + draw(st.floats(-1e4, 1e4)))


@settings(max_examples=100, deadline=None)
@given(periods(), periods())
def test_terms_add_up_and_turn_round(a, b):
    there, back = bridge(a, b), bridge(b, a)
    assert sum(there.values()) == pytest.approx(b.booked - a.booked, rel=1e-9, abs=1e-6)
    for term, amount in there.items():
        assert back[term] == pytest.approx(-amount, rel=1e-9, abs=1e-6)


def by_orders(a, b):
    """The mean over all orders in which volume, mix and the rates change, written anew."""
    groups = {
        "take rate": ("merchant_fee", "interest"),
        "loss": ("credit_loss",),
        "funding": ("funding_cost",),
        "other costs": ("processing",),
    }
    factors = ["volume", "mix", *groups]

    def rltc(changed):
        pick = lambda factor: b if factor in changed else a  # noqa: E731
        gmv = pick("mix").gmv / pick("mix").gmv.sum() * pick("volume").gmv.sum()
        return sum(
            float(np.sum(gmv * sum(pick(name).lines[line] for line in lines) / pick(name).gmv))
            for name, lines in groups.items()
        )

    terms = dict.fromkeys(factors, 0.0)
    orders = list(itertools.permutations(factors))
    for order in orders:
        for i, factor in enumerate(order):
            terms[factor] += (rltc(set(order[: i + 1])) - rltc(set(order[:i]))) / len(orders)
    return terms


@settings(max_examples=5, deadline=None)
@given(periods(), periods())
def test_terms_are_the_mean_over_all_orders_of_change(a, b):
    found, expected = bridge(a, b), by_orders(a, b)
    for term, amount in expected.items():
        assert found[term] == pytest.approx(amount, rel=1e-6, abs=1e-3), term


def totals(gmv, rate, booked=None):
    lines = {"merchant_fee": np.array(gmv) * rate}
    return Totals(
        segments=("a", "b"), gmv=np.array(gmv), lines=lines, booked=booked or float(lines["merchant_fee"].sum())
    )


def test_one_change_is_one_term():
    only = lambda a, b: {term: amount for term, amount in bridge(a, b).items() if abs(amount) > 1e-9}  # noqa: E731
    assert only(totals([100.0, 100.0], 0.05), totals([200.0, 200.0], 0.05)) == {"volume": pytest.approx(10.0)}
    assert only(totals([100.0, 100.0], 0.05), totals([100.0, 100.0], 0.06)) == {"take rate": pytest.approx(2.0)}
    assert only(totals([100.0, 100.0], 0.05), totals([100.0, 100.0], 0.05, 7.0)) == {"timing": pytest.approx(-3.0)}
    rates = np.array([0.02, 0.08])
    assert only(totals([100.0, 100.0], rates), totals([50.0, 150.0], rates)) == {"mix": pytest.approx(3.0)}
    assert only(totals([100.0, 0.0], 0.05), totals([100.0, 100.0], 0.05)) == {"volume": pytest.approx(5.0)}


def test_what_cannot_be_compared_is_refused():
    a = totals([100.0, 0.0], 0.05)
    with pytest.raises(BadInput, match=r"OP456.*zero in both"):
        bridge(a, a)
    with pytest.raises(BadInput, match=r"OP456.*profit"):
        bridge(
            totals([1.0, 1.0], 0.1),
            Totals(segments=("a", "b"), gmv=np.ones(2), lines={"profit": np.ones(2)}, booked=1.0),
        )
