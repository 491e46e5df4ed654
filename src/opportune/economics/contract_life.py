"""A contract's life: its events in order of days, folded into what it is on a day. Pure: nothing is kept between calls.

Interest is billed with each instalment and rounded then, as `schedule` does; a contract that is paid on its days has
exactly the rows of its schedule.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial

import msgspec

from opportune.domain import BadInput
from opportune.economics.accrue import accrued_to, billed, levelled
from opportune.economics.check_events import after_charge_off, check_contract, check_events
from opportune.economics.contract import NONE, Account, Bill, Contract, Posting, State
from opportune.economics.events import (
    SAME_DAY,
    Charge,
    ChargeOff,
    Draw,
    Event,
    Payment,
    Payoff,
    RateChange,
    Recovery,
    Refund,
)
from opportune.economics.schedule import Instalment, down_payment
from opportune.economics.settle import accrued_cents, pay, posted, recover, refund, use_held, write_off
from opportune.economics.terms import due_dates, interest_dates

DAY = timedelta(days=1)
Step = Callable[[Account], Account]
Moment = tuple[date, int, int, Step]
"""Day, place among what happens on it, place among its kind, and what it does."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as of a day. ``days_past_due`` of the oldest bill with something unpaid; amounts in money.

    ``outstanding``: principal, and fees and interest that are due, less money held. ``next_due`` is absent after the
    last instalment.
    """

    as_of: date
    state: State
    days_past_due: int
    balance: Decimal
    due_fees: Decimal
    due_interest: Decimal
    due_principal: Decimal
    held: Decimal
    outstanding: Decimal
    next_due: date | None
    next_amount: Decimal


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What pays a contract off on a day: ``amount`` = principal + interest + fees - money held."""

    on: date
    principal: Decimal
    interest: Decimal
    fees: Decimal
    held: Decimal
    amount: Decimal


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """An instalment that is to come, and what of it money held will pay."""

    row: Instalment
    paid_ahead: Decimal


def contract_at(contract: Contract, events: Sequence[Event], as_of: date) -> Account:
    """Return what a contract has become by the end of a day, from its events in order of dates. BadInput (OP412, 414).

    Events after ``as_of`` are not looked at. Money that comes after a charge-off is recovered, whatever it is called,
    up to what was written off; the rest is returned to the customer.
    """
    findings = [*check_contract(contract), *check_events(contract, events)]
    if findings:
        raise BadInput(findings)
    account = _opened(contract, as_of)
    known = [event for event in events if event.on <= as_of]
    for day, _, _, step in sorted(_moments(contract, known), key=lambda moment: moment[:3]):
        if day <= as_of:
            account = step(accrued_to(account, day))
    return accrued_to(account, as_of)


def status(account: Account) -> Status:
    """Return the status on the account's day."""
    late = [bill.due for bill in account.bills if bill.left]
    fees, interest, principal = account.left("fees"), account.left("interest"), account.left("principal")
    plan = coming(account)
    return Status(
        as_of=account.as_of, state=account.state, days_past_due=(account.as_of - min(late)).days if late else 0,
        balance=account.balance, due_fees=fees, due_interest=interest, due_principal=principal, held=account.held,
        outstanding=account.balance + fees + interest - account.held,
        next_due=plan[0].row.due if plan else None,
        next_amount=plan[0].row.payment - plan[0].paid_ahead if plan else NONE,
    )  # fmt: skip


def quote(account: Account) -> Quote:
    """Return what would pay the contract off on the account's day."""
    interest, fees = account.left("interest") + accrued_cents(account), account.left("fees")
    return Quote(
        on=account.as_of, principal=account.balance, interest=interest, fees=fees, held=account.held,
        amount=account.balance + interest + fees - account.held,
    )  # fmt: skip


def coming(account: Account) -> tuple[Coming, ...]:
    """Return the instalments still to come, if what is due now is paid now and they are paid on their days."""
    if account.state != "open":
        return ()
    account, held, rows = _settled(account), account.held, list[Coming]()
    while account.next < account.contract.terms.payments:
        account = billed(account)
        if not account.bills:
            continue
        row = _row(account.bills[-1])
        rows.append(Coming(row=row, paid_ahead=min(held, row.payment)))
        held -= rows[-1].paid_ahead
        account = _settled(account)
    return tuple(rows)


def _row(bill: Bill) -> Instalment:
    return Instalment(
        due=bill.due, payment=bill.amount, interest=bill.interest, principal=bill.principal, balance=bill.balance
    )


def _settled(account: Account) -> Account:
    """Return the account as if all bills were paid."""
    return msgspec.structs.replace(account, balance=account.unbilled, bills=())


def _opened(contract: Contract, as_of: date) -> Account:
    """Return a contract on its first day: money lent, the down payment due."""
    terms, down = contract.terms, down_payment(contract.terms)
    first = Bill(due=terms.disbursed, principal=down, left_principal=down, balance=terms.amount - down)
    opened = Account(
        contract=contract, as_of=as_of, counted_to=interest_dates(terms)[0], next=0, rate=terms.rate, level=NONE,
        lent=terms.amount - down, balance=terms.amount, accrued=Fraction(0), early=Fraction(0), held=NONE,
        bills=(first,) if down else (),
        postings=(Posting(on=terms.disbursed, kind="lent", lent=terms.amount, balance=terms.amount),), state="open",
    )  # fmt: skip
    return levelled(opened)


def _moments(contract: Contract, events: Sequence[Event]) -> Iterator[Moment]:
    """Yield what happens on which day: the events, and what the contract does by itself."""
    for number, due in enumerate(due_dates(contract.terms)):
        yield due, SAME_DAY.index("due"), number, partial(_due, on=due)
        if contract.late_fee:
            day = due + DAY * contract.grace_days
            yield day, SAME_DAY.index("late_fee"), number, partial(_late, number=number, on=day)
    if contract.charge_off_after is not None:
        for number, due in enumerate(sorted(_bill_days(contract, events))):
            day = due + DAY * contract.charge_off_after
            yield day, SAME_DAY.index("charge_off"), number, partial(_lost, due=due, on=day)
    for place, event in enumerate(events):
        day = event.on - DAY if isinstance(event, RateChange) else event.on
        yield day, SAME_DAY.index(type(event).__name__), place, partial(_happened, event=event)


def _bill_days(contract: Contract, events: Sequence[Event]) -> set[date]:
    """Return every day on which something can fall due: a down payment, instalments, fees, interest after the last."""
    due = due_dates(contract.terms)
    late_fees = [day + DAY * contract.grace_days for day in due] if contract.late_fee else []
    return {contract.terms.disbursed, *due, *late_fees, *(event.on for event in events)}


def _due(account: Account, on: date) -> Account:
    return use_held(billed(account), on)


def _late(account: Account, number: int, on: date) -> Account:
    late = any(bill.instalment == number and bill.left for bill in account.bills)
    return _charged(account, on, account.contract.late_fee) if late else account


def _lost(account: Account, due: date, on: date) -> Account:
    late = any(bill.due == due and bill.left for bill in account.bills)
    return write_off(account, on) if late else account


def _charged(account: Account, on: date, amount: Decimal) -> Account:
    bill = Bill(due=on, fees=amount, left_fees=amount, balance=account.unbilled)
    return use_held(msgspec.structs.replace(account, bills=(*account.bills, bill), state="open"), on)


def _happened(account: Account, event: Event) -> Account:
    """Return the account after an event."""
    if account.state == "charged_off":
        return _after_charge_off(account, event)
    match event:
        case Payment():
            return pay(account, event.on, event.amount, event.surplus or account.contract.surplus, "Payment")
        case Payoff():
            owed = quote(account).amount
            return pay(account, event.on, owed, "reduce_term", "Payoff") if owed > 0 else account
        case Refund():
            return refund(account, event.on, event.amount, event.order)
        case RateChange():
            return levelled(msgspec.structs.replace(account, rate=event.rate))
        case Draw():
            return _drawn(account, event)
        case Charge():
            return _charged(account, event.on, event.amount)
        case ChargeOff():
            return write_off(account, event.on) if account.state == "open" else account
        case Recovery():
            return pay(account, event.on, event.amount, account.contract.surplus, "Recovery")


def _after_charge_off(account: Account, event: Event) -> Account:
    """Return the account with money recovered; what changes terms of nothing owed means nothing any more."""
    match event:
        case Payment() | Recovery():
            return recover(account, Posting(on=event.on, kind="Recovery", cash=event.amount))
        case Refund():
            return recover(account, Posting(on=event.on, kind="Refund", merchant=event.amount))
        case Draw() | Charge():
            raise BadInput([after_charge_off(event)])
        case Payoff() | RateChange() | ChargeOff():
            return account


def _drawn(account: Account, event: Draw) -> Account:
    balance, lent = account.balance + event.amount, account.lent if account.balance else NONE
    after = msgspec.structs.replace(account, balance=balance, lent=lent + event.amount, state="open")
    return levelled(posted(after, Posting(on=event.on, kind="Draw", lent=event.amount)))
