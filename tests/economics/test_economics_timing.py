"""When things happen: each loan against a plain loop over its periods and months, written apart from both computations."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from lending_books import COSTS, FREE, assumed, books, loans, seasoned

from opportune.economics import Curves, value
from opportune.economics.path import expected_path, last_month
from opportune.economics.postings import post


def one_by_one(book, row, curves):
    """Return sums by name and by (name, month) of one loan: no arrays, no cumulative shares, months cut where they end."""
    p, q, n = float(book.principal[row]), float(book.per_year[row]), int(book.payments[row])
    first, risk, segment = float(book.first_period[row]), float(book.risk[row]), int(book.segment[row])
    rate = float(book.rate[row]) / q
    flat = book.flat[row] == 1.0
    worth_of_one = 0.0
    for t in range(1, n + 1):
        worth_of_one += 1.0 / ((1.0 + rate * first) * (1.0 + rate) ** (t - 1))
    level = p / worth_of_one
    found = defaultdict(float)
    open_, balance, start = 1.0 - float(book.refunded[row]), p, 0.0
    for t in range(1, n + 1):
        due_at = (first + t - 1) * 12 / q
        periods = first if t == 1 else 1.0
        interest = p * rate * periods if flat else balance * rate * periods
        repaid = p / n if flat else level - interest
        if t == n:
            repaid = balance
        pieces, at, staying, out, early = [], start, open_, 0.0, 0.0
        while at < due_at - 1e-9:
            month = math.floor(at + 1e-9)
            end = min(float(month + 1), due_at)
            pieces.append((month + 1, end - at))
            d = min(float(curves.default[segment, month]) * risk, 1.0)
            h = min(float(curves.prepay[segment, month]), 1.0 - d)
            gone = staying * (1.0 - max(1.0 - d - h, 0.0) ** (end - at))
            if d + h > 0.0:
                out += gone * d / (d + h)
                early += gone * h / (d + h)
            staying -= gone
            at = end
        booked = max(math.ceil(due_at - 1e-9), 1)
        for month, months in pieces:
            share = months / (due_at - start)
            found["accrued", month] += open_ * interest * share
            found["held", month] += open_ * balance * months / 12
            found["open", month] += open_ * months
        paying = open_ - out
        found["interest", booked] += paying * interest
        found["default", booked] += out * balance
        found["principal", booked] += paying * repaid + early * (balance - repaid)
        found["made", booked] += paying
        found["ended"] += out
        open_, balance, start = staying, balance - repaid, due_at
    return found


def by_month(found, name, months):
    return [found[name, month] for month in range(months + 1)]


@settings(max_examples=60, deadline=None)
@given(books())
def test_paths_are_those_of_a_plain_loop(book):
    curves = seasoned()
    months = last_month(book, curves)
    path = expected_path(book, curves, months)
    for row in range(len(book)):
        found = one_by_one(book, row, curves)
        for name, amounts in {
            "interest": path.interest, "default": path.defaulted, "principal": path.principal, "made": path.payments,
            "accrued": path.accrued, "held": path.held_years,
        }.items():  # fmt: skip
            assert amounts[row] == pytest.approx(by_month(found, name, months), abs=1e-6), name


@settings(max_examples=60, deadline=None)
@given(books())
def test_lifetime_lines_are_those_of_a_plain_loop(book):
    curves, lag = seasoned(), 4
    lines = value(book, curves, assumed()).value.lines
    for row in range(len(book)):
        found = one_by_one(book, row, curves)
        total = {name: sum(by_month(found, name, 100)) for name in ("interest", "default", "held", "made", "open")}
        kept = 1.0 - book.sold[row]
        lost = 1.0 - curves.recovery[book.segment[row]].sum()
        assert lines["credit_loss"][row] == pytest.approx(-kept * lost * total["default"], abs=1e-6)
        interest = kept * (total["interest"] - lines["loss_on_purchase"][row])
        assert lines["interest"][row] == pytest.approx(interest, abs=1e-6)
        held = kept * (total["held"] + total["default"] * lag / 12)
        assert lines["funding_cost"][row] == pytest.approx(-0.07 * 0.85 * held, abs=1e-6)
        assert lines["servicing"][row] == pytest.approx(-0.8 * (total["open"] + lag * found["ended"]), abs=1e-6)


def spike(month, share, months=60):
    default = np.zeros((1, months))
    default[0, month - 1] = share
    return Curves(segments=("s",), default=default, prepay=np.zeros((1, months)), recovery=np.zeros((1, 1)),
                  charge_off_lag=4)  # fmt: skip


@pytest.mark.parametrize(("per_year", "payments"), [(12.0, 12.0), (4.0, 4.0), (1.0, 1.0)])
def test_a_default_of_the_first_month_is_in_every_kind_of_period(per_year, payments):
    found = value(loans(per_year=per_year, payments=payments), spike(1, 0.5), assumed(FREE))
    assert found.value.lines["credit_loss"][0] == pytest.approx(-600.0)


def test_a_loan_first_due_after_four_months_pays_and_defaults_in_its_fourth():
    book, curves = loans(first_period=4.0), seasoned()
    path = expected_path(book, curves, last_month(book, curves))
    assert path.interest[0, :4].tolist() == [0.0] * 4
    assert path.interest[0, 4] > 0.0
    assert path.balance[0, :4] == pytest.approx([1200.0] * 4)
    assert last_month(book, curves) == 15 + 4 + 3
    later = value(loans(first_period=5.0, payments=3.0), spike(7, 0.5), assumed(FREE)).value.lines["credit_loss"][0]
    assert -600.0 < later < -200.0  # age 7 is the third payment's month


def test_interest_is_receivable_until_it_is_paid():
    """1,200 at 24 %, four quarters: 24 accrue in each of the first two months and are owed at their ends."""
    book, nobody = loans(per_year=4.0, payments=4.0), spike(1, 0.0)
    posted = post(book, expected_path(book, nobody, last_month(book, nobody)), assumed(), nobody, stage_2=None)
    owed = np.cumsum(posted["interest_receivable"][0])
    assert owed[:4] == pytest.approx([0.0, 24.0, 48.0, 0.0])
    assert -posted["interest"][0, 1:4] == pytest.approx([24.0] * 3)
    funding = posted["funding_cost"][0, 1:4]
    assert funding == pytest.approx([0.07 * 0.85 * 1200 / 12] * 3)


def test_interest_that_accrued_on_a_loan_in_default_is_taken_back():
    book, half = loans(per_year=4.0, payments=4.0), spike(2, 0.5)
    posted = post(book, expected_path(book, half, last_month(book, half)), assumed(FREE), half, stage_2=None)
    assert -posted["interest"][0, 1:4] == pytest.approx([24.0, 24.0, 24.0 - 36.0])
    assert np.cumsum(posted["interest_receivable"][0])[3] == pytest.approx(0.0)
    line = value(book, half, assumed(FREE)).value.lines["interest"][0]
    assert -posted["interest"][0].sum() == pytest.approx(line)


def test_first_year_losses_are_posted_as_they_are_used():
    """IFRS 9 stage 1 at origination: the use that limits see is the provision of month 0, whatever the periods."""
    for first_period in (0.4, 1.0, 3.0):
        for per_year, payments in ((12.0, 24.0), (26.0, 40.0), (4.0, 8.0), (52.0, 90.0)):
            book, curves = (
                loans(payments=payments, per_year=per_year, first_period=first_period, refunded=0.1),
                seasoned(),
            )
            used = value(book, curves, assumed(COSTS), allowance="stages").value.uses["provision_at_origination"][0]
            path = expected_path(book, curves, last_month(book, curves))
            nobody = np.zeros((1, path.interest.shape[1]))
            posted = post(book, path, assumed(COSTS), curves, stage_2=nobody)
            assert posted["provision"][0, 0] == pytest.approx(used)
