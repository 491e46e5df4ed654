"""Value of offers of instalment loans: from what is forecast of each offer to incremental lifetime lines and uses.

P(take-up) and the principal come from models, the hazards from the curves of the customer's band, the rate from the
offer, everything else from the assumptions. A role ``risk`` (a multiple of the band's default hazards, for this
customer and this offer) may come from a model too. Lines are discounted and incremental (`incremental`): what takers
would have borrowed anyway and what is earned without an offer come off, and the cost of equity is charged once, so that
the sum of the lines is what a plan maximises.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import Finding, Forecast, Value, resource_in
from opportune.economics.assumptions import AS_ASSUMED, Assumption, Scenario
from opportune.economics.curves import Curves
from opportune.economics.incremental import Displaced, incremental
from opportune.economics.lifetime import USES, LifetimeValue, lifetime_value
from opportune.economics.lifetime_assumptions import LifetimeAssumptions, check_lifetime_assumptions
from opportune.economics.loans import Loans

PriceIs = Literal["rate", "rate_pp", "monthly_rate_pp"]
PER_YEAR: dict[PriceIs, float] = {"rate": 1.0, "rate_pp": 0.01, "monthly_rate_pp": 0.12}
"""What the price of an offer is multiplied with to be a nominal fraction a year."""
OFFER_TERMS = (
    "payments", "per_year", "first_period", "flat", "down_payment", "mdr", "interchange", "incentive", "market_rate",
    "sold", "sale_price", "refunded",
)  # fmt: skip
"""The terms that are the same for every offer; ``down_payment`` is a share of the goods. ``risk`` may stand beside."""
OFFER_UNITS = {"organic": "fraction", "baseline": "per opportunity"}
"""What the unit of each figure beside those of lifetime value must say."""
SAYS = (
    "Contribution is what loans earn over their life, from merchants, interest, late fees and sales of loans, less "
    "credit loss, funding, processing, servicing, contact, acquisition and the cost of equity. Plans reckon with it "
    "discounted and less what would have come without the offer; evidence counts it as booked."
)
"""What the sum of the lines is, for readers of a report."""
OFFER_RESOURCES = (*USES, "amount_lent")
Rows = tuple[tuple[float, ...], ...]


class CurveTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Curves as plain numbers, so that a release can hold them; see `Curves`. ``by``: the context column whose values
    are the segments, or nothing, where one segment is of everybody.
    """

    by: tuple[str, ...]
    segments: tuple[str, ...]
    default: Rows
    prepay: Rows
    recovery: Rows
    charge_off_lag: int

    def curves(self) -> Curves:
        """Return the curves as arrays."""
        return Curves(
            segments=self.segments, default=np.array(self.default), prepay=np.array(self.prepay),
            recovery=np.array(self.recovery), charge_off_lag=self.charge_off_lag,
        )  # fmt: skip


class InstalmentAssumptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    tag_field="kind", tag="instalment",
):  # fmt: skip
    """What the value of an offer needs besides its forecast.

    ``price_is`` says what the catalogue's price is: a nominal rate a year as a fraction or in percentage points, or a
    monthly rate in percentage points. ``organic``: share of takers who would have taken the same loan anyway.
    ``baseline``: money earned of an opportunity without any offer. ``scenario`` holds for expectations; ``beside`` are
    those in which uses are wanted too, because some limit must hold in them.
    """

    loans: LifetimeAssumptions
    curves: CurveTable
    price_is: PriceIs
    organic: Assumption
    baseline: Assumption
    scenario: Scenario = AS_ASSUMED
    beside: tuple[Scenario, ...] = ()

    @property
    def quantities(self) -> tuple[str, ...]:
        """The roles of models.toml that a forecast must hold: ``risk`` where no constant says it."""
        return ("response", "amount") if "risk" in self.loans.terms else ("response", "amount", "risk")

    @property
    def resources(self) -> dict[str, tuple[str, ...]]:
        """The limited resources that an offer uses, each with the quantities that it depends on."""
        known = {"contacts": (), "gmv": ("response", "amount"), "amount_lent": ("response", "amount")}
        return {name: known.get(name, self.quantities) for name in OFFER_RESOURCES}


def offers_value(
    forecast: Forecast, price: np.ndarray, band: np.ndarray, given: InstalmentAssumptions, currency: str
) -> Value:
    """Return incremental lifetime lines, discounted, and uses per offer, in the shape of ``price``, (n,) or (n, K).

    ``band`` (n,) names the customer's segment of the curves. Where it has none, the price is not known, or the forecast
    is one that no loan can have (P(take-up) or risk below zero, no principal, not a number), lines and uses are NaN:
    such an offer cannot be eligible, and the others are valued. Uses in the scenarios ``beside`` are named
    ``NAME in SCENARIO``. BadInput, as of `value`, for terms that no loan can have.
    """
    value = _in_scenario(forecast, price, band, given, given.scenario, currency)
    uses = dict(value.uses)
    for scenario in given.beside:
        there = _in_scenario(forecast, price, band, given, scenario, currency)
        uses |= {resource_in(name, scenario.name): amounts for name, amounts in there.uses.items()}
    return msgspec.structs.replace(value, uses=uses)


def _in_scenario(
    forecast: Forecast, price: np.ndarray, band: np.ndarray, given: InstalmentAssumptions, scenario: Scenario,
    currency: str,
) -> Value:  # fmt: skip
    curves = given.curves.curves()
    place = {name: code for code, name in enumerate(curves.segments)} if given.curves.by else {}
    other = -1 if given.curves.by else 0
    code = np.array([place.get(str(name), other) for name in band], dtype=np.int64)
    segment = np.broadcast_to(code if price.ndim == 1 else code[:, None], price.shape)
    known = (segment >= 0) & np.isfinite(price) & _can_be(forecast, given)
    loans = _loans(forecast, price, segment, known, given, currency)
    # More loans come of the same offers: volume is P(take-up), and no loan is larger for it.
    assumed = msgspec.structs.replace(given.loans, in_scenario=msgspec.structs.replace(scenario, volume=1.0))
    take_up = np.minimum(forecast.quantities["response"][known] * scenario.volume, 1.0)
    made = lifetime_value(loans, curves, assumed)
    organic = Displaced(kind="organic order", share=np.full(len(loans), given.organic.value), value=_uncontacted(made))
    added = incremental(made, take_up, [organic], np.full(len(loans), given.baseline.value))
    uses = {**added.value.uses, "amount_lent": take_up * loans.principal}
    lines, used = (_spread(amounts, known) for amounts in (added.discounted, uses))
    return Value(lines=lines, uses=used, basis="lifetime", currency=currency)


def _can_be(forecast: Forecast, given: InstalmentAssumptions) -> np.ndarray:
    """Return which forecasts a loan can have, in their shape."""
    held = np.isfinite([forecast.quantities[name] for name in given.quantities]).all(axis=0)
    held &= (forecast.quantities["response"] >= 0.0) & (forecast.quantities["amount"] > 0.0)
    return np.asarray(held & (forecast.quantities["risk"] >= 0.0) if "risk" in given.quantities else held)


def _loans(
    forecast: Forecast, price: np.ndarray, segment: np.ndarray, known: np.ndarray, given: InstalmentAssumptions,
    currency: str,
) -> Loans:  # fmt: skip
    """Return the loan of each known (opportunity, offer), in one row."""
    terms, principal = given.loans.terms, forecast.quantities["amount"][known]
    same = {name: np.full(len(principal), terms[name]) for name in OFFER_TERMS if name != "down_payment"}
    risk = forecast.quantities["risk"][known] if "risk" not in terms else np.full(len(principal), terms["risk"])
    row, *offer = np.nonzero(known)
    return Loans(
        loan_id=row if not offer else np.array([f"{i}/{k + 1}" for i, k in zip(row, offer[0], strict=True)]),
        principal=principal, rate=price[known] * PER_YEAR[given.price_is], segment=segment[known], risk=risk,
        gmv=principal / (1.0 - terms["down_payment"]), currency=currency, **same,
    )  # fmt: skip


def _uncontacted(made: LifetimeValue) -> LifetimeValue:
    """Return the value of the same loans where nobody is written to: those who come by themselves."""
    plain, discounted = ({**lines, "contact": np.zeros(len(made))} for lines in (made.value.lines, made.discounted))
    return msgspec.structs.replace(made, value=msgspec.structs.replace(made.value, lines=plain), discounted=discounted)


def _spread(amounts: dict[str, np.ndarray], known: np.ndarray) -> dict[str, np.ndarray]:
    """Return amounts of the known offers at their places, NaN elsewhere."""
    spread = {}
    for name, each in amounts.items():
        spread[name] = np.full(known.shape, np.nan)
        spread[name][known] = each
    return spread


def check_instalment(given: InstalmentAssumptions) -> Iterator[Finding]:
    """Yield findings about figures (OP402, OP403) and about terms that are missing or unknown (OP475)."""
    for finding in check_lifetime_assumptions(given.loans):
        yield msgspec.structs.replace(finding, source=SOURCE)
    for name, words in OFFER_UNITS.items():
        figure = getattr(given, name)
        if words not in figure.unit:
            message = f"is {figure.unit!r}: expected a unit that says {words!r}, because the formula reckons with it"
            yield _finding("OP402", f"{name}.unit", message, "convert the value, then write the unit")
    if given.organic.value > 1.0:
        yield _finding("OP403", "organic.value", f"is {given.organic.value:g}: expected a share up to 1", FRACTION)
    allowed = (*OFFER_TERMS, "risk")
    for name in (name for name in OFFER_TERMS if name not in given.loans.terms):
        yield _finding("OP475", f"terms.{name}", "is missing: nothing is assumed unseen", f"write {name} under [terms]")
    for name in (name for name in given.loans.terms if name not in allowed):
        yield _finding("OP475", f"terms.{name}", f"is no term of an offer: expected {', '.join(allowed)}", "correct it")
    if not 0.0 <= given.loans.terms.get("down_payment", 0.0) < 1.0:
        yield _finding("OP475", "terms.down_payment", "is no share below 1 of the goods", FRACTION)


SOURCE = "economics.toml"
FRACTION = "write per cent as a fraction, 14 % as 0.14"


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=SOURCE, subject=subject, message=message, next_step=step)
