"""Loans, curves and assumptions that the tests of value and of accounts share."""

import numpy as np
from hypothesis import strategies as st

from opportune.economics import Assumption, Curves, LifetimeAssumptions, Loans, Scenario
from opportune.economics.lifetime_assumptions import UNITS

FREE = dict.fromkeys(UNITS, 0.0)
COSTS = {
    "cost_of_funds": 0.07, "advance_rate": 0.85, "capital_ratio": 0.15, "cost_of_equity": 0.12, "discount_rate": 0.08,
    "origination": 1.5, "processing_per_payment": 0.3, "processing_share": 0.01, "servicing": 0.8, "servicing_fee": 0.01,
    "late_fee": 7.0, "late_share": 0.05, "contact": 0.4, "acquisition": 12.0,
}  # fmt: skip
SCENARIO = Scenario(name="bad", says="twice the losses", loss=2.0, prepay=0.5, funding=1.5, volume=0.8)


def assumed(figures=COSTS, **changes):
    made = {name: Assumption(value=figures[name], unit=unit, source="test") for name, unit in UNITS.items()}
    given = {"currency": "USD", "capital_is": "hurdle", "scenario": (SCENARIO,), **changes}
    return LifetimeAssumptions(**{**made, **given})


def loans(count=1, **columns):
    plain = {
        "principal": 1200.0, "rate": 0.24, "payments": 12.0, "per_year": 12.0, "first_period": 1.0, "flat": 0.0,
        "segment": 0, "risk": 1.0, "gmv": 1200.0, "mdr": 0.0, "interchange": 0.0, "incentive": 0.0, "market_rate": 0.0, "sold": 0.0,
        "sale_price": 1.0, "refunded": 0.0,
    }  # fmt: skip
    arrays = {name: np.broadcast_to(columns.get(name, each), count).copy() for name, each in plain.items()}
    return Loans(loan_id=np.arange(count).astype(str), **arrays, currency="USD")


def curves(default=0.0, prepay=0.0, recovery=(0.0,), lag=4, segments=1, months=60):
    shape = (segments, months)
    return Curves(
        segments=tuple(f"s{i}" for i in range(segments)), default=np.full(shape, default) * np.arange(1, segments + 1)[:, None],
        prepay=np.full(shape, prepay), recovery=np.tile(recovery, (segments, 1)), charge_off_lag=lag,
    )  # fmt: skip


CURVES = curves(0.004, 0.02, (0.05, 0.03, 0.02), lag=4, segments=3)


def seasoned(months=60, lag=4):
    """Curves that differ from month to month, so that a hazard read at the wrong month shows."""
    rng = np.random.default_rng(7)
    default, prepay = rng.uniform(0.0, 0.05, (3, months)), rng.uniform(0.0, 0.08, (3, months))
    default[1, 0], default[2, 6], prepay[2, 9] = 0.5, 0.3, 0.6
    recovery = np.array([[0.05, 0.03, 0.02], [0.1, 0.0, 0.0], [0.0, 0.2, 0.1]])
    return Curves(segments=("a", "b", "c"), default=default, prepay=prepay, recovery=recovery, charge_off_lag=lag)


@st.composite
def books(draw):
    """Loans of every product: pay in four, weekly, monthly, quarterly, flat, odd first periods, sold, refunded."""
    count = draw(st.integers(1, 6))
    column = lambda values: np.array(draw(st.lists(values, min_size=count, max_size=count)))  # noqa: E731
    share = st.floats(0, 1)
    principal = column(st.floats(20, 9000))
    return loans(
        count, principal=principal, rate=column(st.sampled_from([0.0, 0.1, 0.36])), payments=column(st.integers(1, 14)).astype(float),
        per_year=column(st.sampled_from([4.0, 12.0, 24.0, 26.0, 52.0])), first_period=column(st.sampled_from([0.4, 1.0, 1.8, 4.0])),
        flat=column(st.sampled_from([0.0, 1.0])), segment=column(st.integers(0, 2)), risk=column(st.sampled_from([0.0, 0.5, 1.0, 3.0])), gmv=principal * 1.25,
        mdr=column(st.floats(0, 0.2)), interchange=column(st.floats(0, 0.03)), incentive=column(st.floats(0, 5)),
        market_rate=column(st.sampled_from([0.0, 0.15, 0.5])), sold=column(share), sale_price=column(st.floats(0.9, 1.1)),
        refunded=column(share),
    )  # fmt: skip
