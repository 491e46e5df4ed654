"""The rival of value and of accounts: one loan by a plain loop over its periods and their months.

As a spreadsheet would, without arrays. Every amount is entered in an account and a month, so the same loop gives the
lines of the life (their sums) and the postings of the books.
"""

import math
from collections import defaultdict

from opportune.economics import Curves, Loans

Posted = dict[tuple[str, int], float]


def plain_loan(loans: Loans, row: int, curves: Curves, figures: dict[str, float]) -> Posted:
    """Return what a loan does to income and cost, and to its balances, by account and month; costs negative."""
    of = {name: float(getattr(loans, name)[row]) for name in loans.__struct_fields__
          if name not in ("loan_id", "currency")}  # fmt: skip
    posted: Posted = defaultdict(float)
    n, segment = int(of["payments"]), int(of["segment"])
    kept, lag, recovered = 1.0 - of["sold"], curves.charge_off_lag, [float(x) for x in curves.recovery[segment]]
    terms = _terms(of)
    discount = max(of["principal"] - _worth(terms, of), 0.0)
    _at_origination(posted, of, discount, figures)
    open_, start, losses = 1.0 - of["refunded"], 0.0, defaultdict(float)
    left = discount
    for t, (due_at, length, balance, interest, repaid) in enumerate(terms, 1):
        out, early, pieces = _ends(open_, start, due_at, of, curves, segment)
        month = max(math.ceil(due_at - 1e-9), 1)
        after = _unamortised(of, discount, t, n, balance, interest, repaid, length, left)
        for at, months in pieces:
            share = months / (due_at - start)
            posted["interest", at] += kept * open_ * (interest + left - after) * share
            _hold(posted, at, open_ * balance * months / 12, kept, of, figures)
            posted["servicing", at] -= figures["servicing"] * open_ * months
            posted["receivable", at] += kept * open_ * interest * share
        paying, money = open_ - out, (open_ - out) * (interest + repaid) + early * (balance - repaid)
        posted["interest", month] += kept * ((out + early) * after - out * interest)
        posted["receivable", month] -= kept * open_ * interest
        posted["late_fees", month] += kept * figures["late_fee"] * figures["late_share"] * paying
        posted["processing", month] -= figures["processing_per_payment"] * paying + figures["processing_share"] * money
        for wait in range(lag + 1):  # from the payment missed to charge-off, cut where months end
            months = month - due_at if wait == 0 else 1.0 - (month - due_at) if wait == lag else 1.0
            _hold(posted, month + wait, out * balance * months / 12, kept, of, {**figures, "servicing_fee": 0.0})
            posted["servicing", month + wait] -= figures["servicing"] * out * months
        losses[month] += kept * out * balance * (1.0 - sum(recovered))
        posted["loans", month] -= kept * (paying * repaid + early * (balance - repaid))
        posted["loans", month + lag] -= kept * out * balance
        for later, share in enumerate(recovered):
            posted["recoveries", month + lag + later] += kept * out * balance * share
        open_, start, left = open_ - out - early, due_at, after
    posted["provision", 0] -= sum(losses.values())  # of the whole life, at once
    return posted


def rltc(posted: Posted) -> float:
    """Return revenue less transaction costs over the life."""
    return sum(
        amount for (account, _), amount in posted.items() if account not in ("receivable", "loans", "recoveries")
    )


def _terms(of: dict[str, float]) -> list[tuple[float, float, float, float, float]]:
    """Return for each payment: months from origination, length in periods, balance before, interest and principal."""
    n, q, f, p = int(of["payments"]), of["per_year"], of["first_period"], of["principal"]
    r = of["rate"] / q
    level = p / sum(1.0 / ((1.0 + r * f) * (1.0 + r) ** t) for t in range(n))
    found, balance = [], p
    for t in range(1, n + 1):
        length = f if t == 1 else 1.0
        interest = p * r * length if of["flat"] == 1.0 else balance * r * length
        repaid = p / n if of["flat"] == 1.0 else level - interest
        repaid = balance if t == n else repaid
        found.append(((f + t - 1) * 12 / q, length, balance, interest, repaid))
        balance -= repaid
    return found


def _worth(terms: list[tuple[float, float, float, float, float]], of: dict[str, float]) -> float:
    worth, growth = 0.0, 1.0
    for _, length, _, interest, repaid in terms:
        growth *= 1.0 + of["market_rate"] / of["per_year"] * length
        worth += (interest + repaid) / growth
    return worth


def _unamortised(
    of: dict[str, float], discount: float, t: int, n: int, balance: float, interest: float, repaid: float,
    length: float, left: float,
) -> float:  # fmt: skip
    if discount == 0.0 or t == n:
        return 0.0
    if of["flat"] == 1.0:
        return discount * (balance - repaid) / of["principal"]
    carried = (balance - left) * (1.0 + of["market_rate"] / of["per_year"] * length) - interest - repaid
    return balance - repaid - carried


def _at_origination(posted: Posted, of: dict[str, float], discount: float, figures: dict[str, float]) -> None:
    p, back = of["principal"], of["refunded"]
    for account, fee in (
        ("merchant_fee", of["mdr"] * of["gmv"] - of["incentive"]), ("card_network", of["interchange"] * of["gmv"]),
    ):  # fmt: skip
        posted[account, 0] += fee
        posted[account, 1] -= back * fee
    posted["loss_on_purchase", 0] -= discount
    posted["gain_on_sale", 0] += of["sold"] * (of["sale_price"] * p - (p - discount))
    posted["processing", 0] -= figures["origination"]
    posted["interest", 1] += (1.0 - of["sold"]) * back * discount
    posted["loans", 0] += (1.0 - of["sold"]) * p


def _ends(
    open_: float, start: float, due_at: float, of: dict[str, float], curves: Curves, segment: int
) -> tuple[float, float, list[tuple[int, float]]]:
    """Return who defaults and who prepays in a period, and the months that it touches with how much of each."""
    out = early = 0.0
    at, pieces = start, []
    while at < due_at - 1e-9:
        month = math.floor(at + 1e-9)
        end = min(month + 1.0, due_at)
        d = min(float(curves.default[segment, month]) * of["risk"], 1.0)
        p = min(float(curves.prepay[segment, month]), 1.0 - d)
        gone = open_ * (1.0 - (1.0 - d - p) ** (end - at))
        if d + p > 0.0:
            out += gone * d / (d + p)
            early += gone * p / (d + p)
        open_ -= gone
        pieces.append((month + 1, end - at))
        at = end
    return out, early, pieces


def _hold(
    posted: Posted, month: int, years: float, kept: float, of: dict[str, float], figures: dict[str, float]
) -> None:
    posted["funding_cost", month] -= kept * figures["cost_of_funds"] * figures["advance_rate"] * years
    posted["servicing_income", month] += figures["servicing_fee"] * of["sold"] * years
