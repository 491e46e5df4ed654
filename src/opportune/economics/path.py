"""The expected path of a book: what happens to each loan in each month of its age.

Written in arrays (loans, months) and apart from the compiled walk of `lifetime`, whose formulas it shares: that the
periods of this path add up to the lifetime lines is a test of both.

Payment t falls due (f + t - 1) 12 / q months after origination. What happens at a payment (money, default, prepayment)
is booked in the month in which it falls due; what grows with time (interest and accretion as they accrue, balances
held, months open) is spread evenly over the period and so over the months that it touches.
"""

import msgspec
import numpy as np

from opportune.economics.curves import Curves
from opportune.economics.loans import Loans, last_payment_month
from opportune.numerics import incidences, open_at_start


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Expected amounts per loan and month of age, arrays (n, M + 1), whole loans before any sale. Month 0: origination.

    In the month: ``accrued`` interest, ``interest`` paid, ``reversed`` interest that had accrued on loans that default,
    ``principal`` paid with the last payment or before, ``payments`` made, ``paid`` money, ``defaulted`` balance,
    ``charged_off`` balance, ``recovered`` money, ``accreted`` discount, ``open_months`` served, ``held_years`` balance
    times years of loans that pay and ``waiting_years`` of those in default. At its end: ``balance`` of loans that pay,
    ``waiting`` that of loans in default, ``ahead`` the loss still to come on ``balance`` and ``ahead_year`` the part of
    it within twelve months. ``discount`` (n,) at origination.
    """

    accrued: np.ndarray
    interest: np.ndarray
    reversed: np.ndarray
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


class _Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Payments and months: ``due`` (n, T) months from origination to each payment, and at each month's end (n, M + 1)
    how many payments have ``passed`` and which ``part`` of the period that runs then.
    """

    due: np.ndarray
    passed: np.ndarray
    part: np.ndarray

    def at_payments(self, amounts: np.ndarray) -> np.ndarray:
        """Return amounts per payment (n, T) as amounts per month (n, M + 1)."""
        return self._monthly(_from_zero(amounts), np.zeros(1))

    def as_time_goes(self, amounts: np.ndarray) -> np.ndarray:
        """Return amounts per period (n, T), spread evenly over each, as amounts per month (n, M + 1)."""
        return self._monthly(_from_zero(amounts), self.part * self.running(amounts))

    def running(self, amounts: np.ndarray) -> np.ndarray:
        """Return, of amounts per period (n, T), that of the period which runs at each month's end; 0 after the last."""
        return np.take_along_axis(_then_zero(amounts), self.passed, axis=1)

    def to_come(self, amounts: np.ndarray, months: int) -> np.ndarray:
        """Return what of amounts per payment (n, T) falls in the ``months`` after each month's end (n, M + 1)."""
        so_far = np.take_along_axis(_from_zero(amounts), self.passed, axis=1)
        until = np.minimum(np.arange(so_far.shape[1]) + months, so_far.shape[1] - 1)
        return np.asarray(so_far[:, until] - so_far)

    def _monthly(self, total: np.ndarray, more: np.ndarray) -> np.ndarray:
        return np.diff(np.take_along_axis(total, self.passed, axis=1) + more, axis=1, prepend=0.0)


class _Periods(msgspec.Struct, frozen=True, kw_only=True):
    """The contract on the grid of payments (n, T): zero after the last payment."""

    running: np.ndarray
    years: np.ndarray
    opening: np.ndarray
    closing: np.ndarray
    interest: np.ndarray
    repaid: np.ndarray
    unamortised: np.ndarray


class _Fates(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the loans made (n, T): open at the start of each period, defaulting and prepaying in it."""

    alive: np.ndarray
    ending: np.ndarray
    leaving: np.ndarray


def expected_path(loans: Loans, curves: Curves, months: int, expected: Curves | None = None) -> Path:
    """Return the path of loans under ``curves``; losses still to come are those of ``expected`` (the same if None)."""
    calendar, periods = _calendar(loans, months), _periods(loans)
    fates = _fates(loans, curves, calendar.due, periods.running, 1.0 - loans.refunded)
    alive, ending, leaving = fates.alive, fates.ending, fates.leaving
    paying, lag = alive - ending, curves.charge_off_lag
    before, after = periods.unamortised[:, :-1], periods.unamortised[:, 1:]
    refund = np.zeros((len(loans), months + 1))
    refund[:, 1] = loans.refunded * periods.unamortised[:, 0]
    defaulted = calendar.at_payments(ending * periods.opening)
    charged_off = later(defaulted, lag)
    ahead, ahead_year = _losses_ahead(loans, calendar, periods, fates, expected or curves)
    return Path(
        accrued=calendar.as_time_goes(alive * periods.interest),
        interest=calendar.at_payments(paying * periods.interest),
        reversed=calendar.at_payments(ending * periods.interest),
        principal=calendar.at_payments(paying * periods.repaid + leaving * periods.closing),
        payments=calendar.at_payments(paying),
        paid=calendar.at_payments(paying * (periods.interest + periods.repaid) + leaving * periods.closing),
        defaulted=defaulted,
        charged_off=charged_off,
        recovered=_recovered(loans, charged_off, curves),
        accreted=refund + calendar.as_time_goes(alive * (before - after))
        + calendar.at_payments((leaving + ending) * after),
        open_months=calendar.as_time_goes(alive * periods.years * 12.0) + _waited(calendar, ending, lag),
        held_years=calendar.as_time_goes(alive * periods.opening * periods.years),
        waiting_years=_waited(calendar, ending * periods.opening, lag) / 12.0,
        balance=calendar.running(alive * periods.opening),
        waiting=np.cumsum(defaulted - charged_off, axis=1),
        ahead=ahead,
        ahead_year=ahead_year,
        discount=periods.unamortised[:, 0],
    )  # fmt: skip


def last_month(loans: Loans, curves: Curves, expected: Curves | None = None) -> int:
    """Return the last month of age in which anything happens to a loan, or is ``expected`` to be recovered of it."""
    longest = int(np.max(last_payment_month(loans), initial=1.0))
    recoveries = max(each.recovery.shape[1] for each in (curves, expected or curves))
    return longest + curves.charge_off_lag + int(recoveries)


def _calendar(loans: Loans, months: int) -> _Calendar:
    length, first = (12.0 / loans.per_year)[:, None], loans.first_period[:, None]
    due = (first + np.arange(int(loans.payments.max()))) * length
    end = np.arange(months + 1)
    passed = np.clip(np.floor(end / length - first + 1.0 + 1e-9), 0.0, loans.payments[:, None])
    since = np.where(passed > 0.0, (first + passed - 1.0) * length, 0.0)
    lasts = np.where(passed > 0.0, length, first * length)
    return _Calendar(due=due, passed=passed.astype(np.int64), part=np.clip((end - since) / lasts, 0.0, 1.0))


def _periods(loans: Loans) -> _Periods:
    step = np.arange(1, int(loans.payments.max()) + 1)
    running = step <= loans.payments[:, None]
    years = np.where(step == 1, loans.first_period[:, None], 1.0) * running / loans.per_year[:, None]
    opening, closing, interest, repaid = _contract(loans, loans.rate[:, None] * years, running)
    return _Periods(
        running=running, years=years, opening=opening, closing=closing, interest=interest, repaid=repaid,
        unamortised=_unamortised(loans, opening, closing, interest + repaid, years),
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


def _fates(loans: Loans, curves: Curves, due: np.ndarray, running: np.ndarray, share: np.ndarray) -> _Fates:
    """Return what becomes of loans of which a ``share`` (n,) is open at first.

    Month by month a loan ends with the hazards of its age. Within a month both forces are constant, so that the part w
    of a month leaves (1 - d - p)^w open, and those who go default and prepay as d to p.
    """
    default, prepay = _hazards(loans, curves)
    ends = incidences(default, prepay)
    month = np.minimum(np.ceil(due - 1e-9).astype(np.int64).clip(1), default.shape[1])
    d, p, opened = (
        np.take_along_axis(each, month - 1, axis=1) for each in (default, prepay, open_at_start(default, prepay))
    )
    part = due - (month - 1)
    gone = np.where(part > 1.0 - 1e-9, d + p, 1.0 - np.maximum(1.0 - d - p, 0.0) ** np.minimum(part, 1.0))
    both = np.where(d + p > 0.0, d + p, 1.0)
    before = [np.take_along_axis(_from_zero(each), month - 1, axis=1) for each in ends]
    out, paid = (
        np.diff(so_far + opened * gone * hazard / both, axis=1, prepend=0.0) * running * share[:, None]
        for so_far, hazard in zip(before, (d, p), strict=True)
    )
    left = share[:, None] - np.cumsum(out + paid, axis=1)
    return _Fates(alive=np.column_stack([share, left[:, :-1]]) * running, ending=out, leaving=paid)


def _hazards(loans: Loans, curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Return the hazards of each loan by month of age (n, T months), its risk in them."""
    default = np.minimum(curves.default[loans.segment] * loans.risk[:, None], 1.0)
    return default, np.minimum(curves.prepay[loans.segment], 1.0 - default)


def _unamortised(
    loans: Loans, opening: np.ndarray, closing: np.ndarray, due: np.ndarray, years: np.ndarray
) -> np.ndarray:
    """Return the discount not yet in interest before each period and after the last, (n, T + 1).

    On the balance by the effective-interest method; flat loans, whose balance falls in a line, in step with it.
    """
    grown = np.cumprod(1.0 + loans.market_rate[:, None] * years, axis=1)
    worth = np.sum(due / grown, axis=1)
    carried = grown * (worth[:, None] - np.cumsum(due / grown, axis=1))
    at_first = np.maximum(loans.principal - worth, 0.0)
    effective = np.column_stack([at_first, closing - carried])
    in_step = (at_first / loans.principal)[:, None] * np.column_stack([loans.principal, closing])
    held = np.column_stack([opening > 0.0, np.zeros(len(opening), dtype=bool)]) & (at_first > 0.0)[:, None]
    return np.where(held, np.where((loans.flat == 1)[:, None], in_step, effective), 0.0)


def _from_zero(amounts: np.ndarray) -> np.ndarray:
    """Return sums up to each place, from the empty one on: (n, T) to (n, T + 1)."""
    return np.column_stack([np.zeros(len(amounts)), np.cumsum(amounts, axis=1)])


def _then_zero(amounts: np.ndarray) -> np.ndarray:
    return np.column_stack([amounts, np.zeros(len(amounts))])


def later(values: np.ndarray, months: int) -> np.ndarray:
    """Return values by month of age (n, M + 1) so many ``months`` later."""
    return np.column_stack([np.zeros((len(values), months)), values[:, : values.shape[1] - months]])


def _waited(calendar: _Calendar, amounts: np.ndarray, lag: int) -> np.ndarray:
    """Return, for amounts that wait ``lag`` months from their payment on, amount times months waited in each month."""
    whole = calendar.at_payments(amounts)
    if lag == 0:
        return np.zeros_like(whole)
    at_once = calendar.at_payments(amounts * (np.ceil(calendar.due - 1e-9) - calendar.due))
    waited = at_once + later(whole - at_once, lag)
    for month in range(1, lag):
        waited += later(whole, month)
    return np.asarray(waited)


def _recovered(loans: Loans, charged_off: np.ndarray, curves: Curves) -> np.ndarray:
    total = np.zeros_like(charged_off)
    for after in range(curves.recovery.shape[1]):
        total += later(charged_off, after) * curves.recovery[loans.segment, after][:, None]
    return total


def _losses_ahead(
    loans: Loans, calendar: _Calendar, periods: _Periods, fates: _Fates, expected: Curves
) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected loss still to come on loans that pay at each month's end, of the life and of a year."""
    course = _fates(loans, expected, calendar.due, periods.running, np.ones(len(loans)))
    loss = course.ending * periods.opening * expected.lgd[loans.segment][:, None]
    stay, share = calendar.running(course.alive), calendar.running(fates.alive)
    # Given that a loan is open now, what its expected course has ahead of it; then times those that are open. Where
    # that course has nobody left but for rounding, it has no loss ahead.
    scale = np.divide(share, stay, out=np.zeros_like(stay), where=stay > 1e-12)
    whole = share.shape[1]
    return scale * calendar.to_come(loss, whole), scale * calendar.to_come(loss, 12)
