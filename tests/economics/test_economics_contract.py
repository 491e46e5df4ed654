"""Contracts and what happens to them: published figures to the cent, and identities that no event may break."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import (
    BusinessDays,
    Charge,
    ChargeOff,
    Contract,
    Draw,
    Payment,
    Payoff,
    RateChange,
    Recovery,
    Refund,
    Terms,
    UnitPeriod,
    coming,
    contract_at,
    quote,
    schedule,
    status,
)
from opportune.economics.contract import PARTS

MONTH, TWO_WEEKS = UnitPeriod("month", 1), UnitPeriod("day", 14)


def money(text):
    return Decimal(str(text))


def on(month, day=1):
    return date(2024, month, day)


def terms(amount="100.00", rate="0.094822", payments=6, **named):
    base = {"period": MONTH, "disbursed": on(1), "first_payment": on(2), "day_count": "30/360"}
    return Terms(amount=money(amount), rate=money(rate), payments=payments, **{**base, **named})


def contract(given_terms=None, **named):
    base = {"parts": PARTS, "across": "by_instalment", "surplus": "pay_ahead"}
    return Contract(terms=given_terms or terms(), **{**base, **named})


def paid(day, amount, **named):
    return Payment(on=day, amount=money(amount), **named)


def rows(account):
    return [each.row for each in coming(account)]


def column(rows_, name):
    return [float(getattr(row, name)) for row in rows_]


def test_fineract_second_draw():
    """ProgressiveEMICalculatorTest: 100 more on 2024-03-01 after two payments; three of 42.63 and one of 42.61 follow."""
    account = contract_at(
        contract(), [paid(on(2), "17.13"), paid(on(3), "17.13"), Draw(on=on(3), amount=money(100))], on(3)
    )
    assert status(account).balance == money("167.19")
    assert column(rows(account), "payment") == [42.63, 42.63, 42.63, 42.61]
    assert rows(account)[-1].balance == 0


def test_fineract_rate_cut():
    """The same test: 7 % becomes 4 % with the interest of 2024-02-02."""
    account = contract_at(
        contract(terms(rate="0.07")), [paid(on(2), "17.01"), RateChange(on=on(2, 2), rate=money("0.04"))], on(2, 2)
    )
    assert float(account.bills[0].interest) == 0.58
    assert column(rows(account), "interest") == [0.28, 0.22, 0.17, 0.11, 0.06]
    assert column(rows(account), "payment") == [16.88, 16.88, 16.88, 16.88, 16.89]


QUARTER_DOWN = terms("1000", "0", 3, down_payment=money("0.25"))


def test_fineract_extra_payment_is_paid_ahead():
    """LoanDownPayment C2812: 400 on 15 February pay March and 150 of April; 100 stays owed."""
    account = contract_at(contract(QUARTER_DOWN), [paid(on(1), 250), paid(on(2), 250), paid(on(2, 15), 400)], on(2, 15))
    assert [(each.row.due, each.paid_ahead) for each in coming(account)] == [(on(3), 250), (on(4), 150)]
    told = status(account)
    assert (told.outstanding, told.next_amount, told.days_past_due) == (100, 0, 0)
    april = contract_at(contract(QUARTER_DOWN), [paid(on(1), 250), paid(on(2), 250), paid(on(2, 15), 400)], on(4, 1))
    assert (status(april).outstanding, april.left("principal"), status(april).state) == (100, 100, "open")


def test_the_three_places_of_a_surplus():
    """300 more than due after the first of six payments of 1,000 at 12 %."""
    loan = terms("1000", "0.12", 6)
    level = schedule(loan)[0].payment
    after = {
        surplus: contract_at(contract(loan, surplus=surplus), [paid(on(2), level + 300)], on(2))
        for surplus in ("pay_ahead", "reduce_term", "reduce_payment")
    }
    plain = rows(contract_at(contract(loan), [paid(on(2), level)], on(2)))
    ahead, shorter, lower = (after[name] for name in ("pay_ahead", "reduce_term", "reduce_payment"))
    assert rows(ahead) == plain
    assert [float(each.paid_ahead) for each in coming(ahead)] == [float(level), float(300 - level), 0.0, 0.0, 0.0]
    assert len(rows(shorter)) == 4
    assert column(rows(shorter), "payment")[:3] == [float(level)] * 3
    assert len(rows(lower)) == 5
    assert rows(lower)[0].payment < level
    assert (
        sum(column(rows(shorter), "interest")) < sum(column(rows(lower), "interest")) < sum(column(plain, "interest"))
    )


def test_allocation_by_part_and_by_instalment():
    """Two instalments and a fee are due; 30 arrives."""
    loan, events = terms("100", "0.24", 4), [Charge(on=on(3, 2), amount=money(5)), paid(on(3, 3), 30)]
    by_instalment = contract_at(contract(loan), events, on(3, 3))
    by_part = contract_at(contract(loan, across="by_part"), events, on(3, 3))
    first = schedule(loan)[0]
    assert [bill.left == 0 for bill in by_instalment.bills] == [True, False, False]
    assert by_instalment.postings[-1].interest == first.interest + by_instalment.bills[1].interest
    assert (by_part.left("fees"), by_part.left("interest")) == (0, 0)
    assert (by_instalment.left("fees"), by_instalment.left("interest")) == (5, 0)
    principal_first = contract_at(
        contract(loan, across="by_part", parts=("principal", "interest", "fees")), events, on(3, 3)
    )
    assert (principal_first.postings[-1].principal, principal_first.left("fees")) == (30, 5)


def test_a_late_payment_costs_its_days():
    """Simple interest: paid on 1 March instead of 1 February, the first instalment bears a month of interest more."""
    loan = terms("1000", "0.12", 6)
    level = schedule(loan)[0].payment
    late = contract_at(contract(loan), [paid(on(3), 2 * level)], on(3))
    punctual = contract_at(contract(loan), [paid(on(2), level), paid(on(3), level)], on(3))
    first_principal = schedule(loan)[0].principal
    assert late.balance - punctual.balance == (first_principal * money("0.01")).quantize(money("0.01"))
    assert status(contract_at(contract(loan), [], on(2, 20))).days_past_due == 19


def test_a_late_fee_comes_once_after_the_days_of_grace():
    loan = contract(terms("200", "0", 4), late_fee=money(7), grace_days=10)
    assert contract_at(loan, [], on(2, 10)).left("fees") == 0
    assert contract_at(loan, [], on(2, 11)).left("fees") == 7
    assert contract_at(loan, [], on(3, 11)).left("fees") == 14
    assert contract_at(loan, [paid(on(2, 11), 50)], on(2, 25)).left("fees") == 0


def test_a_partial_payment_leaves_the_oldest_bill_past_due():
    told = status(contract_at(contract(terms("200", "0", 4)), [paid(on(2), 30), paid(on(3), 60)], on(3, 5)))
    assert (told.days_past_due, told.due_principal) == (4, 10)


def test_payoff_is_quoted_for_its_day():
    """16 of the 29 days of February by 30/360: 15 of 360 of 12 % on 838.45."""
    loan = terms("1000", "0.12", 6)
    level = schedule(loan)[0].payment
    asked = quote(contract_at(contract(loan), [paid(on(2), level)], on(2, 16)))
    balance = schedule(loan)[0].balance
    assert (asked.principal, asked.interest, asked.fees) == (
        balance,
        (balance * money("0.005")).quantize(money("0.01")),
        0,
    )
    ended = contract_at(contract(loan), [paid(on(2), level), Payoff(on=on(2, 16))], on(5))
    assert (status(ended).state, status(ended).outstanding, ended.postings[-1].cash) == ("paid", 0, asked.amount)


def test_a_payment_above_the_payoff_goes_back():
    account = contract_at(contract(terms("200", "0", 4)), [paid(on(1, 10), 250)], on(1, 10))
    assert (account.state, account.postings[-1].returned) == ("paid", 50)


def test_money_held_counts_towards_a_payoff():
    account = contract_at(
        contract(QUARTER_DOWN),
        [paid(on(1), 250), paid(on(2), 250), paid(on(2, 15), 400), Payoff(on=on(2, 20))],
        on(2, 20),
    )
    assert (account.state, account.postings[-1].cash, account.postings[-1].principal, account.postings[-1].held) == (
        "paid",
        100,
        500,
        -400,
    )


PAY_IN_FOUR = terms("200", "0", 3, period=TWO_WEEKS, first_payment=on(1, 15), down_payment=money("0.25"))


@pytest.mark.parametrize(
    ("order", "payments"),
    [("last_first", [50.0, 10.0]), ("oldest_first", [50.0, 10.0]), ("spread", [30.0, 30.0])],
)
def test_a_partial_refund_and_what_is_left(order, payments):
    """40 of the goods go back after the down payment and the first of three payments of 50."""
    events = [paid(on(1), 50), paid(on(1, 15), 50), Refund(on=on(1, 20), amount=money(40), order=order)]
    assert column(rows(contract_at(contract(PAY_IN_FOUR), events, on(1, 20))), "payment") == payments


def test_an_overdue_instalment_and_a_refund_oldest_first():
    events = [paid(on(1), 50), Refund(on=on(1, 20), amount=money(60), order="oldest_first")]
    oldest = contract_at(contract(PAY_IN_FOUR), events, on(1, 20))
    last = contract_at(
        contract(PAY_IN_FOUR), [events[0], msgspec.structs.replace(events[1], order="last_first")], on(1, 20)
    )
    assert (status(oldest).days_past_due, column(rows(oldest), "payment")) == (0, [50.0, 40.0])
    assert (status(last).days_past_due, column(rows(last), "payment")) == (5, [40.0])


def test_a_full_refund_gives_back_what_was_paid():
    events = [paid(on(1), 50), paid(on(1, 15), 50), Refund(on=on(1, 20), amount=money(200), order="last_first")]
    account = contract_at(contract(PAY_IN_FOUR), events, on(3))
    assert (account.state, account.postings[-1].principal, account.postings[-1].returned) == ("refunded", 100, 100)


def test_interest_earned_until_a_full_refund_is_kept():
    loan = terms("1000", "0.36", 6)
    account = contract_at(contract(loan), [Refund(on=on(1, 11), amount=money(1000), order="last_first")], on(1, 11))
    assert (account.state, account.left("interest"), account.balance) == ("open", 10, 0)
    assert (
        status(
            contract_at(
                contract(loan),
                [*[Refund(on=on(1, 11), amount=money(1000), order="last_first")], paid(on(1, 12), 10)],
                on(3),
            )
        ).state
        == "paid"
    )


def test_charge_off_after_days_past_due_and_recoveries():
    loan = contract(terms("1000", "0.12", 6), charge_off_after=90)
    assert status(contract_at(loan, [], on(4, 30))).days_past_due == 89
    lost = contract_at(loan, [Recovery(on=on(9), amount=money(120)), paid(on(10), 30)], on(12))
    assert (lost.state, lost.balance, status(lost).days_past_due) == ("charged_off", 0, 0)
    off = next(each for each in lost.postings if each.kind == "ChargeOff")
    assert off.on == on(2) + timedelta(days=90)
    assert off.written_off[2] == 1000
    assert [each.recovered for each in lost.postings[-2:]] == [120, 30]
    early = contract_at(contract(terms("1000", "0.12", 6)), [ChargeOff(on=on(1, 11))], on(2))
    assert early.postings[-1].written_off == (0, money("3.33"), 1000)


def test_charge_off_for_a_down_payment_or_a_fee_that_is_not_paid():
    down = contract(terms("1200", "0.12", 12, down_payment=money("0.25"), first_payment=on(6)), charge_off_after=60)
    assert status(contract_at(down, [], on(2, 29))).days_past_due == 59
    assert contract_at(down, [], on(3)).state == "charged_off"
    assert contract_at(down, [paid(on(2), 300)], on(3)).state == "open"
    monthly = [paid(row.due, row.payment) for row in schedule(terms("1200", "0.12", 12))]
    loan = contract(terms("1200", "0.12", 12), parts=("principal", "interest", "fees"), charge_off_after=60)
    charged = [Charge(on=on(1, 5), amount=money(30)), *monthly[:3]]
    assert contract_at(loan, charged, on(3, 4)).state == "open"
    assert contract_at(msgspec.structs.replace(loan, across="by_part"), charged, on(3, 5)).state == "charged_off"
    last = msgspec.structs.replace(loan, terms=terms("200", "0", 4), across="by_part", late_fee=money(7), grace_days=10)
    behind = [paid(on(2, 12), 50), paid(on(3), 50), paid(on(4), 50)]
    assert [contract_at(last, behind, on(4, day)).state for day in (10, 11)] == ["open", "charged_off"]


def test_a_contract_that_has_ended_is_not_charged_off():
    for end in (Payoff(on=on(2)), Refund(on=on(1), amount=money(100), order="last_first")):
        ended = contract_at(contract(), [end, ChargeOff(on=on(3))], on(4))
        assert ended.state == ("paid" if isinstance(end, Payoff) else "refunded")
        assert [each.kind for each in ended.postings][1:] == [type(end).__name__]


def test_no_more_is_recovered_than_was_written_off():
    """65.06 of 1,200 are lost; the goods go back for 1,200, of which the customer has paid the rest."""
    loan = contract(terms("1200", "0.12", 12), charge_off_after=120, surplus="reduce_term")
    back = Refund(on=date(2025, 6, 1), amount=money(1200), order="last_first")
    account = contract_at(loan, [paid(on(2), 1150), back], date(2025, 6, 2))
    assert sum(sum(each.written_off) for each in account.postings) == money("65.06")
    assert (account.postings[-1].recovered, account.postings[-1].returned) == (money("65.06"), money("1134.94"))
    events = [ChargeOff(on=on(3)), Recovery(on=on(4), amount=money(1000)), Recovery(on=on(5), amount=money(5000))]
    lost = contract_at(contract(terms("1200", "0.12", 12)), events, on(6))
    assert [(each.recovered, each.returned) for each in lost.postings[-2:]] == [(1000, 0), (224, 4776)]


def test_interest_runs_on_after_the_last_day():
    """100 due on 1 February is paid on 1 March: a month more of 12 %."""
    account = contract_at(contract(terms("100", "0.12", 1)), [paid(on(3), 102)], on(3))
    assert (account.state, account.postings[-1].interest, account.postings[-1].principal) == ("paid", 2, 100)


def test_flat_interest_does_not_fall_with_the_balance():
    loan = terms("900", "0.12", 3, interest_on="flat")
    account = contract_at(contract(loan, surplus="reduce_term"), [paid(on(2), 609)], on(2))
    assert column(rows(account), "payment") == [309.0]


@pytest.mark.parametrize(("order", "months"), [("last_first", 1), ("spread", 12)])
def test_flat_interest_after_a_refund_is_on_what_is_left_of_the_amount_lent(order, months):
    """1,200 at 1 % a month; 1,140 go back after 15 of 30 days: 6.00 are earned, then 0.60 a month."""
    loan = contract(terms("1200", "0.12", 12, interest_on="flat"))
    back = Refund(on=on(1, 16), amount=money(1140), order=order)
    assert column(rows(contract_at(loan, [back], on(1, 16))), "interest") == [6.3, *[0.6] * (months - 1)]
    after_one = [paid(on(2), 112), msgspec.structs.replace(back, on=on(2), amount=money(600))]
    assert column(rows(contract_at(loan, after_one, on(2))), "interest")[0] == 6.0
    down = contract(terms("1600", "0.12", 12, interest_on="flat", down_payment=money("0.25")))
    back = Refund(on=on(1), amount=money(400), order="oldest_first")
    assert column(rows(contract_at(down, [back], on(1))), "interest") == [12.0] * 12


MOVED = terms(
    "100000", "0.365", 5, disbursed=date(2026, 1, 28), first_payment=date(2026, 2, 28), day_count="actual/365",
    calendar=BusinessDays(rule="following", interest_to="contract"),
)  # fmt: skip


def test_a_payoff_between_the_contract_day_and_the_moved_day_bears_interest_to_its_day():
    """100 a day; 28 February is a Saturday, and the instalment is due on Monday, 2 March."""
    days = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert [quote(contract_at(contract(MOVED), [], day)).interest for day in days] == [3000, 3100, 3200]
    sunday = contract_at(contract(MOVED), [], days[-1])
    assert tuple(rows(sunday)) == schedule(MOVED)
    ended = contract_at(contract(MOVED), [Payoff(on=days[-1])], date(2026, 6, 1))
    assert (ended.state, ended.postings[-1].interest) == ("paid", 3200)
    first = schedule(MOVED)[0]
    late = quote(contract_at(contract(MOVED), [], date(2026, 3, 3)))
    assert late.interest == 3100 + (2 * (100000 - first.principal) / 1000 + 100).quantize(money("0.01"))


def test_the_order_of_one_day_is_that_of_the_list():
    """A draw on a due date comes after the bill and the payment of that day, in whatever order they are given."""
    events = [paid(on(2), "17.13"), Draw(on=on(2), amount=money(50))]
    assert contract_at(contract(), events, on(2)).postings == contract_at(contract(), events[::-1], on(2)).postings


PRODUCTS = {
    "pay-in-4": PAY_IN_FOUR,
    "0 % monthly": terms("250", "0", 7),
    "monthly": terms("1234.56", "0.2399", 12, day_count="actual/365"),
    "flat": terms("800", "0.96", 4, interest_on="flat"),
    "long first period": terms("1000", "0.18", 6, first_payment=on(3, 20), day_count="actual/actual"),
    "moved days": MOVED,
    "deferred": terms("1000", "0.18", 6, first_payment=on(5), interest_from=on(4), day_count="actual/360"),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_paid_on_its_days_a_contract_has_the_rows_of_its_schedule(name):
    loan = PRODUCTS[name]
    legal = schedule(loan)
    assert tuple(rows(contract_at(contract(loan), [], loan.disbursed))) == legal[-loan.payments :]
    account = contract_at(contract(loan), [paid(row.due, row.payment) for row in legal], legal[-1].due)
    assert [(bill.due, bill.interest, bill.principal) for bill in account.bills] == [
        (row.due, row.interest, row.principal) for row in legal
    ]
    assert (account.state, account.balance) == ("paid", 0)


@st.composite
def lives(draw):
    """A contract with its settings, and events of every kind on days of its life and after."""
    loan = PRODUCTS[draw(st.sampled_from(sorted(PRODUCTS)))]
    last = schedule(loan)[-1].due
    amounts = st.integers(1, 120_000).map(lambda cents: Decimal(cents) / 100)
    days = st.integers(1, (last - loan.disbursed).days + 120).map(lambda days: loan.disbursed + timedelta(days=days))
    kinds = st.one_of(
        st.builds(Payment, on=days, amount=amounts, surplus=st.sampled_from([None, "pay_ahead", "reduce_term", "reduce_payment"])),
        st.builds(Payment, on=days, amount=amounts),
        st.builds(Refund, on=days, amount=amounts, order=st.sampled_from(["last_first", "oldest_first", "spread"])),
        st.builds(RateChange, on=days, rate=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.3")])),
        st.builds(Draw, on=days, amount=amounts), st.builds(Charge, on=days, amount=amounts),
        st.builds(Payoff, on=days), st.builds(Recovery, on=days, amount=amounts), st.builds(ChargeOff, on=days),
    )  # fmt: skip
    events = sorted(draw(st.lists(kinds, max_size=9)), key=lambda event: event.on)
    events = [event for event in events if not isinstance(event, Draw) or event.on < last]
    made = contract(
        loan, parts=tuple(draw(st.permutations(PARTS))), across=draw(st.sampled_from(["by_instalment", "by_part"])),
        surplus=draw(st.sampled_from(["pay_ahead", "reduce_term", "reduce_payment"])),
        late_fee=draw(st.sampled_from([Decimal(0), Decimal(5)])), charge_off_after=draw(st.sampled_from([None, 30, 90])),
    )  # fmt: skip
    as_of = last + timedelta(days=150)
    try:
        contract_at(made, events, as_of)
    except BadInput as error:
        assume("after the charge-off" not in str(error))
    return made, events, as_of


@settings(max_examples=300, deadline=None)
@given(lives())
def test_no_money_is_lost(life):
    """Each posting balances; principal lent is paid, written off or still owed; nothing falls below zero."""
    made, events, as_of = life
    account = contract_at(made, events, as_of)
    for each in account.postings:
        assert (
            each.cash + each.merchant
            == each.fees + each.interest + each.principal + each.held + each.returned + each.recovered
        )
        assert (
            min(
                each.fees, each.interest, each.principal, each.returned, each.recovered, each.balance, *each.written_off
            )
            >= 0
        )
    total = {
        name: sum(getattr(each, name) for each in account.postings)
        for name in ("cash", "merchant", "lent", "principal", "held")
    }
    given_cash = sum(event.amount for event in events if isinstance(event, Payment | Recovery))
    payoffs = sum(each.cash for each in account.postings if each.kind == "Payoff")
    lost = sum(each.written_off[2] for each in account.postings)
    assert total["lent"] == total["principal"] + lost + account.balance
    assert sum(each.recovered for each in account.postings) <= sum(sum(each.written_off) for each in account.postings)
    assert total["cash"] == given_cash + payoffs
    assert total["held"] == account.held >= 0
    assert account.balance >= account.left("principal") >= 0
    assert all(bill.left_fees >= 0 and bill.left_interest >= 0 and bill.left_principal >= 0 for bill in account.bills)
    charged = sum(bill.fees for bill in account.bills)
    assert charged == sum(each.fees + each.written_off[0] for each in account.postings) + account.left("fees")


@settings(max_examples=100, deadline=None)
@given(lives())
def test_a_day_does_not_depend_on_what_comes_after(life):
    """As of a day, later events are not known; and a contract looked at twice is the same."""
    made, events, as_of = life
    half = as_of - timedelta(days=200)
    known = [event for event in events if event.on <= half]
    assert contract_at(made, events, half) == contract_at(made, known, half)


@settings(max_examples=100, deadline=None)
@given(lives())
def test_a_payoff_leaves_nothing(life):
    made, events, as_of = life
    account = contract_at(made, [*events, Payoff(on=as_of)], as_of)
    assert account.state in ("paid", "refunded", "charged_off")
    assert quote(account).amount == 0


def test_money_is_not_lent_after_a_charge_off():
    events = [ChargeOff(on=on(2)), Draw(on=on(3), amount=money(5))]
    with pytest.raises(BadInput, match="Draw of 2024-03-01 comes after the charge-off"):
        contract_at(contract(), events, on(9))


@pytest.mark.parametrize(
    ("change", "events", "words"),
    [
        ({}, [paid(date(2023, 12, 1), 10)], "event 1, Payment of 2023-12-01 comes before the money is lent"),
        ({}, [paid(on(2), "-1")], "is of -1: expected money above zero"),
        ({}, [paid(on(2), "1.005")], "with 2 decimal places"),
        ({}, [paid(on(2), "NaN")], "is of NaN"),
        ({}, [paid(on(3), 1), paid(on(2), 1)], "event 2, Payment of 2024-02-01 stands after one of 2024-03-01"),
        ({}, [RateChange(on=on(2), rate=money("-0.1"))], "is to -0.1"),
        ({}, [Draw(on=on(8), amount=money(5))], "when the last instalment is due"),
        ({"parts": ("fees", "interest")}, [], "parts is fees, interest"),
        ({"grace_days": -1}, [], "grace_days is -1"),
        ({"late_fee": money("0.001")}, [], "late_fee is 0.001"),
        ({"terms": terms(amount="0")}, [], "amount is 0"),
        ({"terms": terms("1000", "0.36", 60, first_payment=date(2025, 6, 1))}, [], "principal grows"),
        ({"terms": terms(last_payment="interest_closes")}, [], "expected payment_closes"),
    ],
)  # fmt: skip
def test_events_and_settings_that_cannot_be_are_refused(change, events, words):
    with pytest.raises(BadInput, match=words):
        contract_at(msgspec.structs.replace(contract(), **change), events, on(9))
