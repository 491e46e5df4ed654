"""Candidates: all that the allocator ever sees."""

import msgspec
import numpy as np


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays over n opportunities and K offers; ``NO_OFFER`` is implied, with value and uses zero, always eligible.

    ``eligible`` is a mask (n, K); ``value`` and each array of ``uses`` have shape (n, K), float64. Entries where
    ``eligible`` is false are zero.
    """

    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    offer_ids: tuple[str, ...]
    eligible: np.ndarray
    value: np.ndarray
    uses: dict[str, np.ndarray]
    currency: str

    def __len__(self) -> int:
        return len(self.opportunity_id)

    def __post_init__(self) -> None:
        shape = (len(self.opportunity_id), len(self.offer_ids))
        for name, array in {"eligible": self.eligible, "value": self.value, **self.uses}.items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}: expected {shape} (opportunities, offers)")
