"""APRs: a million regular contracts at once, beside the same rates one by one."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from bench.result import result
from opportune.economics import UnitPeriod, apr, regular_aprs, repeated

MANY, FEW = 1_000_000, 300
MONTH = UnitPeriod("month", 1)


def economics_results() -> list[dict]:
    """Return seconds of a million rates, and microseconds a rate beside those of contracts solved one by one."""
    draw = np.random.default_rng(0)
    advance, payments = draw.uniform(50.0, 20_000.0, MANY), draw.integers(3, 61, MANY)
    level = advance * (1.0 + draw.uniform(0.01, 0.6, MANY)) / payments
    yearly = np.full(MANY, 12.0)
    regular_aprs(advance[:FEW], level[:FEW], payments[:FEW], yearly[:FEW])
    taken, found = seconds(lambda: regular_aprs(advance, level, payments, yearly))
    start, dates = date(2024, 1, 1), [repeated(date(2024, 2, 1), int(count), MONTH) for count in payments[:FEW]]
    flows = [[(day, float(level[i])) for day in days] for i, days in enumerate(dates)]
    alone, rates = seconds(lambda: [apr([(start, float(advance[i]))], flows[i]).value for i in range(FEW)])
    apart = float(np.max(np.abs(np.array(rates) - found.value[:FEW])))
    return [
        result("economics.apr_1m", taken, "s", bar=2.0),
        result("economics.apr_each", 1e6 * taken / MANY, "us", rival=1e6 * alone / FEW),
        result("economics.apr_apart", apart, "APR, at most", bar=1e-9),
    ]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done
