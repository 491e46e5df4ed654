"""Value of loans with flat monthly interest: the same lines for what is expected and for what was booked.

Letters: ``P`` principal, ``n`` term in months, ``m`` money-months that bear interest, ``r`` monthly rate in percentage
points, ``f`` funding rate a year.

- interest  = m r / 100, with m = P n for flat interest on the first principal. The lender of Karlan and Zinman (2008)
  charged exactly that on loans of 1, 4 and 18 months and less on others, so m is a quantity of its own.
- arrears   = - loss weight x average amount past due. A stand-in for loss.
- funding   = - f / 12 x n x P (n + 1) / (2 n) = - f / 24 x (P n + P). The average balance of n equal repayments of
  principal is P (n + 1) / (2 n): the balances P, P (n-1)/n, ..., P/n of the n months, averaged.
- servicing = - cost per month x n.
- mailing   = - cost per letter, whether it is answered or not.

All lines are linear in P, P n, m, n and arrears, so expected lines follow from the expectations of these five.
"""

import msgspec
import numpy as np

from opportune.domain import Forecast, Value, resource_in
from opportune.economics.assumptions import Assumptions

QUANTITIES = ("response", "amount", "amount_months", "interest_months", "term_months", "arrears")
"""The roles of models.toml that a forecast must hold for these loans."""

RESOURCE_QUANTITIES = {"contacts": (), "amount_lent": ("response", "amount"), "expected_loss": ("response", "arrears")}
"""The limited resources that a loan offer uses, each with the quantities that it depends on; limits name them."""


SAYS = (
    "Contribution is interest less arrears, funding and servicing of the loans that are taken up, less mailing of "
    "everybody who is contacted. Interest is contractual, what loans bear at their terms, and not cash received. "
    "Arrears are the average amount past due: they stand in for loss and are not loss."
)
"""What the sum of the lines is, for readers of a report."""


def expected_value(forecast: Forecast, monthly_rate_pp: np.ndarray, assumptions: Assumptions, currency: str) -> Value:
    """Return expected lifetime lines and uses per (opportunity, offer), as `_expected` tells.

    Uses in the scenarios ``beside`` come with them, named ``expected_loss in NAME``: limits may have to hold there too.
    """
    value = _expected(forecast, monthly_rate_pp, assumptions, currency)
    uses = dict(value.uses)
    for scenario in assumptions.beside:
        there = _expected(forecast, monthly_rate_pp, msgspec.structs.replace(assumptions, scenario=scenario), currency)
        uses |= {resource_in(name, scenario.name): amounts for name, amounts in there.uses.items()}
    return msgspec.structs.replace(value, uses=uses)


def _expected(forecast: Forecast, monthly_rate_pp: np.ndarray, assumptions: Assumptions, currency: str) -> Value:
    """Return expected lifetime lines and uses per (opportunity, offer), arrays (n, K), before anyone has answered.

    ``forecast.quantities`` holds P(take-up) as ``response`` and, given take-up, the expectations of P (``amount``),
    P n (``amount_months``), m (``interest_months``), n (``term_months``) and average arrears, shaped as
    ``monthly_rate_pp``. The scenario of the assumptions multiplies arrears, the funding rate, and take-up as volume.
    """
    response, amount, amount_months, interest_months, term, arrears = (forecast.quantities[name] for name in QUANTITIES)
    response = np.minimum(response * assumptions.scenario.volume, 1.0)
    return _value(
        interest=response * interest_months * (monthly_rate_pp / 100.0),
        amount=response * amount,
        amount_months=response * amount_months,
        term_months=response * term,
        arrears=response * arrears * assumptions.scenario.loss,
        contacted=1.0,
        funding=assumptions.funding.value * assumptions.scenario.funding,
        assumptions=assumptions,
        currency=currency,
    )


def realised_value(
    taken: np.ndarray,
    outcomes: dict[str, np.ndarray],
    assumptions: Assumptions,
    currency: str,
    contacted: np.ndarray | float = 1.0,
) -> Value:
    """Return lifetime lines and uses per customer (n,) from booked outcomes; zero where ``taken`` is 0.

    ``outcomes`` holds ``interest``, ``amount_lent``, ``amount_months``, ``term_months`` and ``arrears``. An amount of
    a taker that is not known stays NaN and is never counted as zero. Who was not ``contacted`` (n,) got no letter.
    """
    booked = {name: np.where(taken == 1, values, 0.0) for name, values in outcomes.items()}
    return _value(
        interest=booked["interest"],
        amount=booked["amount_lent"],
        amount_months=booked["amount_months"],
        term_months=booked["term_months"],
        arrears=booked["arrears"],
        contacted=contacted,
        funding=assumptions.funding.value,
        assumptions=assumptions,
        currency=currency,
    )


def _value(
    *,
    interest: np.ndarray,
    amount: np.ndarray,
    amount_months: np.ndarray,
    term_months: np.ndarray,
    arrears: np.ndarray,
    contacted: np.ndarray | float,
    funding: float,
    assumptions: Assumptions,
    currency: str,
) -> Value:
    letters = np.ones_like(interest) * contacted
    lines = {
        "interest": interest,
        "arrears": -assumptions.loss_weight.value * arrears,
        "funding": -(funding / 24.0) * (amount_months + amount),
        "servicing": -assumptions.servicing.value * term_months,
        "mailing": -assumptions.mailing.value * letters,
    }
    uses = {"contacts": letters, "amount_lent": amount, "expected_loss": arrears}
    return Value(lines=lines, uses=uses, basis="lifetime", currency=currency)
