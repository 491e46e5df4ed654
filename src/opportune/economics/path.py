"""The expected path of a book: what happens to each loan in each month of its age.

Written in arrays (loans, months) and apart from the compiled walk of `lifetime`, whose formulas it shares: that the
periods of this path add up to the lifetime lines is a test of both.
"""

import msgspec
import numpy as np

from opportune.economics.curves import Curves
from opportune.economics.loans import Loans
from opportune.numerics import open_at_start


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Expected amounts per loan and month of age, arrays (n, M + 1), whole loans before any sale.

    Month 0 is origination; an event of a period falls in the month in which the period ends. ``interest`` paid,
    ``principal`` paid with the last payment or before, ``late`` payments made, ``paid`` money, ``defaulted`` balance,
    ``charged_off`` balance, ``recovered`` money, ``accreted`` discount, ``open_months`` served, ``held_years`` balance
    times years of loans that pay and ``waiting_years`` of those in default; ``balance`` at the end of loans that pay,
    ``waiting`` that of loans in default, ``ahead`` the loss still to come on ``balance`` and ``ahead_year`` the part of
    it within twelve months. ``discount`` (n,) at origination.
    """

    interest: np.ndarray
    principal: np.ndarray
    payments: np.ndarray
    paid: np.ndarray
    defaulted: np.ndarray
    charged_off: np.ndarray
    recovered: np.ndarray
    accreted: np.ndarray
    open_months: np.ndarray
    held_years: np.ndarray
    waiting_years: np.ndarray
    balance: np.ndarray
    waiting: np.ndarray
    ahead: np.ndarray
    ahead_year: np.ndarray
    discount: np.ndarray


class _Periods(msgspec.Struct, frozen=True, kw_only=True):
    """The contract and its hazards on the grid of payments (n, T): zero after the last payment."""

    month: np.ndarray
    running: np.ndarray
    length: np.ndarray
    opening: np.ndarray
    closing: np.ndarray
    interest: np.ndarray
    repaid: np.ndarray
    unamortised: np.ndarray
    default: np.ndarray
    prepay: np.ndarray


def expected_path(loans: Loans, curves: Curves, months: int, expected: Curves | None = None) -> Path:
    """Return the path of loans under ``curves``; losses still to come are those of ``expected`` (the same if None)."""
    grid = _periods(loans, curves)
    alive = open_at_start(grid.default, grid.prepay) * (1.0 - loans.refunded)[:, None] * grid.running
    paying, ending, leaving = alive * (1.0 - grid.default), alive * grid.default, alive * grid.prepay
    out = ending * grid.opening
    money = paying * (grid.interest + grid.repaid) + leaving * grid.closing
    before, after = grid.unamortised[:, :-1], grid.unamortised[:, 1:]
    accreted = paying * (before - after) + leaving * after + ending * before
    survivors = alive - ending - leaving

    def monthly(values: np.ndarray) -> np.ndarray:
        return _by_month(grid.month, values, months)

    lag, defaulted = curves.charge_off_lag, monthly(out)
    balance = _at_month_end(grid, survivors * grid.closing, alive[:, 0] * loans.principal, months)
    ahead, ahead_year = _losses_ahead(loans, grid, survivors, expected or curves, months)
    first = np.zeros((len(loans), months + 1))
    first[:, 1] = loans.refunded * grid.unamortised[:, 0]
    charged_off = _later(defaulted, lag)
    return Path(
        interest=monthly(paying * grid.interest),
        principal=monthly(paying * grid.repaid + leaving * grid.closing),
        payments=monthly(paying),
        paid=monthly(money),
        defaulted=defaulted,
        charged_off=charged_off,
        recovered=_recovered(loans, charged_off, curves),
        accreted=monthly(accreted) + first,
        open_months=monthly(alive * grid.length * (12.0 / loans.per_year)[:, None]) + _waited(monthly(ending), lag),
        held_years=monthly(alive * grid.opening * grid.length / loans.per_year[:, None]),
        waiting_years=_waited(defaulted, lag) / 12.0,
        balance=balance,
        waiting=np.cumsum(defaulted - charged_off, axis=1),
        ahead=ahead,
        ahead_year=ahead_year,
        discount=grid.unamortised[:, 0],
    )


def last_month(loans: Loans, curves: Curves) -> int:
    """Return the last month of age in which anything happens to a loan."""
    longest = int(np.max(np.ceil(loans.payments * 12.0 / loans.per_year - 1e-9), initial=1))
    return longest + curves.charge_off_lag + int(curves.recovery.shape[1])


def _periods(loans: Loans, curves: Curves) -> _Periods:
    count = int(loans.payments.max())
    step = np.arange(1, count + 1)
    running = step <= loans.payments[:, None]
    length = np.where(step == 1, loans.first_period[:, None], 1.0) * running
    month = np.ceil(step * 12.0 / loans.per_year[:, None] - 1e-9).astype(np.int64)
    rate = (loans.rate / loans.per_year)[:, None] * length
    opening, closing, interest, repaid = _contract(loans, rate, running)
    default, prepay = _hazards(loans, curves, np.where(running, month, 1), running)
    return _Periods(
        month=np.where(running, month, 0), running=running, length=length, opening=opening, closing=closing,
        interest=interest, repaid=repaid, unamortised=_unamortised(loans, opening, closing, interest + repaid, length),
        default=default, prepay=prepay,
    )  # fmt: skip


def _contract(loans: Loans, rate: np.ndarray, running: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return opening and closing balance, interest due and principal due per period (n, T)."""
    from opportune.economics.schedule import level_schedules

    principal, number = loans.principal[:, None], loans.payments[:, None]
    step = np.arange(1, rate.shape[1] + 1)
    on_balance = level_schedules(loans.principal, rate, loans.payments)
    flat = (loans.flat == 1)[:, None]
    closing = np.where(flat, principal * np.maximum(1.0 - step / number, 0.0), on_balance.balance) * running
    closing = np.where(step >= number, 0.0, closing)
    interest = np.where(flat, principal * rate, on_balance.interest) * running
    opening = np.column_stack([loans.principal, closing[:, :-1]]) * running
    return opening, closing, interest, opening - closing


def _hazards(loans: Loans, curves: Curves, month: np.ndarray, running: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return hazards per period (n, T) from those per month of age."""
    months = (12.0 / loans.per_year)[:, None]
    default, prepay = (
        np.where(months == 1.0, monthly, 1.0 - (1.0 - monthly) ** months) * running
        for monthly in (each[loans.segment[:, None], month - 1] for each in (curves.default, curves.prepay))
    )
    return default, np.minimum(prepay, 1.0 - default)


def _unamortised(
    loans: Loans, opening: np.ndarray, closing: np.ndarray, due: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """Return the discount not yet in interest before each period and after the last, (n, T + 1)."""
    growth = 1.0 + (loans.market_rate / loans.per_year)[:, None] * length
    grown = np.cumprod(growth, axis=1)
    worth = np.sum(due / grown, axis=1)
    carried = grown * (worth[:, None] - np.cumsum(due / grown, axis=1))
    left = np.column_stack([loans.principal - worth, closing - carried])
    held = np.column_stack([opening > 0.0, np.zeros(len(left), dtype=bool)])
    return np.where((left[:, :1] > 0.0) & held, left, 0.0)


def _by_month(month: np.ndarray, values: np.ndarray, months: int) -> np.ndarray:
    """Return amounts per period as amounts per month of age (n, M + 1)."""
    rows = np.arange(len(values))[:, None] * (months + 1)
    return np.bincount((rows + month).ravel(), values.ravel(), len(values) * (months + 1)).reshape(len(values), -1)


def _later(values: np.ndarray, months: int) -> np.ndarray:
    return np.column_stack([np.zeros((len(values), months)), values[:, : values.shape[1] - months]])


def _waited(values: np.ndarray, lag: int) -> np.ndarray:
    """Return, for amounts that wait ``lag`` months from the month after, how much waits in each month."""
    waited = np.zeros_like(values)
    for month in range(1, lag + 1):
        waited += _later(values, month)
    return waited


def _recovered(loans: Loans, charged_off: np.ndarray, curves: Curves) -> np.ndarray:
    total = np.zeros_like(charged_off)
    for after in range(curves.recovery.shape[1]):
        total += _later(charged_off, after) * curves.recovery[loans.segment, after][:, None]
    return total


def _at_month_end(grid: _Periods, closing: np.ndarray, opening: np.ndarray, months: int) -> np.ndarray:
    """Return the balance of loans that pay at the end of each month of age (n, M + 1)."""
    steps = np.diff(np.column_stack([opening, closing]), axis=1) * grid.running
    change = _by_month(grid.month, steps, months)
    change[:, 0] += opening
    return np.cumsum(change, axis=1)


def _losses_ahead(
    loans: Loans, grid: _Periods, survivors: np.ndarray, expected: Curves, months: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected loss still to come on loans that pay at each month's end, of the life and of a year."""
    default, prepay = _hazards(loans, expected, np.where(grid.running, grid.month, 1), grid.running)
    alive = open_at_start(default, prepay) * grid.running
    lgd = (1.0 - expected.recovery.sum(axis=1))[loans.segment][:, None]
    loss = _by_month(grid.month, alive * default * grid.opening * lgd, months)
    stay = _month_end_share(grid, alive * (1.0 - default - prepay), np.ones(len(loans)), months)
    share = _month_end_share(grid, survivors, (1.0 - loans.refunded), months)
    total = np.cumsum(loss, axis=1)
    in_a_year = np.column_stack([total[:, 12:], np.repeat(total[:, -1:], min(12, months + 1), axis=1)])[:, : months + 1]
    # Given that a loan is open now, what its expected course has ahead of it; then times those that are open.
    scale = np.divide(share, stay, out=np.zeros_like(stay), where=stay > 0.0)
    return scale * (total[:, -1:] - total), scale * (in_a_year - total)


def _month_end_share(grid: _Periods, survivors: np.ndarray, opening: np.ndarray, months: int) -> np.ndarray:
    """Return the share of loans open at each month's end (n, M + 1); those past their last payment are not."""
    after_last = grid.closing <= 0.0
    steps = np.diff(np.column_stack([opening, np.where(after_last, 0.0, survivors)]), axis=1) * grid.running
    change = _by_month(grid.month, steps, months)
    change[:, 0] += opening
    return np.cumsum(change, axis=1)
