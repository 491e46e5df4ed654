"""An outcome: what happened after a decision, and up to when it was watched."""

import msgspec

from opportune.domain.asof import AsOf


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """``observed_until`` separates "did not happen" from "not yet known"; a value of None is not yet known."""

    decision_id: str
    observed_until: AsOf
    values: dict[str, float | None]

    def known_at(self, at: AsOf) -> bool:
        """Whether this outcome was fully observed by ``at``."""
        return self.observed_until <= at
