"""The walk along a loan's life, loan by loan: plain Python, which `_compiled_walk` compiles for many loans at once.

Every loan is walked by itself, in the order of its periods, so one loan and a million give the same bits, and so do the
two ways to run it (a test compares them): a service values a few offers without a compiler. The formulas stand in
`lifetime`.
"""

import math
from typing import Any

prange: Any = range
"""The compiler puts its own parallel range here."""


def walk(
    principal: Any, rate: Any, payments: Any, per_year: Any, first_period: Any, flat: Any, segment: Any, risk: Any,
    market_rate: Any, retained: Any, refunded: Any, default: Any, prepay: Any, yearly: float, lag: int,
    charge_off: Any, recovered: Any, sums: Any,
) -> None:  # fmt: skip
    """Fill ``sums`` (n, 2, 10): per loan, undiscounted and discounted, what `lifetime` makes lines of.

    0 interest and accretion, 1 balance-years of loans that pay, 2 balance-years of loans in default until charge-off,
    3 losses at charge-off less recoveries, 4 months open, 5 payments made, 6 money paid, 7 discount at origination,
    8 losses of the first twelve months, 9 life in years (undiscounted only). ``charge_off`` holds the discount to the
    charge-off and the discounted months until it; ``recovered`` (S, 2) the shares recovered, plain and discounted.
    """
    at_charge_off, waited = float(charge_off[0]), float(charge_off[1])
    for i in prange(len(principal)):
        q, n, f, s = float(per_year[i]), int(payments[i]), float(first_period[i]), int(segment[i])
        r, y, level_months = float(rate[i]) / q, float(market_rate[i]) / q, 12.0 / q
        p0, risky, gone_back = float(principal[i]), float(risk[i]), float(refunded[i])
        later, is_flat = n - 1.0, flat[i] == 1.0
        # The value of one unit in each of the later periods, at the loan's rate and at the market's.
        at_rate = later if r == 0.0 else (1.0 - (1.0 + r) ** -later) / r
        at_market = later if y == 0.0 else (1.0 - (1.0 + y) ** -later) / y
        flat_part = p0 / n
        level = p0 * (1.0 + r * f) / (1.0 + at_rate)
        if is_flat:
            value = (flat_part + p0 * r * f + (flat_part + p0 * r) * at_market) / (1.0 + y * f)
        else:
            value = level * (1.0 + at_market) / (1.0 + y * f)
        discount = max(p0 - value, 0.0)
        carried, balance, bought = p0 - discount, p0, 1.0 - gone_back
        v_period = (1.0 + yearly) ** (-1.0 / q)
        v = (1.0 + yearly) ** (-(f - 1.0) / q)
        interest = interest_v = gone_back * discount
        years = years_v = waiting = waiting_v = loss = loss_v = 0.0
        months = months_v = made = made_v = paid = paid_v = early = 0.0
        share_recovered, later_recovered = float(recovered[s, 0]), float(recovered[s, 1])
        # Shares open, defaulted and prepaid after `passed` months of age; below, those gone at the payment before.
        passed, stay, out_before, in_before = 0, 1.0, 0.0, 0.0
        defaulted, prepaid = 0.0, 0.0
        d = min(float(default[s, 0]) * risky, 1.0)
        p = min(float(prepay[s, 0]), 1.0 - d)
        left_open, force = max(1.0 - d - p, 0.0), 0.0
        for t in range(1, n + 1):
            long = f if t == 1 else 1.0
            v *= v_period
            due_at = (f + t - 1.0) * level_months
            month = max(math.ceil(due_at - 1e-9), 1)
            while passed < month - 1:
                out_before += stay * d
                in_before += stay * p
                stay *= left_open
                passed += 1
                d = min(float(default[s, passed]) * risky, 1.0)
                p = min(float(prepay[s, passed]), 1.0 - d)
                left_open = max(1.0 - d - p, 0.0)
                force = 0.0
            part = due_at - passed
            share_d, share_p = d, p
            if part < 1.0 - 1e-9 and d + p > 0.0:
                # Constant forces of both within the month: the part w leaves left_open^w.
                if force == 0.0:
                    force = math.log(left_open) if left_open > 0.0 else -math.inf
                gone = (1.0 - math.exp(part * force)) / (d + p)
                share_d, share_p = gone * d, gone * p
            alive = bought * (1.0 - defaulted - prepaid)
            ending = bought * (out_before + stay * share_d - defaulted)
            leaving = bought * (in_before + stay * share_p - prepaid)
            defaulted, prepaid = out_before + stay * share_d, in_before + stay * share_p
            due = p0 * r * long if is_flat else r * long * balance
            repaid = flat_part if is_flat else level - due
            if t == n:
                repaid = balance
            left = balance - repaid
            open_years = alive * balance * long / q
            years += open_years
            years_v += open_years * v
            open_months = alive * long * level_months
            paying = alive - ending
            out = ending * balance
            earned = paying * due
            if discount > 0.0:
                if is_flat:
                    before, after = discount * balance / p0, discount * left / p0
                else:
                    grown = carried * (1.0 + y * long) - (due + repaid)
                    before, after = balance - carried, left - grown
                    carried = grown
                earned += paying * (before - after) + leaving * after + ending * before
            interest += earned
            interest_v += earned * v
            waiting += out * lag / 12.0
            waiting_v += out * v * waited / 12.0
            lost = out * (1.0 - share_recovered)
            loss += lost
            loss_v += out * v * (at_charge_off - later_recovered)
            if month <= 12:
                early += lost
            months += open_months + ending * lag
            months_v += (open_months + ending * lag) * v
            money = paying * (due + repaid) + leaving * left
            made += paying
            made_v += paying * v
            paid += money
            paid_v += money * v
            balance = left
        k = float(retained[i])
        sums[i, 0, 0], sums[i, 1, 0] = k * interest, k * interest_v
        sums[i, 0, 1], sums[i, 1, 1] = years, years_v
        sums[i, 0, 2], sums[i, 1, 2] = waiting, waiting_v
        sums[i, 0, 3], sums[i, 1, 3] = k * loss, k * loss_v
        sums[i, 0, 4], sums[i, 1, 4] = months, months_v
        sums[i, 0, 5], sums[i, 1, 5] = made, made_v
        sums[i, 0, 6], sums[i, 1, 6] = paid, paid_v
        sums[i, 0, 7], sums[i, 1, 7] = discount, discount
        sums[i, 0, 8], sums[i, 1, 8] = k * early, k * early
        sums[i, 0, 9], sums[i, 1, 9] = (f + n - 1.0) / q, 0.0
