"""The bridge: exact, indifferent to order, and each term alone where only that term changes."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lending_books import CURVES, assumed, curves, loans

from opportune.domain import BadInput
from opportune.economics import Totals, accounts, booked_totals, bridge, lifetime_totals, statement, value

money = st.floats(1.0, 1e6)


def period(gmv, interest, fee, loss, funding, processing, late):
    """Return the totals of three segments with the same rates, but for interest, which is money."""
    gmv = np.array(gmv)
    lines = {
        "merchant_fee": gmv * fee, "interest": np.array(interest), "credit_loss": -gmv * loss,
        "funding_cost": -gmv * funding, "processing": -gmv * processing,
    }  # fmt: skip
    worth = float(sum(line.sum() for line in lines.values()))
    return Totals(segments=("a", "b", "c"), gmv=gmv, lines=lines, booked=worth + late)


@st.composite
def periods(draw, segments=3, goods=money):
    gmv = [draw(goods) for _ in range(segments)]
    rates = [draw(st.floats(0, most)) for most in (0.1, 0.05, 0.03, 0.02)]
    return period(gmv, [draw(money) * 0.01 for _ in gmv], *rates, draw(st.floats(-1e4, 1e4)))


# Interest of 4,000 on goods of 1, beside a period in which that segment has most goods: terms of 1e9 that cancel.
DEAR = period([5.0, 1.0, 999998.0], [0.01, 4075.7, 9044.73], 0.046875, 0.0234375, 0.0078125, 0.0, 0.0)
PLAIN = period([352824.0, 899720.0, 1.0], [0.01, 0.01, 9177.04], 0.056131307, 0.0, 0.01953125, 0.01953125, 0.0)


def rounding(a, b):
    """Return what float64 may lose of goods times rates, where each is as large as in either period."""
    goods = max(a.gmv.sum(), b.gmv.sum())
    rates = sum(np.max(np.abs(np.stack([a.lines[name] / a.gmv, b.lines[name] / b.gmv]))) for name in a.lines)
    return max(1e-6, 1e-14 * goods * rates)


@settings(max_examples=100, deadline=None)
@given(periods(goods=st.sampled_from([0.0, 10.0, 1e5])), periods(goods=st.sampled_from([1.0, 3e4])))
def test_terms_add_up_where_segments_have_no_goods_but_books(a, b):
    for there in (bridge(a, b), bridge(b, a)):
        assert all(np.isfinite(list(there.values())))
    assert sum(bridge(a, b).values()) == pytest.approx(b.booked - a.booked, rel=1e-9, abs=1e-6)
    assert sum(bridge(b, a).values()) == pytest.approx(a.booked - b.booked, rel=1e-9, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(periods(), periods())
@example(DEAR, PLAIN)
def test_terms_add_up_and_turn_round(a, b):
    there, back = bridge(a, b), bridge(b, a)
    assert sum(there.values()) == pytest.approx(b.booked - a.booked, rel=1e-9, abs=rounding(a, b))
    for term, amount in there.items():
        assert back[term] == pytest.approx(-amount, rel=1e-9, abs=rounding(a, b))


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


def test_from_nothing_and_to_nothing_it_is_volume():
    nothing, some = totals([0.0, 0.0], 0.0, booked=0.0), totals([100.0, 50.0], 0.05)
    there, back = bridge(nothing, some), bridge(some, nothing)
    assert {term: amount for term, amount in there.items() if amount} == {"volume": pytest.approx(7.5)}
    assert back["volume"] == pytest.approx(-7.5)
    tail = totals([0.0, 0.0], 0.0, booked=-2.0)  # losses of older loans are booked in a period without new ones
    assert bridge(some, tail)["timing"] == pytest.approx(-2.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gmv": np.array([np.nan, 1.0])}, "gmv of b is .*expected money, zero or more"),
        ({"gmv": np.array([-1.0, 1.0])}, "gmv of b is"),
        ({"lines": {"interest": np.array([np.inf, 0.0])}}, "interest of b is .*expected money in every segment"),
        ({"lines": {"interest": np.zeros(3)}}, r"interest of b has shape \(3,\): expected a number for each segment"),
        ({"booked": float("nan")}, "booked of b is nan: expected money"),
        ({"lines": {"credit_loss": np.zeros(2), "provision": np.zeros(2)}}, "hold credit_loss and provision"),
        ({"segments": ("a", "c")}, r"are \('a', 'b'\) and \('a', 'c'\)"),
    ],
)
def test_amounts_that_are_not_known_are_refused(changes, words):
    import msgspec

    a = totals([100.0, 50.0], 0.05)
    with pytest.raises(BadInput, match=f"OP456.*{words}"):
        bridge(a, msgspec.structs.replace(a, **changes))


QUARTERS = {"allowance": "lifetime", "exclusions": {}}


def booked(count, **terms):
    book = loans(count, mdr=0.05, **terms)
    when = np.datetime64("2026-01") + np.arange(count) % 6
    return statement(accounts(book, CURVES, assumed(), originated=when, **QUARTERS), every="quarter")


def test_statements_of_two_quarters_are_bridged_line_by_line():
    told = {"short": booked(12, payments=6.0), "long": booked(24, payments=24.0)}
    goods = {"short": 6 * 1200.0, "long": 12 * 1200.0}
    first, second = (booked_totals(told, period, goods) for period in ("2026-03", "2026-06"))
    rltc = [sum(each.line("rltc")[i] for each in told.values()) for i in range(2)]
    terms = bridge(first, second)
    assert first.booked == pytest.approx(rltc[0])
    assert sum(terms.values()) == pytest.approx(rltc[1] - rltc[0])
    assert terms["timing"] == pytest.approx(0.0, abs=1e-9)
    assert terms["volume"] == pytest.approx(0.0, abs=1e-9)  # as many loans in each: interest and funding of older ones
    assert terms["take rate"] > 0.0 > terms["funding"]
    with pytest.raises(BadInput, match=r"OP456.*period is 1999-03"):
        booked_totals(told, "1999-03", goods)
    with pytest.raises(BadInput, match=r"OP456.*expected the segments long, short"):
        booked_totals(told, "2026-03", {"short": 1.0})


def test_a_segment_whose_books_end_within_the_period_is_in_it():
    """Books of nine payments end in November: their last quarter ends in December, as that of the others does."""
    known, when = curves(0.01, 0.02, (0.1,), lag=0), np.array([np.datetime64("2024-01")])
    told = {
        name: statement(
            accounts(loans(1, payments=count), known, assumed(), originated=when, **QUARTERS), every="quarter"
        )
        for name, count in (("short", 9.0), ("long", 24.0))
    }
    goods = {"short": 1.0, "long": 1.0}
    assert str(told["short"].periods[-1]) == "2024-12"
    assert booked_totals(told, "2024-12", goods).booked == pytest.approx(
        told["short"].line("rltc")[-1] + told["long"].line("rltc")[3]
    )
    assert told["short"].line("rltc")[-1] < -0.01
    with pytest.raises(BadInput, match=r"OP456.*period is 2024-11: expected the last month of a period"):
        booked_totals(told, "2024-11", goods)


def test_what_a_period_books_against_what_its_loans_are_worth_is_timing():
    """The loans of each quarter at their lifetime value, beside the books: a provision first, income later."""
    quarters = []
    for start, count in (("2026-01", 10), ("2026-04", 30)):
        book, when = loans(count), np.full(count, np.datetime64(start))
        worth = value(book, CURVES, assumed())
        told = statement(accounts(book, CURVES, assumed(), originated=when, **QUARTERS), every="quarter")
        quarters.append(lifetime_totals(worth, np.full(count, "all"), ("all",), float(told.line("rltc")[0])))
    terms = bridge(*quarters)
    assert sum(terms.values()) == pytest.approx(quarters[1].booked - quarters[0].booked)
    assert terms["volume"] > 0.0 > terms["timing"]
    with pytest.raises(BadInput, match=r"OP456.*segment holds all"):
        lifetime_totals(worth, np.full(30, "all"), ("other",), 0.0)
