"""Lifetime value and period accounts: millions of loans, beside a plain loop over loans on the same ones."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.result import result
from opportune.economics import Assumption, Curves, LifetimeAssumptions, Loans, accounts, value
from opportune.economics.lifetime_assumptions import UNITS

FIGURES = {
    "cost_of_funds": 0.06, "advance_rate": 0.85, "capital_ratio": 0.15, "cost_of_equity": 0.12, "discount_rate": 0.08,
    "origination": 0.5, "processing_per_payment": 0.2, "processing_share": 0.01, "servicing": 0.5,
    "servicing_fee": 0.01, "late_fee": 5.0, "late_share": 0.03, "contact": 0.1, "acquisition": 4.0,
}  # fmt: skip
ASSUMPTIONS = LifetimeAssumptions(
    currency="USD", capital_is="hurdle",
    **{name: Assumption(value=FIGURES[name], unit=unit, source="bench") for name, unit in UNITS.items()},
)  # fmt: skip
MONTHS, SEGMENTS = 60, 6
CURVES = Curves(
    segments=tuple(f"s{i}" for i in range(SEGMENTS)),
    default=np.full((SEGMENTS, MONTHS), 0.002) * np.arange(1, SEGMENTS + 1)[:, None],
    prepay=np.full((SEGMENTS, MONTHS), 0.015),
    recovery=np.full((SEGMENTS, 12), 0.01),
    charge_off_lag=4,
)
FEW, MANY, POSTED = 300, 1_000_000, 100_000


def mixed_loans(count: int, seed: int = 0) -> Loans:
    """Return loans of 3 to 60 months, some without interest and bought above value, some sold in part."""
    draw = np.random.default_rng(seed)
    principal = draw.uniform(50.0, 8_000.0, count)
    nothing = np.zeros(count)
    return Loans(
        loan_id=np.arange(count).astype(str), principal=principal, rate=draw.choice([0.0, 0.1, 0.2, 0.3], count),
        payments=draw.integers(3, 61, count).astype(np.float64), per_year=nothing + 12.0, first_period=nothing + 1.0,
        flat=nothing, segment=draw.integers(0, SEGMENTS, count), gmv=principal, mdr=nothing + 0.03,
        interchange=nothing, incentive=nothing, market_rate=nothing + 0.12, sold=draw.choice([0.0, 0.5], count),
        sale_price=nothing + 1.01, refunded=nothing + 0.02, currency="USD",
    )  # fmt: skip


def value_results() -> list[dict]:
    """Return seconds and memory of a million loans, how seconds grow to ten million, and seconds of postings."""
    value(mixed_loans(100), CURVES, ASSUMPTIONS)
    loans = mixed_loans(MANY)
    taken, found = seconds(lambda: value(loans, CURVES, ASSUMPTIONS))
    few = loans.take(slice(0, FEW))
    alone, plain = seconds(lambda: [one_by_one(few, row) for row in range(FEW)])
    apart = float(np.max(np.abs(np.array(plain) - found.rltc(discounted=False)[:FEW])))
    each = [per_loan(size) for size in (10_000, 100_000, MANY, 10 * MANY)]
    book = mixed_loans(POSTED)
    months = np.datetime64("2024-01") + np.arange(POSTED) % 24
    posting, _ = seconds(
        lambda: accounts(book, CURVES, ASSUMPTIONS, originated=months, allowance="lifetime", exclusions={})
    )
    return [
        result("economics.value_1m", taken, "s", bar=5.0),
        result("economics.value_1m_memory", peak_memory_gib(), "GiB", bar=2.0),
        result("economics.value_each", 1e6 * taken / MANY, "us", rival=1e6 * alone / FEW),
        result("economics.value_apart", apart, "USD, at most", bar=0.005),
        result("economics.value_growth", max(each[1:]) / min(each[1:]), "x per loan, 1e5 to 1e7"),
        result("economics.value_10m", each[-1] * 10 * MANY / 1e6, "s"),
        result("economics.postings_100k", posting, "s", bar=20.0),
    ]


def per_loan(size: int) -> float:
    """Return microseconds a loan, the loans made beforehand and valued a million at a time."""
    blocks = [mixed_loans(min(size, MANY), seed) for seed in range(2)]
    taken = 0.0
    for start in range(0, size, MANY):
        block = blocks[(start // MANY) % 2]
        taken += seconds(lambda block=block: value(block, CURVES, ASSUMPTIONS))[0]
    return 1e6 * taken / size


def peak_memory_gib() -> float:
    """Return the peak memory of a process of its own that values a million loans."""
    code = (
        "import resource; from bench.value import *; value(mixed_loans(MANY), CURVES, ASSUMPTIONS); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024**2


def one_by_one(loans: Loans, row: int) -> float:
    """Return the RLTC of one monthly loan on the balance by a plain loop over its months, as a spreadsheet would."""
    p, n, rate = float(loans.principal[row]), int(loans.payments[row]), float(loans.rate[row]) / 12
    y, segment, kept = float(loans.market_rate[row]) / 12, int(loans.segment[row]), 1.0 - float(loans.sold[row])
    level = p / n if rate == 0 else p * rate / (1 - (1 + rate) ** -n)
    worth = sum(level / (1 + y) ** t for t in range(1, n + 1))
    discount = max(p - worth, 0.0)
    refunded = float(loans.refunded[row])
    alive, balance, lag = 1.0 - refunded, p, CURVES.charge_off_lag
    recovered = float(CURVES.recovery[segment].sum())
    interest = held = waiting = loss = months = made = paid = 0.0
    for t in range(1, n + 1):
        d, q = float(CURVES.default[segment, t - 1]), float(CURVES.prepay[segment, t - 1])
        due = rate * balance
        repaid = balance if t == n else level - due
        held += alive * balance / 12
        waiting += alive * d * balance * lag / 12
        loss += alive * d * balance * (1 - recovered)
        interest += alive * (1 - d) * due
        months += alive + alive * d * lag
        made += alive * (1 - d)
        paid += alive * (1 - d) * (due + repaid) + alive * q * (balance - repaid)
        alive *= 1 - d - q
        balance -= repaid
    f = FIGURES
    return (
        (1 - refunded) * float(loans.mdr[row] * loans.gmv[row]) + kept * (interest + discount)
        + kept * f["late_fee"] * f["late_share"] * made
        + (1 - kept) * (float(loans.sale_price[row]) * p - (p - discount)) + f["servicing_fee"] * (1 - kept) * held
        - discount - kept * loss - f["cost_of_funds"] * f["advance_rate"] * kept * (held + waiting)
        - f["origination"] - f["processing_per_payment"] * made - f["processing_share"] * paid - f["servicing"] * months
    )  # fmt: skip


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done
