"""Probabilities of logged offers, estimated as shares within the strata in which they were drawn."""

import numpy as np


def estimate_propensities(action: np.ndarray, stratum: np.ndarray, offers: int) -> np.ndarray:
    """Return P(offer) per row (n, K): the share of each offer among the decisions of the row's stratum.

    Rows with ``action`` -1 (outside the catalogue) count in no share, so a stratum's shares sum to one; they get the
    shares of their stratum too. A stratum without any decision inside the catalogue gets zeros.

    The estimate treats the offer as drawn at random within a stratum; ``balance`` tests that.
    """
    names, codes = np.unique(stratum.astype(str), return_inverse=True)
    counts = np.zeros((len(names), offers))
    inside = action >= 0
    np.add.at(counts, (codes[inside], action[inside]), 1.0)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return np.asarray(shares[codes])
