"""Candidates: eligible, then forecast, then value. The only place where the rooms of a decision meet.

Pure and columnar. One row and a million give the same bits: every step is elementwise or adds its terms in a fixed
order, and nothing depends on the other rows of a batch.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from opportune.decisioning.rulebook import Rulebook
from opportune.domain import Candidates, Facts, Forecast, Opportunities, Value
from opportune.economics import InstalmentAssumptions, quantities_of, value_of_offers
from opportune.models import predict_offers
from opportune.offers import eligible_rows


def candidates(batch: Opportunities, facts: Facts, rulebook: Rulebook) -> Candidates:
    """Return eligibility, value and uses of every offer for every opportunity of the batch, arrays (n, K).

    ``facts`` must be in the order of ``batch`` and known at its instant; anything else is a programming error.
    """
    _check_order(batch, facts)
    value = value_offers(batch, facts, rulebook)
    eligible = _eligible(batch, facts, rulebook) & ~_not_known(value, rulebook)
    return Candidates(
        opportunity_id=batch.opportunity_id,
        customer_id=batch.customer_id,
        slot=batch.slot,
        offer_ids=rulebook.catalogue.catalogue.offer_ids,
        eligible=eligible,
        value=np.where(eligible, value.total(), 0.0),
        uses={name: np.where(eligible, amounts, 0.0) for name, amounts in value.uses.items()},
        currency=rulebook.currency,
        attributes=attributes_of(batch),
    )


def _not_known(value: Value, rulebook: Rulebook) -> np.ndarray:
    """Return the offers (n, K) of instalment loans that have no value; of other offers no value is a fault (OP504)."""
    total = value.total()
    return np.isnan(total) if isinstance(rulebook.assumptions, InstalmentAssumptions) else np.zeros_like(total, bool)


def attributes_of(batch: Opportunities) -> dict[str, np.ndarray]:
    """Return the columns (n,) of opportunities that limits may be about: context, surface and instant."""
    at = np.full(len(batch), np.datetime64(batch.at.at.replace(tzinfo=None), "us"))
    return {**batch.context, "surface": batch.surface, "at": at}


def forecast(batch: Opportunities, facts: Facts, rulebook: Rulebook) -> Forecast:
    """Return the expected quantities of every offer, arrays (n, K), with their spread over the bags."""
    terms = _terms(batch, rulebook)
    roles = quantities_of(rulebook.assumptions)
    predicted = {role: predict_offers(rulebook.models[role], facts.values, terms) for role in roles}
    return Forecast(
        quantities={role: mean for role, (mean, _) in predicted.items()},
        spread={role: spread for role, (_, spread) in predicted.items()},
        model=rulebook.model_hash,
    )


def value_offers(batch: Opportunities, facts: Facts, rulebook: Rulebook) -> Value:
    """Return the lifetime lines and uses of every offer, arrays (n, K)."""
    return value_forecast(batch, forecast(batch, facts, rulebook), rulebook)


def value_forecast(batch: Opportunities, predicted: Forecast, rulebook: Rulebook) -> Value:
    """Return the lifetime lines and uses of every offer, arrays (n, K), from a forecast of the batch."""
    price = _terms(batch, rulebook)[rulebook.catalogue.catalogue.price.term]
    return value_of_offers(predicted, price, _band(batch, rulebook), rulebook.assumptions, rulebook.currency)


def value_by_member(batch: Opportunities, facts: Facts, choice: np.ndarray, rulebook: Rulebook) -> Iterator[Value]:
    """Yield lines and uses (n,) of one offer per row (-1: none, all zero) by each bag of the models alone.

    The bags of all roles leave out the same clusters, so the values tell how the sum depends on who taught the models.
    """
    rows = np.flatnonzero(choice >= 0)
    price_term = rulebook.catalogue.catalogue.price.term
    price = _terms(batch, rulebook)[price_term][rows, choice[rows]]
    known = {name: values[rows] for name, values in facts.values.items()}
    band, roles = _band(batch, rulebook)[rows], quantities_of(rulebook.assumptions)
    members = {role: rulebook.models[role].predict_members(known, {price_term: price}) for role in roles}
    for quantities in zip(*members.values(), strict=True):
        one = Forecast(quantities=dict(zip(members, quantities, strict=True)), spread={}, model=rulebook.model_hash)
        value = value_of_offers(one, price, band, rulebook.assumptions, rulebook.currency)
        yield _spread_out(value, rows, len(choice))


def _spread_out(value: Value, rows: np.ndarray, count: int) -> Value:
    """Return a value of some rows as one of all ``count`` rows, zero elsewhere."""

    def whole(amounts: np.ndarray) -> np.ndarray:
        everyone = np.zeros(count)
        everyone[rows] = amounts
        return everyone

    return msgspec.structs.replace(
        value,
        lines={name: whole(line) for name, line in value.lines.items()},
        uses={name: whole(amounts) for name, amounts in value.uses.items()},
    )


def _eligible(batch: Opportunities, facts: Facts, rulebook: Rulebook) -> np.ndarray:
    catalogue = rulebook.catalogue.catalogue
    rows = eligible_rows(rulebook.eligibility, facts.values, len(batch))
    rows &= catalogue.in_catalogue(batch.context[catalogue.price.band])
    rows &= np.isin(batch.surface, catalogue.surfaces)
    return np.repeat(rows[:, None], len(catalogue.offer_ids), axis=1)


def _terms(batch: Opportunities, rulebook: Rulebook) -> dict[str, np.ndarray]:
    return rulebook.catalogue.terms(_band(batch, rulebook))


def _band(batch: Opportunities, rulebook: Rulebook) -> np.ndarray:
    return batch.context[rulebook.catalogue.catalogue.price.band]


def _check_order(batch: Opportunities, facts: Facts) -> None:
    if not np.array_equal(batch.opportunity_id, facts.opportunity_id):
        raise ValueError("facts are not in the order of the batch: expected the same opportunity ids, row by row")
    if batch.at < facts.as_of:
        raise ValueError(f"facts are as of {facts.as_of}, later than the opportunities at {batch.at}")
