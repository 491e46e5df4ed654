"""Period accounts: what a book does to the ledger month by month, in double entry along its expected path.

Debits are positive and credits negative, so the postings of a loan sum to zero in every month. Asset accounts: cash,
loans, discount (below loans), allowance (below loans), interest_receivable. Liability: debt. The others are income and
cost, named as the lifetime lines; ``provision`` stands for credit_loss.

Allowance: at the end of a month it holds the loss still to come on loans that pay, plus the balance in default less
what is expected to be recovered, less recoveries still expected on what was charged off. The provision is what it takes
to keep it there: change of the allowance + charged off - recovered. With ``lifetime`` (ASC 326, CECL) all of the life
is ahead; with ``stages`` (IFRS 9) twelve months, but the life for the share ``stage_2`` whose risk has risen.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from opportune.economics.curves import Curves
from opportune.economics.lifetime import Allowance, refuse_unfit, stressed
from opportune.economics.lifetime_assumptions import LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.economics.path import Path, expected_path, last_month

BALANCE_SHEET = ("cash", "loans", "discount", "allowance", "interest_receivable", "debt")
INCOME = ("merchant_fee", "card_network", "interest", "late_fees", "gain_on_sale", "servicing_income")
COSTS = ("loss_on_purchase", "provision", "funding_cost", "processing", "servicing")
ACCOUNTS = (*BALANCE_SHEET, *INCOME, *COSTS)
CHUNK = 4_000
"""Loans posted at a time: their arrays stay small."""


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """Postings of a book: ``postings`` maps an account to money per calendar month (T,), debits positive.

    ``months`` (T,) datetime64[M], without gaps. ``past_due`` (T,) is the balance in default and not yet charged off
    for a month or more (30 days past due) and ``active`` (T,) the balance not charged off, at each month's end; what
    these two leave out is named in ``exclusions``.
    """

    months: np.ndarray
    postings: dict[str, np.ndarray]
    past_due: np.ndarray
    active: np.ndarray
    exclusions: tuple[str, ...]
    currency: str

    def balances(self, account: str) -> np.ndarray:
        """Return the balance of an account at the end of each month (T,)."""
        return np.asarray(np.cumsum(self.postings[account]))

    def dq30(self) -> np.ndarray:
        """Return the share of the active balance that is 30 or more days past due (T,); 0 where nothing is active."""
        nothing = np.zeros_like(self.active)
        return np.asarray(np.divide(self.past_due, self.active, out=nothing, where=self.active > 0.005))


def accounts(
    loans: Loans,
    curves: Curves,
    assumptions: LifetimeAssumptions,
    *,
    originated: np.ndarray,
    allowance: Allowance,
    exclusions: Mapping[str, np.ndarray],
    stage_2: float = 0.0,
    expected: Curves | None = None,
) -> Accounts:
    """Return the accounts of loans originated in the months ``originated`` (n,) datetime64[M].

    ``expected`` are the curves that the allowance was set by, where they differ from those that came true: the
    true-up then runs through the provision. ``exclusions`` maps a reason to the loans (mask (n,)) that delinquency
    leaves out; empty means that nothing is left out, and has to be said.
    """
    refuse_unfit(loans, curves, assumptions)
    actual, volume = stressed(curves, assumptions.in_scenario), assumptions.in_scenario.volume
    months = last_month(loans, actual)
    first = originated.min()
    offset = (originated - first).astype(np.int64)
    span = int(offset.max()) + months + 1
    totals = {name: np.zeros(span) for name in ACCOUNTS}
    delinquent = np.zeros((2, span))
    counted = ~np.any([*exclusions.values(), np.zeros(len(loans), dtype=bool)], axis=0)
    for start in range(0, len(loans), CHUNK):
        rows = slice(start, start + CHUNK)
        some = loans.take(rows)
        path = expected_path(some, actual, months, expected)
        posted = post(some, path, assumptions, expected or actual, allowance=allowance, stage_2=stage_2)
        for name, amounts in posted.items():
            totals[name] += volume * _by_calendar(offset[rows], amounts, span)
        for row, balance in enumerate(_delinquency(path)):
            delinquent[row] += volume * _by_calendar(offset[rows], balance * counted[rows, None], span)
    return Accounts(
        months=first + np.arange(span), postings=totals, past_due=delinquent[0], active=delinquent[1],
        exclusions=tuple(exclusions), currency=loans.currency,
    )  # fmt: skip


def _by_calendar(offset: np.ndarray, amounts: np.ndarray, span: int) -> np.ndarray:
    month = offset[:, None] + np.arange(amounts.shape[1])
    return np.bincount(month.ravel(), amounts.ravel(), span)


def _delinquency(path: Path) -> tuple[np.ndarray, np.ndarray]:
    fresh = np.diff(path.waiting, axis=1, prepend=0.0)
    past = np.maximum(path.waiting - np.maximum(fresh, 0.0), 0.0)
    return past, path.balance + path.waiting


def post(
    loans: Loans,
    path: Path,
    assumptions: LifetimeAssumptions,
    expected: Curves,
    *,
    allowance: Allowance,
    stage_2: float = 0.0,
) -> dict[str, np.ndarray]:
    """Return the postings of each loan, a dictionary of arrays (n, M + 1) by account."""
    book = _Ledger(path.interest.shape)
    kept = (1.0 - loans.sold)[:, None]
    _at_origination(book, loans, path, assumptions)
    _refunds(book, loans, path)
    _payments(book, path, kept, assumptions)
    _services(book, loans, path, assumptions)
    _losses(book, loans, path, kept, expected, allowance, stage_2)
    _funding(book, path, kept, assumptions)
    return book.amounts


class _Ledger:
    """Amounts by account; every entry debits one account and credits another with the same amount."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.amounts = {name: np.zeros(shape) for name in ACCOUNTS}

    def enter(self, debit: str, credit: str, amount: np.ndarray, month: Any = slice(None)) -> None:
        self.amounts[debit][:, month] += amount
        self.amounts[credit][:, month] -= amount


def _at_origination(book: _Ledger, loans: Loans, path: Path, given: LifetimeAssumptions) -> None:
    """Enter the loan, the fee at confirmation, what was paid above value, and the sale of a share."""
    book.enter("loans", "cash", loans.principal, 0)
    book.enter("cash", "merchant_fee", loans.mdr * loans.gmv - loans.incentive, 0)
    book.enter("cash", "card_network", loans.interchange * loans.gmv, 0)
    book.enter("loss_on_purchase", "discount", path.discount, 0)
    book.enter("processing", "cash", np.full(len(loans), given.figure("origination")), 0)
    book.enter("cash", "loans", loans.sold * loans.principal, 0)
    book.enter("discount", "gain_on_sale", loans.sold * path.discount, 0)
    book.enter("cash", "gain_on_sale", loans.sold * (loans.sale_price - 1.0) * loans.principal, 0)


def _refunds(book: _Ledger, loans: Loans, path: Path) -> None:
    """Enter goods that went back: the merchant returns the principal, the lender its fee."""
    back = loans.refunded
    book.enter("cash", "loans", back * (1.0 - loans.sold) * loans.principal, 1)
    book.enter("merchant_fee", "cash", back * (loans.mdr * loans.gmv - loans.incentive), 1)
    book.enter("card_network", "cash", back * loans.interchange * loans.gmv, 1)


def _payments(book: _Ledger, path: Path, kept: np.ndarray, given: LifetimeAssumptions) -> None:
    """Enter interest as it accrues and is paid, principal, late fees, and the discount that becomes interest."""
    book.enter("interest_receivable", "interest", kept * path.interest)
    book.enter("cash", "interest_receivable", kept * path.interest)
    book.enter("cash", "loans", kept * path.principal)
    book.enter("discount", "interest", kept * path.accreted)
    late = given.figure("late_fee") * given.figure("late_share")
    book.enter("cash", "late_fees", kept * late * path.payments)


def _services(book: _Ledger, loans: Loans, path: Path, given: LifetimeAssumptions) -> None:
    """Enter income and cost of serving loans, sold ones included."""
    sold = loans.sold[:, None]
    book.enter("cash", "servicing_income", given.figure("servicing_fee") * sold * path.held_years)
    per_payment, share = given.figure("processing_per_payment"), given.figure("processing_share")
    book.enter("processing", "cash", per_payment * path.payments + share * path.paid)
    book.enter("servicing", "cash", given.figure("servicing") * path.open_months)


def _losses(
    book: _Ledger,
    loans: Loans,
    path: Path,
    kept: np.ndarray,
    expected: Curves,
    allowance: Allowance,
    stage_2: float,
) -> None:
    """Enter charge-offs and recoveries against the allowance, and the provision that keeps it where it must be."""
    charged_off, recovered = kept * path.charged_off, kept * path.recovered
    target = kept * _allowance(loans, path, expected, allowance, stage_2)
    provision = np.diff(target, axis=1, prepend=0.0) + charged_off - recovered
    book.enter("provision", "allowance", provision)
    book.enter("allowance", "loans", charged_off)
    book.enter("cash", "allowance", recovered)


def _allowance(loans: Loans, path: Path, expected: Curves, how: Allowance, stage_2: float) -> np.ndarray:
    """Return the allowance that must stand at the end of each month (n, M + 1), whole loans."""
    ahead = path.ahead if how == "lifetime" else (1.0 - stage_2) * path.ahead_year + stage_2 * path.ahead
    share = expected.recovery.sum(axis=1)[loans.segment][:, None]
    gone = np.cumsum(path.defaulted, axis=1)
    to_come = share * gone - np.cumsum(path.recovered, axis=1)
    return np.asarray(ahead + path.waiting - to_come)


def _funding(book: _Ledger, path: Path, kept: np.ndarray, given: LifetimeAssumptions) -> None:
    """Enter draws and repayments of debt, and what it costs."""
    advance = given.figure("advance_rate")
    debt = advance * kept * (path.balance + path.waiting)
    book.enter("cash", "debt", np.diff(debt, axis=1, prepend=0.0))
    rate = given.figure("cost_of_funds") * given.in_scenario.funding * advance
    book.enter("funding_cost", "cash", rate * kept * (path.held_years + path.waiting_years))
