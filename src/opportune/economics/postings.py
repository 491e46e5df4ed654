"""Postings: what a loan does to the ledger month by month of its age, in double entry along its expected path.

Debits are positive and credits negative, so the postings of a loan sum to zero in every month. Asset accounts: cash,
loans, discount (below loans), allowance (below loans), interest_receivable. Liability: debt. The others are income and
cost, named as the lifetime lines; ``provision`` stands for credit_loss.

Interest accrues month by month and is receivable until it is paid; what had accrued on a loan that defaults is taken
back out of income (non-accrual). Funding is charged month by month on what is then outstanding.

Allowance: at the end of a month it holds the loss still to come on loans that pay, plus the balance in default less
what is expected to be recovered, less recoveries still expected on what was charged off. The provision is what it takes
to keep it there: change of the allowance + charged off - recovered. With ``lifetime`` (ASC 326, CECL) all of the life
is ahead; with ``stages`` (IFRS 9) twelve months for stage 1, and the life for the share of stage 2, whose risk has
risen since origination. Stage 2 follows the loans that are 30 days or more past due (the presumption of IFRS 9 5.5.11),
or a share by month of age of your own. A loan in default is stage 3: its balance less recoveries stands in full.
"""

from typing import Any

import numpy as np

from opportune.economics.curves import Curves
from opportune.economics.lifetime_assumptions import LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.economics.path import Path, later

BALANCE_SHEET = ("cash", "loans", "discount", "allowance", "interest_receivable", "debt")
INCOME = ("merchant_fee", "card_network", "interest", "late_fees", "gain_on_sale", "servicing_income")
COSTS = ("loss_on_purchase", "provision", "funding_cost", "processing", "servicing")
ACCOUNTS = (*BALANCE_SHEET, *INCOME, *COSTS)


def post(
    loans: Loans,
    path: Path,
    assumptions: LifetimeAssumptions,
    expected: Curves,
    *,
    stage_2: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Return the postings of each loan, a dictionary of arrays (n, M + 1) by account.

    ``stage_2`` (n, M + 1): the share whose risk has risen; None is an allowance for the whole life.
    """
    book = _Ledger(path.interest.shape)
    kept = (1.0 - loans.sold)[:, None]
    _at_origination(book, loans, path, assumptions)
    _refunds(book, loans, path)
    _payments(book, path, kept, assumptions)
    _services(book, loans, path, assumptions)
    _losses(book, loans, path, kept, expected, stage_2)
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
    """Enter interest as it accrues, is paid or taken back, principal, late fees, and discount that becomes interest."""
    book.enter("interest_receivable", "interest", kept * path.accrued)
    book.enter("cash", "interest_receivable", kept * path.interest)
    book.enter("interest", "interest_receivable", kept * path.reversed)
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
    stage_2: np.ndarray | None,
) -> None:
    """Enter charge-offs and recoveries against the allowance, and the provision that keeps it where it must be."""
    charged_off, recovered = kept * path.charged_off, kept * path.recovered
    target = kept * _allowance(loans, path, expected, stage_2)
    provision = np.diff(target, axis=1, prepend=0.0) + charged_off - recovered
    book.enter("provision", "allowance", provision)
    book.enter("allowance", "loans", charged_off)
    book.enter("cash", "allowance", recovered)


def _allowance(loans: Loans, path: Path, expected: Curves, stage_2: np.ndarray | None) -> np.ndarray:
    """Return the allowance that must stand at the end of each month (n, M + 1), whole loans."""
    ahead = path.ahead if stage_2 is None else (1.0 - stage_2) * path.ahead_year + stage_2 * path.ahead
    return np.asarray(ahead + path.waiting - _to_recover(loans, path, expected))


def _to_recover(loans: Loans, path: Path, expected: Curves) -> np.ndarray:
    """Return what is expected to come in after each month's end (n, M + 1), of balances in default or charged off.

    What was expected for months that are over is expected no longer, whether it came or not.
    """
    shares = expected.recovery[loans.segment]
    to_come = shares.sum(axis=1, keepdims=True) * path.waiting
    for after in range(1, shares.shape[1]):
        to_come += later(path.charged_off, after - 1) * shares[:, after:].sum(axis=1, keepdims=True)
    return np.asarray(to_come)


def _funding(book: _Ledger, path: Path, kept: np.ndarray, given: LifetimeAssumptions) -> None:
    """Enter draws and repayments of debt, and what it costs."""
    advance = given.figure("advance_rate")
    debt = advance * kept * (path.balance + path.waiting)
    book.enter("cash", "debt", np.diff(debt, axis=1, prepend=0.0))
    rate = given.figure("cost_of_funds") * given.in_scenario.funding * advance
    book.enter("funding_cost", "cash", rate * kept * (path.held_years + path.waiting_years))
