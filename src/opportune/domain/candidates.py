"""Candidates: all that the allocator ever sees."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec
import numpy as np

BLOCK = 32_768


class CandidateBlocks(Protocol):
    """Candidates that may be larger than memory, read in blocks; ``Candidates`` is one in memory."""

    @property
    def offer_ids(self) -> tuple[str, ...]:
        """The catalogue's offers."""
        ...

    def __len__(self) -> int: ...

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of what offers use."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the attributes of opportunities."""
        ...

    def blocks(self) -> "Iterator[Candidates]":
        """Yield the candidates of successive opportunities; each call begins anew."""
        ...

    def attribute_blocks(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield the attributes of successive opportunities, without their offers."""
        ...


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays over n opportunities and K offers; ``NO_OFFER`` is implied, with value and uses zero, always eligible.

    ``eligible`` is a mask (n, K); ``value`` and each array of ``uses`` have shape (n, K), float64. Entries where
    ``eligible`` is false are zero. ``attributes`` holds columns (n,) of the opportunities that limits may be about:
    context, surface, and ``at``.
    """

    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    offer_ids: tuple[str, ...]
    eligible: np.ndarray
    value: np.ndarray
    uses: dict[str, np.ndarray]
    currency: str
    attributes: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.opportunity_id)

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of what offers use."""
        return tuple(self.uses)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the attributes of opportunities."""
        return tuple(self.attributes)

    def rows(self, part: slice | np.ndarray) -> "Candidates":
        """Return the candidates of some opportunities, as views where ``part`` is a slice."""
        return msgspec.structs.replace(
            self, opportunity_id=self.opportunity_id[part], customer_id=self.customer_id[part], slot=self.slot[part],
            eligible=self.eligible[part], value=self.value[part],
            uses={name: amounts[part] for name, amounts in self.uses.items()},
            attributes={name: values[part] for name, values in self.attributes.items()},
        )  # fmt: skip

    def blocks(self) -> "Iterator[Candidates]":
        """Yield views of successive opportunities, small enough for a processor's cache."""
        for start in range(0, len(self), BLOCK):
            yield self.rows(slice(start, start + BLOCK))

    def attribute_blocks(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield the attributes of all opportunities."""
        yield self.attributes

    def __post_init__(self) -> None:
        shape = (len(self.opportunity_id), len(self.offer_ids))
        for name, array in {"eligible": self.eligible, "value": self.value, **self.uses}.items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}: expected {shape} (opportunities, offers)")
