"""The annual percentage rate of one contract: the actuarial method of Regulation Z, the effective rate of EU and UK.

Actuarial (12 CFR 1026, Appendix J, (b)(8)): the rate i per unit-period that makes advances equal payments,

    sum A_k / ((1 + e_k i) (1 + i)^q_k) = sum P_j / ((1 + f_j i) (1 + i)^t_j),

with whole unit-periods q and t compounded and odd fractions e and f simple; APR = i x unit-periods per year.
Effective (EU Directive 2008/48/EC, Annex I; UK CONC App 1.2): the yearly rate X with amounts discounted by
(1 + X)^(days / 365).
"""

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.unit_period import UnitPeriod, common_period, count_back

Method = Literal["actuarial", "effective"]
Status = Literal["converged", "no_root", "several_roots"]
Flow = tuple[date, float]

REGULAR_TOLERANCE, IRREGULAR_TOLERANCE = 0.00125, 0.0025
"""12 CFR 1026.22(a)(2) and (3): 1/8 and 1/4 of a percentage point."""
HIGHEST_RATE = 1e4
"""A rate per period beyond this is taken for none."""
GRID = 400
STEPS = 200


class Apr(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is a fraction a year, not rounded; NaN only where ``status`` says that no single root exists.

    ``residual`` is what the discounted flows leave at ``value``, in money.
    """

    value: float
    status: Status
    unit_period: str
    finance_charge: float
    amount_financed: float
    residual: float


def apr(advances: Sequence[Flow], payments: Sequence[Flow], method: Method = "actuarial") -> Apr:
    """Return the APR of dated advances and payments, amounts in money above zero.

    Prepaid finance charges are taken off the advances by the caller: what is financed is what the customer gets.
    BadInput (OP410) when an amount is not above zero, a side is empty, or a payment comes before every advance.
    """
    findings = check_flows(advances, payments)
    if findings:
        raise BadInput(findings)
    if method == "actuarial":
        period = common_period([day for day, _ in _recurring(advances, payments)])
        present, per_year, name = _unit_period_value(advances, payments, period), period.per_year, period.name
    else:
        present, per_year, name = _effective_value(advances, payments), 1.0, "year"
    roots = _roots(present)
    status: Status = "converged" if len(roots) == 1 else "several_roots" if roots else "no_root"
    rate = roots[0] if len(roots) == 1 else math.nan
    paid, financed = sum(amount for _, amount in payments), sum(amount for _, amount in advances)
    return Apr(
        value=rate * per_year,
        status=status,
        unit_period=name,
        finance_charge=paid - financed,
        amount_financed=financed,
        residual=present(rate) if status == "converged" else math.nan,
    )


def within_tolerance(disclosed: float, exact: float, regular: bool) -> bool:
    """Whether a disclosed APR is accurate: within 1/8 of a point, or 1/4 for an irregular transaction."""
    return abs(disclosed - exact) <= (REGULAR_TOLERANCE if regular else IRREGULAR_TOLERANCE)


def check_flows(advances: Sequence[Flow], payments: Sequence[Flow]) -> list[Finding]:
    """Return findings about flows that have no rate."""
    findings = [
        _finding(f"{side} {i + 1} of {day}", f"is {amount:g}: expected an amount above zero", "correct the amount")
        for side, flows in (("advance", advances), ("payment", payments))
        for i, (day, amount) in enumerate(flows)
        if not (amount > 0 and math.isfinite(amount))
    ]
    for side, flows in (("advance", advances), ("payment", payments)):
        if not flows:
            findings.append(_finding(side, "is missing: expected at least one", f"give --{side} DATE:AMOUNT"))
    if advances and payments and min(day for day, _ in payments) < min(day for day, _ in advances):
        first = min(day for day, _ in payments)
        message = f"is of {first}, before the first advance: expected money to be lent before it is paid back"
        findings.append(_finding("payment", message, "correct the dates"))
    return findings


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP410", source="contract", subject=subject, message=message, next_step=step)


def _recurring(advances: Sequence[Flow], payments: Sequence[Flow]) -> Sequence[Flow]:
    """Return the flows whose intervals tell the unit-period: the payments, and with a single one the advance too."""
    return payments if len(payments) > 1 else [*advances, *payments]


def _unit_period_value(
    advances: Sequence[Flow], payments: Sequence[Flow], period: UnitPeriod
) -> Callable[[float], float]:
    """Return the present value of advances less payments as a function of the rate per unit-period."""
    start = min(day for day, _ in advances)
    flows = [*advances, *((day, -amount) for day, amount in payments)]
    amounts = np.array([amount for _, amount in flows])
    whole, odd = np.array([count_back(start, day, period) for day, _ in flows]).T

    def present(rate: float) -> float:
        return float(np.sum(amounts / ((1.0 + odd * rate) * (1.0 + rate) ** whole)))

    return present


def _effective_value(advances: Sequence[Flow], payments: Sequence[Flow]) -> Callable[[float], float]:
    start = min(day for day, _ in advances)
    flows = [*advances, *((day, -amount) for day, amount in payments)]
    amounts = np.array([amount for _, amount in flows])
    years = np.array([(day - start).days / 365.0 for day, _ in flows])

    def present(rate: float) -> float:
        return float(np.sum(amounts * (1.0 + rate) ** -years))

    return present


def _roots(present: Callable[[float], float]) -> list[float]:
    """Return the rates at which the present value is zero, each from its own bracket on a grid from -99 % up.

    The grid is fine where rates are usual and grows with the rate; two roots closer than its mesh are not told apart.
    """
    grid = np.concatenate([-np.geomspace(0.99, 1e-9, GRID // 2), [0.0], np.geomspace(1e-9, HIGHEST_RATE, GRID)])
    values = np.array([present(rate) for rate in grid])
    exact = [float(rate) for rate, value in zip(grid, values, strict=True) if value == 0.0]
    brackets = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    return sorted(exact + [_bisect(present, float(grid[i]), float(grid[i + 1])) for i in brackets])


def _bisect(present: Callable[[float], float], low: float, high: float) -> float:
    """Return the root between two rates of opposite sign, to the last bit that bisection can reach."""
    sign = math.copysign(1.0, present(low))
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        value = present(middle)
        if value == 0.0:
            return middle
        low, high = (middle, high) if math.copysign(1.0, value) == sign else (low, middle)
    return 0.5 * (low + high)
