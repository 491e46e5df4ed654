"""The APRs of many contracts at once, each with as many advances and payments as it has."""

from typing import Literal

import msgspec
import numpy as np

from opportune.economics.annual_rate import (
    ACTUARIAL,
    BY_DAYS,
    BY_MONTHS,
    BY_WEEKS,
    CONVERGED,
    EFFECTIVE,
    US_RULE,
)
from opportune.economics.unit_period import code_names

Method = Literal["actuarial", "effective", "us_rule"]
Count = Literal["days", "months", "weeks"]
Status = Literal["converged", "no_root", "several_roots", "bad_input"]
METHODS: dict[Method, int] = {"actuarial": ACTUARIAL, "effective": EFFECTIVE, "us_rule": US_RULE}
COUNTS: dict[Count, int] = {"days": BY_DAYS, "months": BY_MONTHS, "weeks": BY_WEEKS}
STATUSES: tuple[Status, ...] = ("converged", "no_root", "several_roots", "bad_input")
"""By the numbers of `annual_rate`."""


class Flows(msgspec.Struct, frozen=True, kw_only=True):
    """Money of many contracts that goes one way, arrays (m,) in any order of contracts.

    ``contract``: 0, 1, ... ; ``day``: datetime64, in order of dates within a contract; ``amount``: money above zero.
    """

    contract: np.ndarray
    day: np.ndarray
    amount: np.ndarray


class Aprs(msgspec.Struct, frozen=True, kw_only=True):
    """Per contract (n,): APR as a fraction a year, and NaN unless ``status`` is ``converged``.

    ``status``: ``converged``, ``no_root`` (no rate fits above a loss of all in a year), ``several_roots`` or
    ``bad_input`` (a side is missing, an amount is not above zero, dates are out of order, a payment comes before the
    first advance, no time passes). ``unit_period`` in words. ``irregular``: as 12 CFR 1026.22(a)(3) has it.
    ``residual``: what the flows leave at ``value``, in money. ``finance_charge``, ``amount_financed``: money.
    """

    value: np.ndarray
    status: np.ndarray
    unit_period: np.ndarray
    irregular: np.ndarray
    residual: np.ndarray
    finance_charge: np.ndarray
    amount_financed: np.ndarray

    def __len__(self) -> int:
        return len(self.value)


def solve_aprs(advances: Flows, payments: Flows, method: Method, count: Count, deducted: float) -> Aprs:
    """Return the APRs of contracts 0 to the highest named; ``deducted`` is taken off each one's first advance.

    ValueError for arrays of different lengths, or a contract below zero.
    """
    from opportune.economics._compiled_aprs import solve_all

    contracts = 1 + max((int(each.contract.max()) for each in (advances, payments) if len(each.contract)), default=-1)
    lent_day, lent, lent_at = _columns(advances, contracts, "advances")
    paid_day, paid, paid_at = _columns(payments, contracts, "payments")
    if deducted:
        lent = lent.copy()
        lent[lent_at[:-1][np.diff(lent_at) > 0]] -= deducted
    status, code, irregular = (np.zeros(contracts, dtype=np.int64) for _ in range(3))
    value, left, financed, repaid = (np.zeros(contracts) for _ in range(4))
    longest = int(np.max(np.diff(lent_at) + np.diff(paid_at), initial=1))
    solve_all(lent_day, lent, lent_at, paid_day, paid, paid_at, METHODS[method], COUNTS[count], longest, status, code,
              irregular, value, left, financed, repaid)  # fmt: skip
    return Aprs(
        value=np.where(status == CONVERGED, value, np.nan), status=np.array(STATUSES)[status],
        unit_period=np.full(contracts, "year") if method == "effective" else code_names()[code],
        irregular=irregular == 1, residual=left, finance_charge=repaid - financed, amount_financed=financed,
    )  # fmt: skip


def _columns(flows: Flows, contracts: int, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return days since 1970, amounts, and where each contract's flows begin (contracts + 1,)."""
    contract = np.asarray(flows.contract)
    if not len(contract) == len(flows.day) == len(flows.amount):
        raise ValueError(f"{side}: contract, day and amount are of {len(contract)}, {len(flows.day)} and "
                         f"{len(flows.amount)} rows: expected arrays of one length")  # fmt: skip
    if len(contract) and contract.min() < 0:
        raise ValueError(f"{side}: contract {contract.min()} is below zero: expected 0, 1, ...")
    day = np.asarray(flows.day, dtype="datetime64[D]").view(np.int64)
    amount = np.asarray(flows.amount, dtype=np.float64)
    if np.any(contract[1:] < contract[:-1]):
        order = np.argsort(contract, kind="stable")
        contract, day, amount = contract[order], day[order], amount[order]
    return day, amount, np.searchsorted(contract, np.arange(contracts + 1))
