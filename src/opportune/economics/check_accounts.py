"""Checks of what period accounts need beside loans and curves: months, shares, masks, and the curves expected."""

from collections.abc import Iterator, Mapping
from typing import get_args

import msgspec
import numpy as np

from opportune.domain import Finding, errors
from opportune.economics.check_loans import Wrong, check_loans
from opportune.economics.curves import Curves, check_curves, unlike_segments
from opportune.economics.delinquency import check_shares
from opportune.economics.lifetime import Allowance
from opportune.economics.loans import Loans


def check_told(
    loans: Loans, curves: Curves, originated: np.ndarray, allowance: Allowance, shares: Mapping[str, np.ndarray | None]
) -> Iterator[Finding]:
    """Yield findings about months of origination (OP459), an unknown allowance, and shares that cannot be or that
    stages lack (OP472).
    """
    if allowance not in get_args(Allowance):
        message = f"is {allowance!r}: expected one of {', '.join(get_args(Allowance))}"
        yield _finding("OP472", "allowance", message, "correct the word: CECL is lifetime, IFRS 9 is stages")
    yield from _unknown_months(loans, originated)
    for name, each in shares.items():
        if each is not None:
            yield from check_shares(name, each, len(curves.segments))
    if allowance == "stages" and all(each is None for each in shares.values()):
        yield _untold_stage()


def check_exclusions(exclusions: Mapping[str, np.ndarray], loans: Loans) -> Iterator[Finding]:
    """Yield a finding (OP472) for each exclusion that is no mask (n,) of true and false: places of rows are none."""
    for reason, mask in exclusions.items():
        given = np.asarray(mask)
        if given.dtype != bool or given.shape != (len(loans),):
            message = f"is {given.dtype}, shape {given.shape}: expected true or false for each loan, ({len(loans)},)"
            step = "give a mask; of row numbers make one with np.isin(np.arange(n), rows)"
            yield _finding("OP472", f"exclusions[{reason!r}]", message, step)


def check_expected(expected: Curves, curves: Curves, loans: Loans) -> Iterator[Finding]:
    """Yield findings about the curves that an allowance was set by: as `check_curves`, other segments or another order
    than ``curves`` (OP432), and loans that run longer than they cover (OP455).
    """
    findings = check_curves(expected) or [*unlike_segments(expected, curves)] or errors(check_loans(loans, expected))
    for finding in findings:
        yield msgspec.structs.replace(finding, source="expected")


def _unknown_months(loans: Loans, originated: np.ndarray) -> Iterator[Finding]:
    if originated.shape != loans.shape or len(loans.shape) != 1:
        message = f"has shape {originated.shape}: expected one month for each of {len(loans):,} loans, ({len(loans)},)"
        yield _finding("OP459", "originated", message, "give the month of origination of every loan")
        return
    wrong = Wrong(np.zeros(len(loans), dtype=bool), loans.loan_id)
    words = "is not known: expected the month in which the loan is made"
    step = "fill it, or leave these loans out and say so"
    yield from wrong.tell("OP459", "originated", np.isnat(originated), lambda row: words, step)


def _untold_stage() -> Finding:
    message = "is not told, nor `late`: expected the share whose risk has risen, by month of age"
    step = "give late=late_that_cure(roll_rates(...), months), or a share of your own as stage_2"
    return _finding("OP472", "stage_2", message, step)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="accounts", subject=subject, message=message, next_step=step)
