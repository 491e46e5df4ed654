"""Period accounts: what a book does to the ledger month by month along its expected path, and how late it pays."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.check_accounts import check_exclusions, check_expected, check_told
from opportune.economics.curves import Curves
from opportune.economics.delinquency import shares_of_loans
from opportune.economics.lifetime import Allowance, refuse_unfit, stressed
from opportune.economics.lifetime_assumptions import LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.economics.path import Path, expected_path, last_month
from opportune.economics.postings import ACCOUNTS, post

CHUNK = 4_000
"""Loans posted at a time: their arrays stay small."""


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """Postings of a book: ``postings`` maps an account to money per calendar month (T,), debits positive.

    ``months`` (T,) datetime64[M], without gaps. ``past_due`` (T,) is the balance 30 days or more past due and not
    charged off, ``active`` (T,) the balance not charged off, at each month's end; what these two leave out is named in
    ``exclusions``.
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


CURING = "late loans that catch up"
"""What delinquency leaves out where nothing tells how many loans are late and pay after all."""


def accounts(
    loans: Loans,
    curves: Curves,
    assumptions: LifetimeAssumptions,
    *,
    originated: np.ndarray,
    allowance: Allowance,
    exclusions: Mapping[str, np.ndarray],
    late: np.ndarray | None = None,
    stage_2: np.ndarray | None = None,
    expected: Curves | None = None,
) -> Accounts:
    """Return the accounts of loans (n,) originated in the months ``originated`` (n,) datetime64[M].

    ``exclusions`` maps a reason to the loans (mask (n,)) that delinquency leaves out; empty means that nothing is left
    out, and has to be said. ``late``: share of loans that pay which is 30 days or more past due and will catch up, by
    month of age from 0, (T,) or by segment (S, T), as `late_that_cure` gives it; without it they are an exclusion.
    ``stage_2``, with ``stages`` only and shaped alike: share whose risk has risen; None follows ``late``. ``expected``
    are the curves that the allowance was set by, where they differ from those that came true: the true-up then runs
    through the provision. BadInput as of `value`, OP459 for months of origination that are not known, OP472 for shares.
    """
    refuse_unfit(loans, curves, assumptions)
    originated = np.asarray(originated, dtype="datetime64[M]")
    watched = None if allowance == "lifetime" else late if stage_2 is None else stage_2
    findings = [*check_told(loans, curves, originated, allowance, {"late": late, "stage_2": stage_2})]
    findings += [*check_exclusions(exclusions, loans), *(check_expected(expected, curves, loans) if expected else ())]
    if findings:
        raise BadInput(findings)
    left_out = tuple(exclusions) if late is not None else (*exclusions, CURING)
    if not len(loans):
        nothing = np.zeros(0)
        return Accounts(months=originated, postings=dict.fromkeys(ACCOUNTS, nothing), past_due=nothing, active=nothing,
                        exclusions=left_out, currency=loans.currency)  # fmt: skip
    loans = msgspec.structs.replace(loans, segment=loans.segment.astype(np.int64))
    actual, volume = stressed(curves, assumptions.in_scenario), assumptions.in_scenario.volume
    first = originated.min()
    offset = (originated - first).astype(np.int64)
    span = int(offset.max()) + last_month(loans, actual, expected) + 1
    totals = {name: np.zeros(span) for name in ACCOUNTS}
    delinquent = np.zeros((2, span))
    counted = ~np.any([*exclusions.values(), np.zeros(len(loans), dtype=bool)], axis=0)
    alike = np.lexsort((loans.per_year, loans.payments))  # chunks of loans as long as each other waste no room
    for start in range(0, len(loans), CHUNK):
        rows = alike[start : start + CHUNK]
        some = loans.take(rows)
        months = last_month(some, actual, expected)
        path = expected_path(some, actual, months, expected)
        posted = post(some, path, assumptions, expected or actual, stage_2=_by_age(watched, some, months))
        for name, amounts in posted.items():
            totals[name] += volume * _by_calendar(offset[rows], amounts, span)
        for row, balance in enumerate(_delinquency(path, _by_age(late, some, months))):
            delinquent[row] += volume * _by_calendar(offset[rows], balance * counted[rows, None], span)
    return Accounts(
        months=first + np.arange(span), postings=totals, past_due=delinquent[0], active=delinquent[1],
        exclusions=left_out, currency=loans.currency,
    )  # fmt: skip


def _by_age(shares: np.ndarray | None, loans: Loans, months: int) -> np.ndarray | None:
    return None if shares is None else shares_of_loans(shares, loans.segment, months)


def _by_calendar(offset: np.ndarray, amounts: np.ndarray, span: int) -> np.ndarray:
    month = offset[:, None] + np.arange(amounts.shape[1])
    return np.bincount(month.ravel(), amounts.ravel(), span)


def _delinquency(path: Path, late: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the balance 30 days or more past due and the active one, (n, M + 1).

    Who defaults in a month has missed a payment in it: 30 days have gone by at the end of the next.
    """
    past = np.maximum(path.waiting - path.defaulted, 0.0)
    curing = 0.0 if late is None else late * path.balance
    return past + curing, path.balance + path.waiting


def consolidated(books: Sequence[Accounts]) -> Accounts:
    """Return the accounts of several books as those of one: postings added month by month.

    BadInput (OP452) for books in two currencies. What one book's delinquency leaves out, the whole leaves out.
    """
    currencies = sorted({book.currency for book in books})
    if len(currencies) != 1:
        message = f"are {', '.join(currencies) or 'none'}: expected books in one currency"
        step = "consolidate each currency by itself"
        raise BadInput(
            [Finding(code="OP452", source="accounts", subject="currencies", message=message, next_step=step)]
        )
    held = [book for book in books if len(book.months)]
    if not held:
        return books[0]
    first = min(book.months[0] for book in held)
    places = [(book.months - first).astype(np.int64) for book in held]
    span = max(int(place[-1]) for place in places) + 1

    def added(amounts: Sequence[np.ndarray]) -> np.ndarray:
        each_book = [np.bincount(place, each, span) for place, each in zip(places, amounts, strict=True)]
        return np.asarray(np.sum(each_book, axis=0))

    return Accounts(
        months=first + np.arange(span), currency=currencies[0],
        postings={name: added([book.postings[name] for book in held]) for name in ACCOUNTS},
        past_due=added([book.past_due for book in held]), active=added([book.active for book in held]),
        exclusions=tuple(dict.fromkeys(reason for book in books for reason in book.exclusions)),
    )  # fmt: skip
