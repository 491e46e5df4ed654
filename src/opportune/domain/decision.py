"""A decision: what was chosen, how likely it was, what else could have been, and why."""

import msgspec

from opportune.domain.asof import AsOf
from opportune.domain.offer import Offer


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The immutable record of one choice. ``eligible`` lists the offer ids that competed, ``NO_OFFER`` included."""

    decision_id: str
    opportunity_id: str
    customer_id: str
    decided_at: AsOf
    offer: Offer
    probability: float
    value: float
    eligible: tuple[str, ...]
    reasons: tuple[str, ...]
    expires_at: AsOf | None
    release: str
