"""Decide: the one-row view of the waist, with reasons, expiry and claim."""

from datetime import timedelta
from hashlib import sha256

from opportune.allocation import unit_charges
from opportune.decisioning.candidates import candidates
from opportune.decisioning.choose import choose
from opportune.decisioning.release import Release
from opportune.domain import (
    NO_OFFER,
    NO_OFFER_ID,
    AsOf,
    Candidates,
    Decision,
    Facts,
    Offer,
    Opportunities,
    Opportunity,
)
from opportune.offers import failed_reasons


def decide(opportunity: Opportunity, facts: Facts, release: Release) -> Decision:
    """Return the decision for one opportunity, from facts fetched before and the prices sealed in the release.

    A list campaign uses the rows of its plan instead; the two differ on the few customers that the certificate
    counts as repaired.
    """
    batch = Opportunities.of(opportunity)
    options = candidates(batch, facts, release.rulebook)
    chosen = choose(options, unit_charges(release.limits, release.manifest.prices, options.attributes))
    step = int(chosen.choice[0])
    offer = NO_OFFER if step < 0 else _offer(opportunity, step, release)
    return Decision(
        decision_id=_decision_id(opportunity, release),
        opportunity_id=opportunity.opportunity_id,
        customer_id=opportunity.customer_id,
        decided_at=opportunity.at,
        offer=offer,
        probability=1.0,
        value=0.0 if step < 0 else float(options.value[0, step]),
        eligible=_eligible_ids(options),
        reasons=_reasons(options, facts, step, release),
        expires_at=None if step < 0 else _expiry(opportunity.at, release),
        release=release.manifest.hash,
    )


def _decision_id(opportunity: Opportunity, release: Release) -> str:
    key = f"{release.manifest.hash}|{opportunity.opportunity_id}|{opportunity.slot}"
    return sha256(key.encode()).hexdigest()[:32]


def _offer(opportunity: Opportunity, step: int, release: Release) -> Offer:
    catalogue = release.rulebook.catalogue
    return catalogue.offer(step, str(opportunity.context[catalogue.catalogue.price.band]))


def _eligible_ids(options: Candidates) -> tuple[str, ...]:
    offers = zip(options.offer_ids, options.eligible[0], strict=True)
    return (*(offer_id for offer_id, eligible in offers if eligible), NO_OFFER_ID)


def _reasons(options: Candidates, facts: Facts, step: int, release: Release) -> tuple[str, ...]:
    """Return why there is no offer; an offer needs no reason. The step that decided gives the reason."""
    if step >= 0:
        return ()
    if options.eligible[0].any():
        return ("no offer is worth its cost under the limits of the release",)
    failed = failed_reasons(release.rulebook.eligibility, facts.values)
    return failed or (
        "no offer of the catalogue exists for this band and surface, or none has a forecast that a loan can have",
    )


def _expiry(at: AsOf, release: Release) -> AsOf:
    return AsOf(at.at + timedelta(days=release.rulebook.catalogue.catalogue.expires_after_days))
