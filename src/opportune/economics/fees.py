"""Fees beside the interest: which of them are finance charge under which law, and what they leave financed.

Sources: 12 CFR 1026.4(b) to (e) for the Truth in Lending Act; 32 CFR 232.4(c)(1) for the military annual percentage
rate, which counts credit insurance, ancillary products, application and participation fees too; its cap of 36 % is
32 CFR 232.4(b).
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import Finding

FeeKind = Literal[
    "origination", "points", "service", "broker", "required_insurance", "required_debt_cancellation",
    "voluntary_insurance", "voluntary_debt_cancellation", "ancillary_product", "application", "participation",
    "late", "filing", "title",
]  # fmt: skip
Charges = Literal["tila", "mapr"]
TILA: frozenset[FeeKind] = frozenset(
    {"origination", "points", "service", "broker", "required_insurance", "required_debt_cancellation"}
)
"""Finance charge by 1026.4(b). Not: what (c) to (e) exclude, such as application fees charged to all applicants."""
MAPR: frozenset[FeeKind] = TILA | {
    "voluntary_insurance", "voluntary_debt_cancellation", "ancillary_product", "application", "participation",
}  # fmt: skip
FINANCE_CHARGES: dict[Charges, frozenset[FeeKind]] = {"tila": TILA, "mapr": MAPR}
KINDS: tuple[FeeKind, ...] = FeeKind.__args__  # type: ignore[attr-defined]
MAPR_CAP = 0.36


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee of ``amount``, money; ``kind`` tells the law what it is, ``name`` the reader.

    ``financed``: added to the loan and repaid with it; otherwise paid in cash when the money is lent. The advances of a
    contract are what the customer gets, without fees.
    """

    name: str
    amount: float
    financed: bool
    kind: FeeKind


def deducted(fees: Sequence[Fee], include: Charges | frozenset[FeeKind]) -> float:
    """Return what the fees take off the amount financed, money; below zero where they add to it.

    A finance charge is never financed: paid in cash it lowers what the customer has, and as part of the loan it is only
    repaid. Another fee is financed where it is part of the loan, and no part of the credit where it is not.
    """
    charges = FINANCE_CHARGES[include] if isinstance(include, str) else include
    return sum(_taken(fee, fee.kind in charges) for fee in fees)


def _taken(fee: Fee, is_charge: bool) -> float:
    if is_charge:
        return 0.0 if fee.financed else fee.amount
    return -fee.amount if fee.financed else 0.0


def check_fees(fees: Sequence[Fee]) -> Iterator[Finding]:
    """Yield findings (OP413) about amounts below zero or missing, and kinds that no list has."""
    for fee in fees:
        if not 0.0 <= fee.amount < np.inf:
            yield _finding(fee.name, f"is {fee.amount:g}: expected an amount of zero or more", "correct the amount")
        if fee.kind not in KINDS:
            yield _finding(fee.name, f"is of kind {fee.kind!r}: expected one of {', '.join(KINDS)}", "name its kind")


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP413", source="fees", subject=subject, message=message, next_step=step)
