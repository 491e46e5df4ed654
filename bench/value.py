"""Lifetime value and period accounts: millions of loans, beside a plain loop over loans on the same ones."""

import subprocess
import sys

import numpy as np

from bench.plain_loan import plain_loan, rltc
from bench.result import result
from bench.timing import timed
from opportune.economics import Accounts, Assumption, Curves, LifetimeAssumptions, Loans, accounts, value
from opportune.economics.lifetime_assumptions import UNITS
from opportune.economics.postings import INCOME

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
SIZES = (10_000, 100_000, MANY, 10 * MANY)


def mixed_loans(count: int, seed: int = 0) -> Loans:
    """Return loans of 3 to 60 months: monthly, weekly, fortnightly and quarterly, on the balance and flat, with short
    and long first periods, some without interest and bought above value, some sold in part, some goods sent back.
    """
    draw = np.random.default_rng(seed)
    principal, nothing = draw.uniform(50.0, 8_000.0, count), np.zeros(count)
    per_year = draw.choice([12.0, 52.0, 26.0, 4.0], count, p=[0.6, 0.15, 0.15, 0.1])
    first = draw.choice([1.0, 0.5, 1.5, 2.0], count, p=[0.7, 0.1, 0.1, 0.1])
    months = draw.integers(3, 61, count)
    payments = np.maximum(np.floor(months * per_year / 12.0 - first + 1.0 + 1e-9), 1.0)
    return Loans(
        loan_id=np.arange(count).astype(str), principal=principal, rate=draw.choice([0.0, 0.1, 0.2, 0.3], count),
        payments=payments, per_year=per_year, first_period=np.where(payments > 1.0, first, 1.0),
        flat=draw.choice([0.0, 1.0], count, p=[0.8, 0.2]), segment=draw.integers(0, SEGMENTS, count),
        risk=draw.choice([0.5, 1.0, 2.0], count), gmv=principal, mdr=nothing + 0.03, interchange=nothing,
        incentive=nothing, market_rate=nothing + 0.12, sold=draw.choice([0.0, 0.5], count), sale_price=nothing + 1.01,
        refunded=nothing + 0.02, currency="USD",
    )  # fmt: skip


def value_results() -> list[dict]:
    """Return seconds and memory of a million loans, how seconds grow to ten million, and seconds of postings.

    The rival is a plain loop over periods and months of each loan, run on 300 of the same loans and told per loan.
    """
    value(mixed_loans(100), CURVES, ASSUMPTIONS)
    loans = mixed_loans(MANY)
    taken, found = timed(lambda: value(loans, CURVES, ASSUMPTIONS))
    few = loans.take(slice(0, FEW))
    alone, plain = timed(lambda: [plain_loan(few, row, CURVES, FIGURES) for row in range(FEW)])
    apart = float(np.max(np.abs(np.array([rltc(each) for each in plain]) - found.rltc(discounted=False)[:FEW])))
    each = [per_loan(size) for size in SIZES]
    posting, _ = timed(lambda: post_all(mixed_loans(POSTED)))
    return [
        result("economics.value_1m", taken, "s", bar=5.0),
        result("economics.value_1m_memory", peak_memory_gib(), "GiB", bar=2.0),
        result("economics.value_each", 1e6 * taken / MANY, "us", rival=("a plain loop", 1e6 * alone / FEW)),
        result("economics.value_apart", apart, "USD, at most", bar=0.005),
        *(result(f"economics.value_{size}", cost, "us per loan") for size, cost in zip(SIZES, each, strict=True)),
        result("economics.value_growth", max(each) / min(each), "x per loan, 1e4 to 1e7", bar=2.0),
        result("economics.value_10m", each[-1] * 10 * MANY / 1e6, "s"),
        result("economics.postings_100k", posting, "s", rival=("a plain loop", alone / FEW * POSTED), bar=20.0),
        result("economics.postings_apart", postings_apart(few), "USD in any month, at most", bar=0.005),
    ]


def post_all(book: Loans) -> Accounts:
    """Return the accounts of a book made over two years."""
    months = np.datetime64("2024-01") + np.arange(len(book)) % 24
    return accounts(book, CURVES, ASSUMPTIONS, originated=months, allowance="lifetime", exclusions={})


def postings_apart(book: Loans) -> float:
    """Return by how much any month's income or cost of the book differs from that of the plain loop."""
    told, apart = post_all(book), 0.0
    plain = np.zeros((len(COMPARED), len(told.months)))
    for row in range(len(book)):
        for (account, month), amount in plain_loan(book, row, CURVES, FIGURES).items():
            if account in COMPARED:
                plain[COMPARED.index(account), row % 24 + month] += amount
    for line, account in enumerate(COMPARED):
        apart = max(apart, float(np.max(np.abs(plain[line] + told.postings[account]))))
    return apart


COMPARED = (*INCOME, "loss_on_purchase", "funding_cost", "processing", "servicing")
"""The accounts that the plain loop posts by month as the books do; its provision it posts at once."""


def per_loan(size: int) -> float:
    """Return microseconds a loan, the loans made beforehand and valued a million at a time; the best of a few runs."""
    blocks = [mixed_loans(min(size, MANY), seed) for seed in range(2)]
    runs = max(1, min(20, 5_000_000 // size))
    return 1e6 * min(_once(blocks, size) for _ in range(runs)) / size


def _once(blocks: list[Loans], size: int) -> float:
    taken = 0.0
    for start in range(0, size, MANY):
        block = blocks[(start // MANY) % 2]
        taken += timed(lambda block=block: value(block, CURVES, ASSUMPTIONS))[0]
    return taken


def peak_memory_gib() -> float:
    """Return the peak memory of a process of its own that values a million loans."""
    code = (
        "import resource; from bench.value import *; value(mixed_loans(MANY), CURVES, ASSUMPTIONS); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024**2
