"""Lifetime value: what a loan is expected to earn over its life, line by line, before it is made.

A loan has n payments, q a year; payment t falls due T_t = (f + t - 1) / q years after origination, f the length of the
first period in periods. Letters: B_t balance after payment t, i_t interest due, d_t and p_t the shares of the loans
that default and prepay in period t, a_t the share open at its start (a_1 = 1 - refunded, a_(t+1) = a_t - d_t - p_t), k
the share kept, D the discount, lag the months from default to charge-off, u_t = T_t - T_(t-1). Who defaults in t owes
B_(t-1) and pays nothing more but recoveries; who prepays in t pays what is due and the rest.

d_t and p_t come from the monthly hazards, month by month of age: what ends in (T_(t-1), T_t] ends in period t. Within a
month the forces of both are constant, so that the part w of a month with hazards d and p leaves (1 - d - p)^w open, and
those who go default and prepay as d to p. A row's ``risk`` multiplies the default hazards.

- merchant_fee     = (1 - refunded) (mdr gmv - incentive)
- card_network     = (1 - refunded) interchange gmv
- interest         = k (sum_t (a_t - d_t) i_t + D); D = max(P - value of the payments at the market rate, 0) is
  amortised by the effective-interest method (of flat loans in step with the balance), and what is left of it is taken
  when a loan ends early
- late_fees        = k late_fee late_share sum_t (a_t - d_t)
- gain_on_sale     = sold (sale_price P - (P - D))
- servicing_income = servicing_fee sold sum_t a_t B_(t-1) u_t
- loss_on_purchase = - D
- credit_loss      = - k sum_t d_t B_(t-1) (1 - recovered)
- funding_cost     = - cost_of_funds advance_rate balance_years
- processing       = - origination - processing_per_payment sum_t (a_t - d_t) - processing_share x money paid
- servicing        = - servicing x months open, until charge-off
- RLTC is the sum of these; contribution = RLTC + contact + acquisition (negative), + cost_of_equity if it is cash
- cost_of_equity   = - cost_of_equity capital_ratio balance_years; balance_years = k (sum_t a_t B_(t-1) u_t + sum_t
  d_t B_(t-1) lag / 12)

Terms and the form of RLTC: Affirm Holdings, annual report 2025, and investor presentation, "Transaction Costs".
Discounted lines count each line when it is booked: fees, discount and contact at once, interest and payments when paid,
balances as they are held, losses at charge-off, recoveries when received. Principal is not discounted: what it costs to
hold it is the funding line. In a scenario every line is multiplied by its volume, but for the contacts, which are made
whether more loans come of them or fewer.
"""

from collections.abc import Callable, Iterator
from typing import Literal, cast, get_args

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding, Value, errors
from opportune.economics.assumptions import Scenario
from opportune.economics.check_loans import check_loans
from opportune.economics.curves import Curves, check_curves
from opportune.economics.lifetime_assumptions import CapitalIs, LifetimeAssumptions
from opportune.economics.loans import Loans
from opportune.economics.walk import walk as walk_plainly

REVENUE = ("merchant_fee", "card_network", "interest", "late_fees", "gain_on_sale", "servicing_income")
TRANSACTION_COSTS = ("loss_on_purchase", "credit_loss", "funding_cost", "processing", "servicing")
RLTC_LINES = (*REVENUE, *TRANSACTION_COSTS)
CAPITAL_LINE = "cost_of_equity"
CONTACTS = ("contact", "contacts")
"""The line and the use that a contact has whether a loan comes of it or not."""
USES = ("exposure", "capital", "expected_loss", "provision_at_origination", "gmv", "contacts", "balance_years")
FEW = 32
"""Up to so many loans are walked without the compiler."""
BLOCK = 1_000_000
"""Loans valued at a time, so that memory does not grow with the file."""
Allowance = Literal["lifetime", "stages"]


class LifetimeValue(msgspec.Struct, frozen=True, kw_only=True):
    """Lines per loan, (n,) or (n, K), undiscounted (``value``) and ``discounted``, and uses of limited resources.

    ``capital_is`` tells whether the line cost_of_equity is cash or a hurdle. ``of`` tells what a row is: a ``loan``
    that is made, or an ``offer`` less what would have happened without it (`incremental`).
    """

    value: Value
    discounted: dict[str, np.ndarray]
    capital_is: CapitalIs
    of: Literal["loan", "offer"] = "loan"

    def __len__(self) -> int:
        return len(next(iter(self.value.lines.values())))

    def rltc(self, *, discounted: bool) -> np.ndarray:
        """Return revenue less transaction costs."""
        return _sum(self._lines(discounted), RLTC_LINES)

    def contribution(self, *, discounted: bool) -> np.ndarray:
        """Return RLTC less contact and acquisition, and less the cost of equity where that is cash.

        Of an incremental value also less what is displaced and the baseline.
        """
        lines = self._lines(discounted)
        return _sum(lines, tuple(name for name in lines if name != CAPITAL_LINE or self.capital_is == "cash"))

    def economic_profit(self) -> np.ndarray:
        """Return discounted contribution less the charge for equity capital, once, whether it is cash or a hurdle."""
        return _sum(self.discounted, tuple(self.discounted))

    def objective(self) -> np.ndarray:
        """Return what a plan maximises unless told otherwise: the incremental economic profit of each offer.

        ValueError for the value of loans: what a loan earns is not what offering it adds.
        """
        if self.of != "offer":
            raise ValueError("this is the value of loans that are made: expected that of offers, from `incremental`")
        return self.economic_profit()

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
    """Return the expected lifetime lines and uses of each loan, in the loans' shape, (n,) or (n, K).

    ``allowance`` says what is provided at origination: the expected loss of the ``lifetime``, or of the first twelve
    months (``stages``, IFRS 9 stage 1). BadInput: curves that cannot be (OP430 to OP432), loans that cannot be (OP450,
    OP451) or run longer than the curves (OP455), and two currencies (OP452). ValueError for another allowance.
    """
    _refuse_unknown(allowance)
    refuse_unfit(loans, curves, assumptions)
    rows = loans.in_one_row()
    valued = valued_rows(rows, walked(rows, curves, assumptions), assumptions, allowance)
    return valued if len(loans.shape) == 1 else shaped(valued, loans.shape)


def valued_rows(
    loans: Loans, sums: np.ndarray, assumptions: LifetimeAssumptions, allowance: Allowance
) -> LifetimeValue:
    """Return the value of loans (n,) from the ``sums`` of the walk along them, (n, 2, 10)."""
    volume = assumptions.in_scenario.volume
    plain, discounted = (_scaled(_lines(loans, sums[:, side], assumptions), volume) for side in (0, 1))
    uses = _scaled(_uses(loans, sums[:, 0], assumptions, allowance), volume)
    value = Value(lines=plain, uses=uses, basis="lifetime", currency=loans.currency)
    return LifetimeValue(value=value, discounted=discounted, capital_is=assumptions.capital_is)


def shaped(valued: LifetimeValue, shape: tuple[int, ...]) -> LifetimeValue:
    """Return the same value with arrays of another shape."""
    lines, uses, discounted = (
        {name: each.reshape(shape) for name, each in group.items()}
        for group in (valued.value.lines, valued.value.uses, valued.discounted)
    )
    value = msgspec.structs.replace(valued.value, lines=lines, uses=uses)
    return msgspec.structs.replace(valued, value=value, discounted=discounted)


def _scaled(amounts: dict[str, np.ndarray], volume: float) -> dict[str, np.ndarray]:
    return {name: each if volume == 1.0 or name in CONTACTS else volume * each for name, each in amounts.items()}


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
    """Raise BadInput where loans, curves and assumptions cannot be, or cannot be taken together."""
    findings = check_curves(curves) or errors(check_loans(loans, curves))
    if loans.currency != assumptions.currency:
        message = f"is {assumptions.currency}, and the loans are in {loans.currency}: expected one currency"
        findings.append(_finding("OP452", "currency", message, "convert the figures of the assumptions"))
    if findings:
        raise BadInput(findings)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="assumptions", subject=subject, message=message, next_step=step)


def walked(loans: Loans, curves: Curves, assumptions: LifetimeAssumptions) -> np.ndarray:
    """Return the sums of the walk along each loan (n,), shape (n, 2, 10), in the scenario of the assumptions."""
    walk = _walk_for(len(loans))
    curves = stressed(curves, assumptions.in_scenario)
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
        np.ascontiguousarray(loans.risk, dtype=np.float64),
        np.ascontiguousarray(loans.market_rate, dtype=np.float64),
        1.0 - loans.sold,
        np.ascontiguousarray(loans.refunded, dtype=np.float64),
        np.ascontiguousarray(curves.default),
        np.ascontiguousarray(curves.prepay),
        assumptions.figure("discount_rate"),
        curves.charge_off_lag,
        np.array([monthly**curves.charge_off_lag, waiting]),
        np.column_stack([curves.recovery.sum(axis=1), np.sum(curves.recovery * after, axis=1)]),
        sums,
    )
    return sums


def _walk_for(count: int) -> Callable[..., None]:
    """Return the walk as it is for a few loans, so that a service loads no compiler, and compiled for more."""
    if count <= FEW:
        return walk_plainly
    from opportune.economics._compiled_walk import walk

    return cast(Callable[..., None], walk)


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


def _refuse_unknown(allowance: str) -> None:
    """Raise ValueError for a word that would otherwise be taken for the other allowance."""
    if allowance not in get_args(Allowance):
        raise ValueError(f"allowance is {allowance!r}: expected one of {', '.join(get_args(Allowance))}")


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
