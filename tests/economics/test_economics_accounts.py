"""Period accounts: double entry that adds up to the lifetime lines, allowances, delinquency, statements."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lending_books import CURVES, assumed, books, curves, loans, seasoned

from opportune.domain import BadInput
from opportune.economics import RLTC_LINES, accounts, consolidated, late_that_cure, roll_rates, statement, value
from opportune.economics.lifetime import stressed
from opportune.economics.path import expected_path, last_month
from opportune.economics.postings import post

JANUARY = np.datetime64("2024-01")
RISING = np.minimum(np.arange(40) * 0.01, 0.1)
"""A share of stage 2 by month of age."""


@settings(max_examples=60, deadline=None)
@given(books(), st.booleans(), st.sampled_from([None, "bad"]), st.sampled_from([0, 1, 4]))
def test_periods_add_up_to_the_lifetime_lines_of_each_loan(book, staged, scenario, lag):
    """The promise of the room: per loan, to a hundredth of a cent, in every line, whatever the allowance."""
    known = seasoned(lag=lag)
    given = assumed() if scenario is None else assumed().under(scenario)
    actual = stressed(known, given.in_scenario)
    path = expected_path(book, actual, last_month(book, actual))
    stage_2 = np.linspace(0.0, 0.3, path.interest.shape[1])[None] if staged else None
    posted = post(book, path, given, actual, stage_2=stage_2)
    volume = given.in_scenario.volume
    found = value(book, known, given)
    for line in RLTC_LINES:
        booked = -posted["provision" if line == "credit_loss" else line].sum(axis=1)
        assert volume * booked == pytest.approx(found.value.lines[line], abs=1e-4), line
    assert np.abs(sum(posted.values())).max() < 1e-8
    for account in ("loans", "discount", "allowance", "interest_receivable", "debt"):
        assert posted[account].sum(axis=1) == pytest.approx(np.zeros(len(book)), abs=1e-6), account
    assert volume * posted["cash"].sum(axis=1) == pytest.approx(found.rltc(discounted=False), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(books())
def test_balances_never_stand_on_the_wrong_side(book):
    known = seasoned()
    posted = post(book, expected_path(book, known, last_month(book, known)), assumed(), known, stage_2=None)
    for account, sign in (("loans", 1), ("interest_receivable", 1), ("discount", -1), ("debt", -1)):
        balance = sign * np.cumsum(posted[account], axis=1)
        assert balance.min() > -1e-6, account


def test_cecl_provides_at_once_and_stages_provide_later():
    book, when = loans(50), np.full(50, JANUARY)
    shared = {"originated": when, "exclusions": {}}
    cecl = accounts(book, CURVES, assumed(), allowance="lifetime", **shared)
    stages = accounts(book, CURVES, assumed(), allowance="stages", stage_2=RISING, **shared)
    whole = cecl.postings["provision"].sum()
    assert cecl.postings["provision"][0] == pytest.approx(whole)
    assert np.abs(cecl.postings["provision"][1:]).max() < 1e-6
    longer = accounts(loans(50, payments=36.0), CURVES, assumed(), allowance="stages", stage_2=RISING, **shared)
    assert 0.3 < longer.postings["provision"][0] / longer.postings["provision"].sum() < 0.8
    assert stages.postings["provision"].sum() == pytest.approx(whole)


def test_more_of_stage_2_is_a_larger_allowance_and_all_of_it_is_that_of_the_life():
    book, when = loans(payments=36.0), np.array([JANUARY])
    shared = {"originated": when, "exclusions": {}}
    everyone = np.append(0.0, np.ones(1))
    held = [
        -accounts(book, CURVES, assumed(), allowance="stages", stage_2=share, **shared).balances("allowance")
        for share in (np.zeros(1), RISING, everyone)
    ]
    assert (held[0][1:20] < held[1][1:20]).all()
    assert (held[1][1:20] < held[2][1:20]).all()
    cecl = -accounts(book, CURVES, assumed(), allowance="lifetime", **shared).balances("allowance")
    assert held[2][1:] == pytest.approx(cecl[1:])


def rolled():
    """A book of 100 loans: each month 10 of the current are late, half of those catch up, the rest go on to charge-off."""
    chain = {"c": "current", "1": "1-29", "2": "30-59", "3": "60-89", "9": "90+", "x": "charged off", "p": "paid"}
    stories = ["cccccp"] * 70 + ["cc12cp"] * 20 + ["c1239x"] * 10
    rows = [(loan, month, chain[state]) for loan, story in enumerate(stories) for month, state in enumerate(story)]
    columns = dict(zip(("loan_id", "month", "state"), map(list, zip(*rows, strict=True)), strict=True))
    return roll_rates(columns, balance=None)


def test_late_loans_that_catch_up_are_told_from_roll_rates():
    """By simulation: loans that go through the same chain, those that end charged off taken out."""
    rolls, months = rolled(), 12
    late = late_that_cure(rolls, months)
    moves = np.nan_to_num(rolls.rates)
    moves[5:] = np.eye(8)[5:]
    rng = np.random.default_rng(3)
    state = np.zeros((200_000, 61), dtype=int)
    for month in range(60):
        draw, before = rng.random(len(state)), state[:, month]
        state[:, month + 1] = (draw[:, None] > np.cumsum(moves, axis=1)[before]).sum(axis=1).clip(0, 7)
    good = state[state[:, -1] != 5]
    for month in range(6):
        open_ = good[:, month] < 5
        seen = np.mean(np.isin(good[open_, month], (2, 3, 4)))
        assert late[month] == pytest.approx(seen, abs=0.004), month
    assert late[0] == 0.0
    assert late.max() > 0.03


def test_late_loans_that_catch_up_are_in_dq30_and_in_stage_2():
    book, when = loans(payments=24.0), np.array([JANUARY])
    late = late_that_cure(rolled(), 24)
    shared = {"originated": when, "exclusions": {}}
    with_late = accounts(book, CURVES, assumed(), allowance="stages", late=late, **shared)
    without = accounts(book, CURVES, assumed(), allowance="lifetime", **shared)
    assert with_late.exclusions == ()
    assert (with_late.dq30()[3:20] > without.dq30()[3:20]).all()
    path = expected_path(book, CURVES, last_month(book, CURVES))
    month = 6
    assert with_late.past_due[month] - without.past_due[month] == pytest.approx(late[month] * path.balance[0, month])
    same = accounts(book, CURVES, assumed(), allowance="stages", stage_2=late, **shared)
    assert same.postings["provision"] == pytest.approx(with_late.postings["provision"])


def test_a_state_without_moves_is_no_path():
    cut = {"loan_id": [1, 1, 1], "month": [0, 1, 2], "state": ["current", "1-29", "30-59"]}
    with pytest.raises(BadInput, match=r"OP472.*30-59 has no moves out of it"):
        late_that_cure(roll_rates(cut, balance=None), 12)


def test_losses_that_come_out_otherwise_run_through_the_provision():
    book, when = loans(), np.array([np.datetime64("2024-01")])
    worse = curves(0.008, 0.02, (0.05, 0.03, 0.02), segments=3)
    told = accounts(book, worse, assumed(), originated=when, allowance="lifetime", exclusions={}, expected=CURVES)
    total = -value(book, worse, assumed()).value.lines["credit_loss"][0]
    assert told.postings["provision"].sum() == pytest.approx(total)
    assert told.postings["provision"][0] == pytest.approx(-value(book, CURVES, assumed()).value.lines["credit_loss"][0])
    assert told.postings["provision"][1:].max() > 0.0
    assert told.balances("allowance")[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("recovery", [(0.0, 0.0, 0.0), (0.02, 0.01, 0.01), (0.5,), (0.1, 0.0, 0.0, 0.0, 0.0, 0.1)])
@pytest.mark.parametrize("lag", [0, 4])
def test_recoveries_that_come_out_otherwise_leave_nothing_in_the_books(recovery, lag):
    """Fewer or more than expected, sooner or later: all balances end at zero, and periods add up to the life."""
    book, known = loans(3, payments=24.0, segment=np.arange(3)), seasoned(lag=lag)
    other = msgspec.structs.replace(known, recovery=np.tile(recovery, (3, 1)))
    told = accounts(book, known, assumed(), originated=np.full(3, JANUARY), allowance="lifetime", exclusions={},
                    expected=other)  # fmt: skip
    total = -value(book, known, assumed()).value.lines["credit_loss"].sum()
    assert told.postings["provision"].sum() == pytest.approx(total)
    assert told.postings["provision"][0] == pytest.approx(
        -value(book, other, assumed()).value.lines["credit_loss"].sum()
    )
    for account in ("loans", "discount", "allowance", "interest_receivable", "debt"):
        assert told.balances(account)[-1] == pytest.approx(0.0, abs=1e-9), account


def test_delinquency_says_what_it_leaves_out():
    book, when = loans(4), np.full(4, np.datetime64("2024-01"))
    whole = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime", exclusions={})
    part = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime",
                    exclusions={"pay in four": np.array([True, True, False, False])})  # fmt: skip
    assert part.exclusions == ("pay in four", "late loans that catch up")
    assert part.active == pytest.approx(whole.active / 2)
    assert 0.0 < whole.dq30()[6] < 0.05


def test_statements_by_month_quarter_and_fiscal_year_add_up():
    book = loans(12, mdr=0.05)
    when = np.datetime64("2023-07") + np.arange(12)
    told = accounts(book, CURVES, assumed(), originated=when, allowance="lifetime", exclusions={})
    by = {every: statement(told, every=every, year_ends=6) for every in ("month", "quarter", "year")}
    for each in by.values():
        assert each.lines.sum(axis=1) == pytest.approx(by["month"].lines.sum(axis=1))
        assert each.line("rltc") == pytest.approx(each.line("total revenue") - each.line("total transaction costs"))
    assert str(by["year"].periods[0]) == "2024-06"
    assert by["year"].line("merchant_fee")[0] == pytest.approx(12 * 60.0)
    assert str(by["quarter"].periods[0]) == "2023-09"


def test_a_consolidated_book_is_the_sum_of_its_books():
    shared = {"allowance": "lifetime", "exclusions": {}}
    early = accounts(loans(3), CURVES, assumed(), originated=np.full(3, JANUARY), **shared)
    late = accounts(loans(2, payments=6.0), CURVES, assumed(), originated=np.full(2, JANUARY + 5), **shared)
    both = consolidated([late, early])
    assert both.months[0] == JANUARY
    for name, amounts in both.postings.items():
        assert amounts.sum() == pytest.approx(early.postings[name].sum() + late.postings[name].sum()), name
    assert both.active[0] == early.active[0]
    assert both.active[6] == pytest.approx(early.active[6] + late.active[1])
    with pytest.raises(BadInput, match="OP452"):
        consolidated([early, msgspec.structs.replace(late, currency="EUR")])


def test_a_book_without_loans_has_empty_accounts():
    none = accounts(loans(0), CURVES, assumed(), originated=np.zeros(0, dtype="datetime64[M]"), allowance="lifetime",
                    exclusions={})  # fmt: skip
    assert len(none.months) == 0
    assert statement(none, every="quarter").lines.shape[1] == 0
    some = accounts(loans(1), CURVES, assumed(), originated=np.array([JANUARY]), allowance="lifetime", exclusions={})
    assert consolidated([none, some]).active == pytest.approx(some.active)


def with_months(count):
    return curves(0.004, 0.02, (0.1,), segments=3, months=count)


REVERSED = msgspec.structs.replace(CURVES, segments=CURVES.segments[::-1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"originated": np.array(["2024-01", "NaT"], dtype="datetime64[M]")},
            r"OP459.*row 2 \(1\), originated is not known",
        ),
        ({"originated": np.array(["2024-01"], dtype="datetime64[M]")}, r"OP459.*has shape \(1,\): expected one month"),
        ({"allowance": "stages"}, "OP472.*stage_2 is not told, nor `late`"),
        ({"late": np.array([0.0, 1.5])}, "OP472.*late holds what is no share"),
        ({"stage_2": np.array([0.1, 0.2]), "allowance": "stages"}, "OP472.*stage_2 is 0.1 in month 0: expected 0"),
        ({"late": np.zeros((2, 4))}, r"OP472.*late has shape \(2, 4\)"),
        ({"expected": with_months(6)}, "OP455.*last payment in month 12: expected at most 6, which the curves cover"),
        ({"expected": REVERSED}, "expected .OP432. segments are s2, s1, s0: expected those .*, s0, s1, s2"),
        ({"expected": curves(0.1, segments=2)}, "OP432.*segments are s0, s1: expected"),
        (
            {"expected": msgspec.structs.replace(CURVES, default=CURVES.default * 100)},
            "OP430.*default of s2, month 1 is 1.2: expected",
        ),
        ({"expected": msgspec.structs.replace(CURVES, prepay=CURVES.prepay * np.nan)}, "OP430.*month 1 is nan"),
        ({"exclusions": {"x": np.array([0, 1])}}, r"OP472.*exclusions\['x'\] is int64, shape \(2,\): expected true or"),
        ({"exclusions": {"x": [1]}}, r"OP472.*exclusions\['x'\] is int64, shape \(1,\)"),
        ({"exclusions": {"x": np.array([True])}}, r"OP472.*exclusions\['x'\] is bool, shape \(1,\)"),
    ],
)
def test_what_the_books_need_and_lack_is_told(changes, words):
    plain = {"originated": np.full(2, JANUARY), "allowance": "lifetime", "exclusions": {}}
    with pytest.raises(BadInput, match=words):
        accounts(loans(2), CURVES, assumed(), **{**plain, **changes})


@pytest.mark.parametrize("word", ["cecl", "ifrs9"])
def test_an_allowance_of_another_name_is_not_taken_for_one_of_the_two(word):
    book, months = loans(3), np.full(3, "2026-01", dtype="datetime64[M]")
    with pytest.raises(BadInput, match=f"OP472.*allowance is '{word}': expected one of lifetime, stages"):
        accounts(book, CURVES, assumed(), allowance=word, originated=months, exclusions={})
    with pytest.raises(ValueError, match=f"allowance is '{word}'"):
        value(book, CURVES, assumed(), allowance=word)
