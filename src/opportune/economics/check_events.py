"""Checks of a contract's settings and of its events, before anything is folded."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from opportune.domain import BadInput, Finding
from opportune.economics.cents import is_cents
from opportune.economics.contract import PARTS, Contract
from opportune.economics.events import Draw, Event, RateChange
from opportune.economics.schedule import schedule
from opportune.economics.terms import due_dates, terms_finding


def check_contract(contract: Contract) -> list[Finding]:
    """Return findings (OP412, OP414) about terms and settings that no life follows from."""
    try:
        rows = schedule(contract.terms)
    except BadInput as error:
        return list(error.findings)
    findings = list(_setting_findings(contract))
    if min(row.principal for row in rows) < 0:
        message = "is below the interest of a period, so that principal grows: expected payments that cover interest"
        findings.append(terms_finding("the level payment", message, "start interest later, or take fewer payments"))
    if contract.terms.last_payment != "payment_closes":
        message = f"is {contract.terms.last_payment}: expected payment_closes, because interest is that of the days"
        findings.append(terms_finding("last_payment", message, "take payment_closes"))
    return findings


def _setting_findings(contract: Contract) -> Iterator[Finding]:
    if sorted(contract.parts) != sorted(PARTS):
        message = f"is {', '.join(contract.parts)}: expected {', '.join(PARTS)} in any order, each once"
        yield _finding("parts", message, "name all three")
    for name in ("grace_days", "charge_off_after"):
        days = getattr(contract, name)
        if days is not None and days < 0:
            yield _finding(name, f"is {days}: expected days, zero or more", "correct it")
    if not (is_cents(contract.late_fee, contract.terms.cents) and contract.late_fee >= 0):
        message = f"is {contract.late_fee}: expected money, zero or more, with {contract.terms.cents} decimal places"
        yield _finding("late_fee", message, "correct it")


def check_events(contract: Contract, events: Sequence[Event]) -> Iterator[Finding]:
    """Yield findings (OP414) about events with impossible amounts or days, or out of order."""
    for place, event in enumerate(events):
        name = f"event {place + 1}, {type(event).__name__} of {event.on}"
        for message, step in _event_faults(contract, event):
            yield _finding(name, message, step)
    for place, (before, event) in enumerate(pairwise(events)):
        if event.on < before.on:
            name = f"event {place + 2}, {type(event).__name__} of {event.on}"
            yield _finding(name, f"stands after one of {before.on}: expected dates in order", "sort by date")


def _event_faults(contract: Contract, event: Event) -> Iterator[tuple[str, str]]:
    terms = contract.terms
    amount = getattr(event, "amount", None)
    if isinstance(amount, Decimal) and not (is_cents(amount, terms.cents) and amount > 0):
        yield f"is of {amount}: expected money above zero with {terms.cents} decimal places", "correct the amount"
    if isinstance(event, RateChange) and not (event.rate.is_finite() and event.rate >= 0):
        yield f"is to {event.rate}: expected a fraction a year, zero or more", "correct the rate"
    last: date = due_dates(terms)[-1]
    if event.on < terms.disbursed or (isinstance(event, RateChange) and event.on == terms.disbursed):
        yield f"comes before the money is lent on {terms.disbursed}: expected a later day", "correct the date"
    if isinstance(event, Draw) and event.on >= last:
        yield f"comes when the last instalment is due on {last}: expected an earlier day", "make a new contract"


def after_charge_off(event: Event) -> Finding:
    """Return the finding of money that is lent or charged when the contract is written off."""
    name = f"{type(event).__name__} of {event.on}"
    return _finding(name, "comes after the charge-off: expected money that comes in", "make a new contract")


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP414", source="contract", subject=subject, message=message, next_step=step)
