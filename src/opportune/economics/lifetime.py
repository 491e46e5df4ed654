"""Lifetime value: what a loan is expected to earn over its life, line by line, before it is made.

A loan has n payments, q a year. Letters: B_t balance after payment t, i_t interest due, d_t and p_t the hazards of
default and of full prepayment, a_t the probability of being open at the start of period t (a_1 = 1 - refunded,
a_(t+1) = a_t (1 - d_t - p_t)), k the share kept, D the discount, lag the months from default to charge-off, u_t the
length of period t in years. Who defaults in t owes B_(t-1) and pays nothing more but recoveries; who prepays in t pays
what is due and the rest. Monthly hazards h become 1 - (1 - h)^(12/q) for other periods.

- merchant_fee     = (1 - refunded) (mdr gmv - incentive)
- card_network     = (1 - refunded) interchange gmv
- interest         = k (sum_t a_t (1 - d_t) i_t + D); D = max(P - value of the payments at the market rate, 0) is
  amortised by the effective-interest method, and what is left of it is taken when a loan ends early
- late_fees        = k late_fee late_share sum_t a_t (1 - d_t)
- gain_on_sale     = sold (sale_price P - (P - D))
- servicing_income = servicing_fee sold sum_t a_t B_(t-1) u_t
- loss_on_purchase = - D
- credit_loss      = - k sum_t a_t d_t B_(t-1) (1 - recovered)
- funding_cost     = - cost_of_funds advance_rate balance_years
- processing       = - origination - processing_per_payment sum_t a_t (1 - d_t) - processing_share x money paid
- servicing        = - servicing x months open, until charge-off
- RLTC is the sum of these; contribution = RLTC + contact + acquisition (negative), + cost_of_equity if it is cash
- cost_of_equity   = - cost_of_equity capital_ratio balance_years; balance_years = k (sum_t a_t B_(t-1) u_t + sum_t
  a_t d_t B_(t-1) lag / 12)

Terms and the form of RLTC: Affirm Holdings, annual report 2025, and investor presentation, "Transaction Costs".
Discounted lines count each line when it is booked: fees, discount and contact at once, interest and payments when paid,
balances as they are held, losses at charge-off, recoveries when received. Principal is not discounted: what it costs to
hold it is the funding line.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding, Value
from opportune.economics.assumptions import Scenario
from opportune.economics.curves import Curves, check_curves
from opportune.economics.lifetime_assumptions import CapitalIs, LifetimeAssumptions
from opportune.economics.loans import Loans

REVENUE = ("merchant_fee", "card_network", "interest", "late_fees", "gain_on_sale", "servicing_income")
TRANSACTION_COSTS = ("loss_on_purchase", "credit_loss", "funding_cost", "processing", "servicing")
RLTC_LINES = (*REVENUE, *TRANSACTION_COSTS)
CAPITAL_LINE = "cost_of_equity"
USES = ("exposure", "capital", "expected_loss", "provision_at_origination", "gmv", "contacts", "balance_years")
BLOCK = 1_000_000
"""Loans valued at a time, so that memory does not grow with the file."""
Allowance = Literal["lifetime", "stages"]


class LifetimeValue(msgspec.Struct, frozen=True, kw_only=True):
    """Lines per loan (n,), undiscounted (``value``) and ``discounted``, and uses of limited resources.

    ``capital_is`` tells whether the line cost_of_equity is cash or a hurdle.
    """

    value: Value
    discounted: dict[str, np.ndarray]
    capital_is: CapitalIs

    def __len__(self) -> int:
        return len(next(iter(self.value.lines.values())))

    def rltc(self, *, discounted: bool) -> np.ndarray:
        """Return revenue less transaction costs (n,)."""
        return _sum(self._lines(discounted), RLTC_LINES)

    def contribution(self, *, discounted: bool) -> np.ndarray:
        """Return RLTC less contact and acquisition, and less the cost of equity where that is cash (n,).

        Of an incremental value also less what is displaced and the baseline.
        """
        lines = self._lines(discounted)
        return _sum(lines, tuple(name for name in lines if name != CAPITAL_LINE or self.capital_is == "cash"))

    def objective(self) -> np.ndarray:
        """Return discounted contribution less the capital charge (n,): what a plan maximises unless told otherwise."""
        return _sum(self.discounted, tuple(self.discounted))

    def _lines(self, discounted: bool) -> dict[str, np.ndarray]:
        return self.discounted if discounted else self.value.lines


def _sum(lines: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    total = np.zeros_like(lines[names[0]])
    for name in names:
        total = total + lines[name]
    return total


def lifetime_value(
    loans: Loans, curves: Curves, assumptions: LifetimeAssumptions, *, allowance: Allowance = "lifetime"
) -> LifetimeValue:
    """Return the expected lifetime lines and uses of each loan. BadInput for curves that cannot be (OP430 to OP432),
    for curves shorter than a loan (OP455), and for two currencies (OP452).

    ``allowance`` says what is provided at origination: the expected loss of the ``lifetime``, or of the first year
    (``stages``, IFRS 9 stage 1).
    """
    refuse_unfit(loans, curves, assumptions)
    sums = _walked(loans, stressed(curves, assumptions.in_scenario), assumptions)
    plain, discounted = (_lines(loans, sums[:, side], assumptions) for side in (0, 1))
    uses = _uses(loans, sums[:, 0], assumptions, allowance)
    value = Value(lines=plain, uses=uses, basis="lifetime", currency=loans.currency)
    return LifetimeValue(value=value, discounted=discounted, capital_is=assumptions.capital_is)


def lifetime_blocks(
    loans: Loans, curves: Curves, assumptions: LifetimeAssumptions, *, allowance: Allowance = "lifetime"
) -> Iterator[LifetimeValue]:
    """Yield the value of a million loans at a time."""
    for start in range(0, len(loans), BLOCK):
        yield lifetime_value(loans.take(slice(start, start + BLOCK)), curves, assumptions, allowance=allowance)


def stressed(curves: Curves, scenario: Scenario) -> Curves:
    """Return the curves in a scenario: hazards multiplied, default first, so that no two of a month exceed one."""
    default = np.minimum(curves.default * scenario.loss, 1.0)
    prepay = np.minimum(curves.prepay * scenario.prepay, 1.0 - default)
    return msgspec.structs.replace(curves, default=default, prepay=prepay)


def refuse_unfit(loans: Loans, curves: Curves, assumptions: LifetimeAssumptions) -> None:
    """Raise BadInput where loans, curves and assumptions cannot be taken together."""
    findings = check_curves(curves)
    longest = int(np.max(np.ceil(loans.payments * 12.0 / loans.per_year - 1e-9), initial=0))
    if not findings and longest > curves.default.shape[1]:
        message = f"cover {curves.default.shape[1]} months: expected {longest}, the longest loan"
        findings.append(_finding("OP455", "curves", message, "fit them on longer loans, or leave these out"))
    if loans.currency != assumptions.currency:
        message = f"is {assumptions.currency}, and the loans are in {loans.currency}: expected one currency"
        findings.append(_finding("OP452", "currency", message, "convert the figures of the assumptions"))
    if findings:
        raise BadInput(findings)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="assumptions", subject=subject, message=message, next_step=step)


def _walked(loans: Loans, curves: Curves, assumptions: LifetimeAssumptions) -> np.ndarray:
    """Return the sums of the walk along each loan, (n, 2, 10)."""
    from opportune.economics._walk import walk

    monthly = (1.0 + assumptions.figure("discount_rate")) ** (-1.0 / 12.0)
    after = monthly ** (curves.charge_off_lag + np.arange(curves.recovery.shape[1]))
    waiting = float(np.sum(monthly ** np.arange(1.0, curves.charge_off_lag + 1.0)))
    sums = np.empty((len(loans), 2, 10))
    columns = [
        np.ascontiguousarray(getattr(loans, name), dtype=np.float64)
        for name in ("principal", "rate", "payments", "per_year", "first_period", "flat")
    ]
    walk(
        *columns,
        np.ascontiguousarray(loans.segment, dtype=np.int64),
        np.ascontiguousarray(loans.market_rate, dtype=np.float64),
        1.0 - loans.sold,
        np.ascontiguousarray(loans.refunded, dtype=np.float64),
        np.ascontiguousarray(curves.default),
        np.ascontiguousarray(curves.prepay),
        np.array([assumptions.figure("discount_rate")]),
        curves.charge_off_lag,
        np.array([monthly**curves.charge_off_lag, waiting]),
        np.column_stack([curves.recovery.sum(axis=1), np.sum(curves.recovery * after, axis=1)]),
        sums,
    )
    return sums


def _lines(loans: Loans, sums: np.ndarray, given: LifetimeAssumptions) -> dict[str, np.ndarray]:
    interest, years, waiting, loss, months, made, paid, discount, _, _ = sums.T
    kept, bought = 1.0 - loans.sold, 1.0 - loans.refunded
    held = kept * (years + waiting)
    funds = given.figure("cost_of_funds") * given.in_scenario.funding * given.figure("advance_rate")
    late = given.figure("late_fee") * given.figure("late_share")
    per_payment, share = given.figure("processing_per_payment"), given.figure("processing_share")
    return {
        "merchant_fee": bought * (loans.mdr * loans.gmv - loans.incentive),
        "card_network": bought * loans.interchange * loans.gmv,
        "interest": interest,
        "late_fees": kept * late * made,
        "gain_on_sale": loans.sold * (loans.sale_price * loans.principal - (loans.principal - discount)),
        "servicing_income": given.figure("servicing_fee") * loans.sold * years,
        "loss_on_purchase": -discount,
        "credit_loss": -loss,
        "funding_cost": -funds * held,
        "processing": -given.figure("origination") - per_payment * made - share * paid,
        "servicing": -given.figure("servicing") * months,
        "contact": np.full(len(loans), -given.figure("contact")),
        "acquisition": np.full(len(loans), -given.figure("acquisition")),
        CAPITAL_LINE: -given.figure("cost_of_equity") * given.figure("capital_ratio") * held,
    }


def _uses(loans: Loans, sums: np.ndarray, given: LifetimeAssumptions, allowance: Allowance) -> dict[str, np.ndarray]:
    held = (1.0 - loans.sold) * (sums[:, 1] + sums[:, 2])
    exposure = held / sums[:, 9]
    return {
        "exposure": exposure,
        "capital": given.figure("capital_ratio") * exposure,
        "expected_loss": sums[:, 3],
        "provision_at_origination": sums[:, 3] if allowance == "lifetime" else sums[:, 8],
        "gmv": np.asarray(loans.gmv, dtype=np.float64),
        "contacts": np.ones(len(loans)),
        "balance_years": held,
    }
