"""Customers left alone: how decisions that offered nothing enter the log, and what they say of a policy.

Such a decision names ``NO_OFFER`` and has no price. It teaches no model, uses nothing that a limit is about, and its
outcome is what the customer did unasked. Where the log of a list holds some, ``NO_OFFER`` is one more offer of the log,
behind those of the catalogue; where it holds none, whoever a policy leaves alone counts as 0, as evidence.toml says.
"""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, Value
from opportune.evaluation import LoggedDecisions
from opportune.workflow.evidence_spec import EvidenceSpec, PolicySpec, Versus

if TYPE_CHECKING:
    from opportune.tables import Engine

NOBODY = PolicySpec(name="nobody", kind="nobody", says="nobody is contacted")


def offer_sql(engine: "Engine") -> str:
    """Return the SQL of a decision's offer, null where the project leaves it to the price."""
    return "d.offer_id" if "offer_id" in engine.columns("decisions") else "NULL::VARCHAR"


def offered_nothing(offer_id: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the decisions that offered nothing: a price that is missing does not say so."""
    return np.asarray(offer_id == NO_OFFER_ID, dtype=bool)


def with_left_alone(logged: LoggedDecisions, left_alone: np.ndarray, probability: np.ndarray) -> LoggedDecisions:
    """Return the log with ``NO_OFFER`` as its last offer, made in the rows of a mask (n,) with ``probability`` (n,).

    A log in which nobody was left alone stays as it is: nothing could be said of a choice that was never made, so its
    probability counts with that of offers outside the catalogue.
    """
    if not left_alone.any():
        return msgspec.structs.replace(logged, outside=logged.outside + probability)
    return msgspec.structs.replace(
        logged,
        offer_ids=(*logged.offer_ids, NO_OFFER_ID),
        action=np.where(left_alone, len(logged.offer_ids), logged.action),
        eligible=np.column_stack([logged.eligible, np.ones(len(logged), dtype=bool)]),
        probability=np.column_stack([logged.probability, probability]),
    )


def beside(of_offers: np.ndarray, logged: LoggedDecisions, of_nobody: np.ndarray | float = 0.0) -> np.ndarray:
    """Return an array (n, K) over the catalogue with the column (n,) of ``NO_OFFER``, where the log has it."""
    if logged.no_offer is None:
        return of_offers
    return np.column_stack([of_offers, np.broadcast_to(of_nobody, len(logged))])


def uses_of_offers(value: Value, left_alone: np.ndarray) -> Value:
    """Return booked value whose uses are zero where nothing was offered: limits are about what offers use."""
    uses = {name: np.where(left_alone, 0.0, amounts) for name, amounts in value.uses.items()}
    return msgspec.structs.replace(value, uses=uses)


def with_nobody(spec: EvidenceSpec) -> EvidenceSpec:
    """Return the evidence that judges nobody too, unless it does: the plan less nobody is what contacts cause."""
    if any(policy.kind == NOBODY.kind or policy.name == NOBODY.name for policy in spec.policy):
        return spec
    plan = next(policy.name for policy in spec.policy if policy.is_plan)
    return msgspec.structs.replace(
        spec,
        policy=(*spec.policy, NOBODY),
        compare=(*spec.compare, Versus(policy=plan, against=NOBODY.name)),
        headline=((plan, NOBODY.name), *spec.headline),
    )


def assumed(stated: str, left_alone: int) -> str:
    """Return what a customer who is not contacted counts as: as ``stated``, or as observed."""
    if not left_alone:
        return stated
    return (
        f"A customer who is not contacted counts as observed in {left_alone:,} decisions that offered nothing. "
        "The figures hold what customers do unasked; a policy less that of contacting nobody is what contacts cause."
    )
