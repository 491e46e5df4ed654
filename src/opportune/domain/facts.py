"""Facts: the feature values of one customer or of many, with the instant at which they were known."""

import msgspec
import numpy as np

from opportune.domain.asof import AsOf


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Feature values in the order of a batch of n opportunities.

    ``values`` maps a feature to an array of n: float64 with NaN where unknown, or objects (text) with None.
    ``known_at`` maps a feature to the arrival time of its newest fact per row, as datetime64[us]; NaT where none.
    """

    opportunity_id: np.ndarray
    as_of: AsOf
    values: dict[str, np.ndarray]
    known_at: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.opportunity_id)

    def take(self, rows: np.ndarray) -> "Facts":
        """Return the facts of the given rows (indices or mask)."""
        return Facts(
            opportunity_id=self.opportunity_id[rows],
            as_of=self.as_of,
            values={name: values[rows] for name, values in self.values.items()},
            known_at={name: times[rows] for name, times in self.known_at.items()},
        )
