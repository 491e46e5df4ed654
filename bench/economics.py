"""APRs: a million contracts of dated flows at once, beside other calculators on some of the same contracts."""

from datetime import date

import numpy as np

from bench.result import result
from bench.timing import median_timed, timed
from opportune.economics import Flows, UnitPeriod, apr, repeated

MANY, SOME, FEW = 1_000_000, 20_000, 1_000
MONTH = UnitPeriod("month", 1)
FIRST, LONGEST = date(2022, 1, 1), 60


def economics_results() -> list[dict]:
    """Return seconds of a million rates, and microseconds a rate beside pyxirr and curo on the same contracts.

    pyxirr finds the effective rate in a compiled loop, contract by contract; curo the actuarial one. Both are timed on
    a part and told per rate.
    """
    advances, payments, ends = contracts(MANY)
    first = parts(advances, payments, ends, SOME)
    for method in ("actuarial", "effective"):
        apr(*first, method)  # compile
    taken, found = median_timed(lambda: apr(advances, payments))
    yearly, effective = median_timed(lambda: apr(advances, payments, "effective"))
    alone, theirs = median_timed(lambda: pyxirr_rates(*first))
    few, of_curo = timed(lambda: curo_rates(*parts(advances, payments, ends, FEW)))
    return [
        result("economics.apr_1m", taken, "s", bar=2.0),
        result("economics.apr_effective_each", 1e6 * yearly / MANY, "us", rival=("pyxirr", 1e6 * alone / SOME)),
        result("economics.apr_each", 1e6 * taken / MANY, "us", rival=("curo", 1e6 * few / FEW)),
        result("economics.apr_from_pyxirr", apart(theirs, effective.value), "rate, at most", bar=1e-6),
        result("economics.apr_from_curo", apart(of_curo, found.value), "rate, at most", bar=1e-6),
    ]


def contracts(count: int) -> tuple[Flows, Flows, np.ndarray]:
    """Return instalment loans of 3 to 60 months, a fifth with a long first period, and where their payments end."""
    draw = np.random.default_rng(0)
    lent, terms = draw.uniform(50.0, 20_000.0, count), draw.integers(3, LONGEST + 1, count)
    calendar = np.array(repeated(FIRST, LONGEST + 2, MONTH), dtype="datetime64[D]")
    late = (draw.random(count) < 0.2).astype(np.int64)
    ends = np.cumsum(terms)
    contract = np.repeat(np.arange(count), terms)
    place = np.arange(ends[-1]) - np.repeat(ends - terms, terms)
    amount = np.round(lent * (1.0 + draw.uniform(0.01, 0.6, count)) / terms, 2)
    start = calendar[0] + np.where(late, draw.integers(0, 28, count), 0).astype("timedelta64[D]")
    payments = Flows(contract=contract, day=calendar[1 + place + late[contract]], amount=amount[contract])
    return Flows(contract=np.arange(count), day=start, amount=lent), payments, ends


def parts(advances: Flows, payments: Flows, ends: np.ndarray, count: int) -> tuple[Flows, Flows]:
    """Return the first contracts."""
    lent, paid = slice(count), slice(int(ends[count - 1]))
    return (
        Flows(contract=advances.contract[lent], day=advances.day[lent], amount=advances.amount[lent]),
        Flows(contract=payments.contract[paid], day=payments.day[paid], amount=payments.amount[paid]),
    )


def pyxirr_rates(advances: Flows, payments: Flows) -> np.ndarray:
    """Return the effective rates that pyxirr finds one by one, from arrays."""
    from pyxirr import xirr

    at = np.searchsorted(payments.contract, np.arange(len(advances.contract) + 1))
    rates = []
    for i in range(len(advances.contract)):
        due = slice(at[i], at[i + 1])
        days = np.concatenate([advances.day[i : i + 1], payments.day[due]])
        rates.append(xirr(days, np.concatenate([-advances.amount[i : i + 1], payments.amount[due]])))
    return np.array(rates, dtype=np.float64)


def curo_rates(advances: Flows, payments: Flows) -> np.ndarray:
    """Return the actuarial rates that curo finds one by one, from its series of advance and payments."""
    from curo import Calculator, Mode, SeriesAdvance, SeriesPayment, USAppendixJ

    at = np.searchsorted(payments.contract, np.arange(len(advances.contract) + 1))
    rates = []
    for i in range(len(advances.contract)):
        calculator, day = Calculator(precision=4), advances.day[i].item()
        calculator.add(SeriesAdvance(amount=float(advances.amount[i]), post_date_from=day))
        amount, first = float(payments.amount[at[i]]), payments.day[at[i]].item()
        count = int(at[i + 1] - at[i])
        calculator.add(SeriesPayment(number_of=count, amount=amount, mode=Mode.ADVANCE, post_date_from=first))
        rates.append(calculator.solve_rate(convention=USAppendixJ()))
    return np.array(rates)


def apart(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the greatest difference of the first rates."""
    return float(np.max(np.abs(theirs - ours[: len(theirs)])))
