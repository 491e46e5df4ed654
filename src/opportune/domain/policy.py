"""A policy: one protocol for champion, challenger, rule and replay."""

from typing import Protocol

import numpy as np


class Policy(Protocol):
    """Gives each offer a probability: an array (n, K) whose rows sum to at most 1; the rest is ``NO_OFFER``."""

    name: str

    def probabilities(self, eligible: np.ndarray) -> np.ndarray:
        """Return P(offer) for each opportunity, zero where ``eligible`` (n, K) is false."""
        ...
