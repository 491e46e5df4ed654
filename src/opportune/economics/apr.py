"""The annual percentage rate: Regulation Z's actuarial and United States Rule methods, the effective rate of EU and UK.

Actuarial (12 CFR 1026, Appendix J, (b)(8)): the rate i per unit-period that makes advances equal payments,

    sum A_k / ((1 + e_k i) (1 + i)^q_k) = sum P_j / ((1 + f_j i) (1 + i)^t_j),

with whole unit-periods q and t compounded and odd fractions e and f simple; APR = i x unit-periods per year.
United States Rule (Appendix J, (a)(3)): the rate i that leaves nothing owed when the finance charge is earned on the
balance alone, and what a payment does not cover of it waits, without charge, for the next.
Effective (EU Directive 2008/48/EC, Annex I; UK CONC App 1.2): the yearly rate X with amounts discounted by
(1 + X)^t, t in years of 365 days, of 12 equal months, or of 52 weeks; days beside whole months or weeks are 1/365.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import overload

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.annual_rate import CONVERGED, contract_rate
from opportune.economics.aprs import COUNTS, METHODS, STATUSES, Aprs, Count, Flows, Method, Status, solve_aprs
from opportune.economics.fees import MAPR_CAP, Charges, Fee, FeeKind, check_fees, deducted
from opportune.economics.unit_count import CODES
from opportune.economics.unit_period import code_names

Flow = tuple[date, float]
REGULAR_TOLERANCE, IRREGULAR_TOLERANCE = Decimal("0.00125"), Decimal("0.0025")
"""12 CFR 1026.22(a)(2) and (3): 1/8 and 1/4 of a percentage point."""
SOLVED_TO = 12
"""Decimal places to which a solved rate is what its contract says; a tolerance is eight orders wider."""
FIRST_DAY = date(1970, 1, 1)


class Apr(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is a fraction a year, not rounded; NaN only where ``status`` says that no single root exists.

    ``irregular``: several advances, or unequal periods or payments, as 12 CFR 1026.22(a)(3) has it. ``residual`` is
    what the flows leave at ``value``, in money and discounted; by the United States Rule, what is owed after the last.
    """

    value: float
    status: Status
    unit_period: str
    irregular: bool
    finance_charge: float
    amount_financed: float
    residual: float


@overload
def apr(
    advances: Sequence[Flow], payments: Sequence[Flow], method: Method = "actuarial", *, count: Count = "days",
    fees: Sequence[Fee] = (), include: Charges | frozenset[FeeKind] = "tila",
) -> Apr: ...  # fmt: skip
@overload
def apr(
    advances: Flows, payments: Flows, method: Method = "actuarial", *, count: Count = "days",
    fees: Sequence[Fee] = (), include: Charges | frozenset[FeeKind] = "tila",
) -> Aprs: ...  # fmt: skip
def apr(
    advances: Sequence[Flow] | Flows, payments: Sequence[Flow] | Flows, method: Method = "actuarial", *,
    count: Count = "days", fees: Sequence[Fee] = (), include: Charges | frozenset[FeeKind] = "tila",
) -> Apr | Aprs:  # fmt: skip
    """Return the APR of dated advances and payments, or the APRs of arrays of contracts (`Flows`).

    Amounts are money above zero, in order of dates; advances are what the customer gets. ``fees`` that ``include``
    names (a list of `FINANCE_CHARGES`, or kinds) are finance charge; arrays of contracts bear the same fees each.
    ``count`` is how the effective rate counts time. BadInput (OP410, OP413) for lists when an amount is not above zero,
    a side is empty, dates are out of order, a payment comes before every advance or no time passes; a contract in
    arrays then has the status ``bad_input``. Rates are looked for above a loss of all in a year. Lent again after a
    payment, a contract may have several: roots nearer to each other than about 0.02 of themselves are not told apart.
    """
    findings = list(check_fees(fees))
    if isinstance(advances, Flows) and isinstance(payments, Flows):
        if findings:
            raise BadInput(findings)
        return solve_aprs(advances, payments, method, count, deducted(fees, include))
    if isinstance(advances, Flows) or isinstance(payments, Flows):
        raise TypeError("advances and payments are of two forms: expected two lists, or two Flows")
    off = deducted(fees, include)
    net = [(day, amount - off * (k == 0)) for k, (day, amount) in enumerate(advances)]
    findings += check_flows(net, payments)
    if findings:
        raise BadInput(findings)
    return _solved(net, payments, method, count)


def _solved(advances: Sequence[Flow], payments: Sequence[Flow], method: Method, count: Count) -> Apr:
    n, m = len(advances), len(payments)
    month, day, number = np.zeros((3, n + m), dtype=np.int64)
    whole, odd = np.zeros((2, n + m))
    status, code, irregular, value, residual = contract_rate(
        *_arrays(advances), 0, n, *_arrays(payments), 0, m, METHODS[method], COUNTS[count], month, day, number, whole,
        odd, np.zeros(CODES, dtype=np.int64),
    )  # fmt: skip
    financed = math.fsum(amount for _, amount in advances)
    return Apr(
        value=float(value) if status == CONVERGED else math.nan,
        status=STATUSES[status],
        unit_period="year" if method == "effective" else str(code_names()[code]),
        irregular=bool(irregular),
        finance_charge=math.fsum(amount for _, amount in payments) - financed,
        amount_financed=financed,
        residual=float(residual),
    )


def _arrays(flows: Sequence[Flow]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([(day - FIRST_DAY).days for day, _ in flows]), np.array([float(amount) for _, amount in flows])


def within_tolerance(disclosed: float, exact: float, regular: bool) -> bool:
    """Whether a disclosed APR is accurate: within 1/8 of a point, or 1/4 for an irregular transaction; bounds belong.

    Both numbers are compared as the decimals that they are written as: 0.10125 is within 1/8 of a point of 0.1. A rate
    that was solved for misses its decimals by some 1e-17, so that ``exact`` is rounded to 12 decimal places first.
    """
    apart = abs(Decimal(repr(float(disclosed))) - _as_written(exact))
    return apart <= (REGULAR_TOLERANCE if regular else IRREGULAR_TOLERANCE)


def within_mapr_cap(exact: float) -> bool:
    """Whether a military rate, a fraction a year, is at most `MAPR_CAP`, rounded as in `within_tolerance`.

    Source: 32 CFR 232.4(b).
    """
    return _as_written(exact) <= Decimal(repr(MAPR_CAP))


def _as_written(solved: float) -> Decimal:
    """Return the decimal that a solved rate stands for."""
    return round(Decimal(repr(float(solved))), SOLVED_TO)


def check_flows(advances: Sequence[Flow], payments: Sequence[Flow]) -> Iterator[Finding]:
    """Yield findings (OP410) about flows that have no rate."""
    for side, flows in (("advance", advances), ("payment", payments)):
        if not flows:
            yield _finding(side, "is missing: expected at least one", f"give --{side} DATE:AMOUNT")
        for i, (day, amount) in enumerate(flows):
            if not 0.0 < amount < math.inf:
                message = f"is {amount:g}: expected an amount above zero"
                yield _finding(f"{side} {i + 1} of {day}", message, "correct the amount")
        for i, ((before, _), (day, _)) in enumerate(pairwise(flows)):
            if day < before:
                message = f"stands after that of {before}: expected dates in order"
                yield _finding(f"{side} {i + 2} of {day}", message, "sort by date, or correct it")
    if advances and payments:
        yield from _time_findings(min(day for day, _ in advances), [day for day, _ in payments])


def _time_findings(start: date, due: Sequence[date]) -> Iterator[Finding]:
    if min(due) < start:
        message = f"is of {min(due)}, before the first advance: expected money to be lent before it is paid back"
        yield _finding("payment", message, "correct the dates")
    elif max(due) == start:
        yield _finding("payment", f"is of {start} as the advance is: expected time between them", "correct the dates")


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP410", source="contract", subject=subject, message=message, next_step=step)
