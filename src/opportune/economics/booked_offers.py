"""Value of instalment loans from what was booked: the same lines as of what was expected, undiscounted.

Nothing is displaced in them and there is no baseline: what would have happened otherwise was not booked, and evidence
compares policies, decision for decision. The discount of a loan bought above its value is in no line: its loss and its
accretion cancel. Whether the goods went back is not booked either: of the fees the assumed share ``refunded`` is given
back, as it is in the forecast.
"""

import numpy as np

from opportune.domain import Value
from opportune.economics.instalment_offers import InstalmentAssumptions
from opportune.economics.lifetime import CAPITAL_LINE

BOOKED = ("amount_lent", "interest", "net_loss", "balance_years", "payments_made", "months_open", "paid")
"""Columns of `outcomes`, of the whole loan: principal, interest paid, balance lost less recoveries, balance times years
until paid or charged off, payments made, months served, and all money paid before charge-off."""


def realised_offers(
    taken: np.ndarray,
    outcomes: dict[str, np.ndarray],
    given: InstalmentAssumptions,
    currency: str,
    contacted: np.ndarray | float = 1.0,
) -> Value:
    """Return lines and uses per decision (n,) from booked outcomes, those of ``BOOKED``; zero where ``taken`` is 0.

    An amount of a taker that is not known stays NaN and is never counted as zero. Who was not ``contacted`` (n,) cost
    no letter. The provision at origination is no outcome and in no use.
    """
    booked = {name: np.where(taken == 1, outcomes[name], 0.0) for name in BOOKED}
    terms, figure = given.loans.terms, given.loans.figure
    kept, bought, made = 1.0 - terms["sold"], 1.0 - terms["refunded"], np.where(taken == 1, 1.0, 0.0)
    lent, held = booked["amount_lent"], kept * booked["balance_years"]
    gmv = lent / (1.0 - terms["down_payment"])
    letters = np.ones_like(lent) * contacted
    lines = {
        "merchant_fee": bought * (terms["mdr"] * gmv - terms["incentive"] * made),
        "card_network": bought * terms["interchange"] * gmv,
        "interest": kept * booked["interest"],
        "late_fees": kept * figure("late_fee") * figure("late_share") * booked["payments_made"],
        "gain_on_sale": terms["sold"] * (terms["sale_price"] - 1.0) * lent,
        "servicing_income": figure("servicing_fee") * terms["sold"] * booked["balance_years"],
        "credit_loss": -kept * booked["net_loss"],
        "funding_cost": -figure("cost_of_funds") * figure("advance_rate") * held,
        "processing": -figure("origination") * made
        - figure("processing_per_payment") * booked["payments_made"]
        - figure("processing_share") * booked["paid"],
        "servicing": -figure("servicing") * booked["months_open"],
        "contact": -figure("contact") * letters,
        "acquisition": -figure("acquisition") * made,
        CAPITAL_LINE: -figure("cost_of_equity") * figure("capital_ratio") * held,
    }
    exposure = held / ((terms["first_period"] + terms["payments"] - 1.0) / terms["per_year"])
    uses = {
        "exposure": exposure, "capital": figure("capital_ratio") * exposure, "expected_loss": kept * booked["net_loss"],
        "gmv": gmv, "contacts": letters, "balance_years": held, "amount_lent": lent,
    }  # fmt: skip
    return Value(lines=lines, uses=uses, basis="lifetime", currency=currency)
