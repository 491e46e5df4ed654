"""Where money goes that comes in on a contract: what is due first, then what is not due yet, then back."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from opportune.economics.accrue import levelled
from opportune.economics.cents import to_cents
from opportune.economics.contract import NONE, PARTS, Account, Bill, Part, Posting, State
from opportune.economics.events import RefundOrder, Surplus


def pay(account: Account, on: date, amount: Decimal, surplus: Surplus, kind: str) -> Account:
    """Return the account after money of the customer: what is due, then the surplus."""
    owed = _owed_now(account, on)
    due, left = _cover(owed, amount, owed.contract.parts)
    covered, taken = _covered(owed, due), _taken(owed, due)
    if left + covered.held >= covered.unbilled + accrued_cents(covered):
        after, posting = _paid_off(covered, on, left)
    elif surplus == "pay_ahead":
        after = msgspec.structs.replace(covered, held=covered.held + left)
        posting = Posting(on=on, kind=kind, held=left)
    else:
        after, posting = _to_principal(covered, on, left, again=surplus == "reduce_payment")
    posting = msgspec.structs.replace(
        posting, kind=kind, cash=amount, fees=taken["fees"], interest=posting.interest + taken["interest"],
        principal=posting.principal + taken["principal"],
    )  # fmt: skip
    return _closed(posted(after, posting), on, "paid")


def refund(account: Account, on: date, amount: Decimal, order: RefundOrder) -> Account:
    """Return the account after the merchant's money; what nothing is owed for is returned to the customer.

    Where no principal is left, the interest so far is due at once, and is paid before anything goes back. Flat interest
    is from now on reckoned on what was lent less the principal refunded.
    """
    after, left = _owed_now(account, on), amount
    if order == "oldest_first":
        due, left = _cover(after, left, after.contract.parts)
        after = _covered(after, due)
    unbilled = min(left, after.unbilled)
    after = msgspec.structs.replace(after, balance=after.balance - unbilled)
    due, left = _cover(after, left - unbilled, ("principal",), newest=True)
    after = _covered(after, due)
    if not after.balance:
        after = _interest_due(after, on)
        due, left = _cover(after, left, ("interest", "fees"))
        after = _covered(after, due)
    after = msgspec.structs.replace(after, lent=max(account.lent - account.financed + after.financed, NONE))
    after = levelled(after) if order == "spread" and after.unbilled else after
    return _settle_held(posted(after, _refunded(account, after, on, amount, left)), on)


def _refunded(before: Account, after: Account, on: date, amount: Decimal, left: Decimal) -> Posting:
    """Return the posting of a refund: principal is what is owed less, fees too, and interest is the rest."""
    principal, fees = before.balance - after.balance, before.left("fees") - after.left("fees")
    return Posting(
        on=on, kind="Refund", merchant=amount, fees=fees, principal=principal, returned=left,
        interest=amount - left - fees - principal,
    )  # fmt: skip


def use_held(account: Account, on: date) -> Account:
    """Return the account after money held has paid what is due."""
    due, left = _cover(account, account.held, account.contract.parts)
    used = account.held - left
    if not used:
        return account
    after, taken = msgspec.structs.replace(_covered(account, due), held=left), _taken(account, due)
    posting = Posting(
        on=on, kind="held", held=-used, fees=taken["fees"], interest=taken["interest"], principal=taken["principal"]
    )
    return _closed(posted(after, posting), on, "paid")


def _settle_held(account: Account, on: date) -> Account:
    """Return the account paid off from money held, where that is enough after a refund."""
    nothing_due = not any(bill.left for bill in account.bills)
    if account.held and nothing_due and account.held >= account.unbilled + accrued_cents(account):
        account = posted(*_paid_off(account, on, NONE))
    return _closed(account, on, "refunded")


def write_off(account: Account, on: date) -> Account:
    """Return the account with all that is owed written off; money held first pays principal that is not due."""
    principal = min(account.held, account.balance)
    posting = Posting(
        on=on, kind="ChargeOff", held=-account.held, principal=principal, returned=account.held - principal,
        written_off=(account.left("fees"), account.left("interest") + accrued_cents(account),
                     account.balance - principal),
    )  # fmt: skip
    after = msgspec.structs.replace(
        account,
        balance=NONE,
        held=NONE,
        accrued=Fraction(0),
        early=Fraction(0),
        state="charged_off",
        bills=_nothing_left(account.bills),
    )
    return posted(after, posting)


def recover(account: Account, posting: Posting) -> Account:
    """Return the account with money that came after the charge-off; above what is still lost, it goes back."""
    lost = sum((sum(each.written_off, NONE) - each.recovered for each in account.postings), NONE)
    amount = posting.cash + posting.merchant
    recovered = min(amount, lost)
    return posted(account, msgspec.structs.replace(posting, recovered=recovered, returned=amount - recovered))


def accrued_cents(account: Account) -> Decimal:
    """Return the interest since the last bill, rounded as the contract rounds interest."""
    terms = account.contract.terms
    return to_cents(account.accrued, terms.interest_rounding, terms.cents)


def _owed_now(account: Account, on: date) -> Account:
    """Return the account with interest after the last instalment due on the day that money comes."""
    return account if account.next < account.contract.terms.payments else _interest_due(account, on)


def _interest_due(account: Account, on: date) -> Account:
    """Return the account with a bill of the interest so far."""
    interest = accrued_cents(account)
    if not interest:
        return account
    bill = Bill(due=on, interest=interest, left_interest=interest)
    return msgspec.structs.replace(account, bills=(*account.bills, bill), accrued=Fraction(0), early=Fraction(0))


def _cover(
    account: Account, amount: Decimal, parts: Sequence[Part], newest: bool = False
) -> tuple[tuple[Bill, ...], Decimal]:
    """Return the bills after an amount was allocated to them, and what is left of it."""
    bills = list(account.bills)
    order = range(len(bills) - 1, -1, -1) if newest else range(len(bills))
    steps = [(i, part) for i in order for part in parts]
    if account.contract.across == "by_part" or newest:
        steps = [(i, part) for part in parts for i in order]
    for i, part in steps:
        name = f"left_{part}"
        taken = min(amount, getattr(bills[i], name))
        if taken:
            bills[i] = msgspec.structs.replace(bills[i], **{name: getattr(bills[i], name) - taken})
            amount -= taken
    return tuple(bills), amount


def _covered(account: Account, bills: tuple[Bill, ...]) -> Account:
    """Return the account with these bills; principal paid of them is owed no more."""
    left = sum((bill.left_principal for bill in bills), NONE)
    return msgspec.structs.replace(account, bills=bills, balance=account.unbilled + left)


def _taken(account: Account, bills: tuple[Bill, ...]) -> dict[Part, Decimal]:
    """Return what was paid of each part."""
    return {part: account.left(part) - sum((getattr(bill, f"left_{part}") for bill in bills), NONE) for part in PARTS}


def _paid_off(account: Account, on: date, amount: Decimal) -> tuple[Account, Posting]:
    """Return the account without principal and interest, and where amount and money held went: the rest goes back."""
    interest, principal = accrued_cents(account), account.unbilled
    after = msgspec.structs.replace(
        account, balance=account.balance - principal, accrued=Fraction(0), early=Fraction(0), held=NONE
    )
    returned = amount + account.held - interest - principal
    return after, Posting(
        on=on, kind="held", interest=interest, principal=principal, held=-account.held, returned=returned
    )


def _to_principal(account: Account, on: date, amount: Decimal, again: bool) -> tuple[Account, Posting]:
    """Return the account with less principal; what is above it is held for the interest of the period."""
    principal = min(amount, account.unbilled)
    after = msgspec.structs.replace(
        account, balance=account.balance - principal, held=account.held + amount - principal
    )
    posting = Posting(on=on, kind="", principal=principal, held=amount - principal)
    return (levelled(after) if again and principal else after), posting


def _nothing_left(bills: Sequence[Bill]) -> tuple[Bill, ...]:
    return tuple(
        msgspec.structs.replace(bill, left_fees=NONE, left_interest=NONE, left_principal=NONE) for bill in bills
    )


def posted(account: Account, posting: Posting) -> Account:
    """Return the account with a posting, which says the principal owed after it."""
    posting = msgspec.structs.replace(posting, balance=account.balance)
    return msgspec.structs.replace(account, postings=(*account.postings, posting))


def _closed(account: Account, on: date, state: State) -> Account:
    """Return the account as ended where nothing is owed any more; money still held goes back."""
    if account.balance or accrued_cents(account) or any(bill.left for bill in account.bills):
        return account
    ended = msgspec.structs.replace(account, state=state, held=NONE, accrued=Fraction(0), early=Fraction(0))
    if not account.held:
        return ended
    return posted(ended, Posting(on=on, kind="returned", held=-account.held, returned=account.held))
