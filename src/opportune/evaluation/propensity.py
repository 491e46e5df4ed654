"""Probabilities of logged offers, estimated as shares within the strata in which they were drawn."""

import numpy as np


def estimate_propensities(action: np.ndarray, stratum: np.ndarray, offers: int) -> np.ndarray:
    """Return P(offer) per row (n, K): the share of each offer among all decisions of the row's stratum.

    Decisions with ``action`` -1 (outside the catalogue) count too, so a stratum's shares sum to one less the share of
    those: with shares among the others alone, every weighted sum over all decisions would be too small.

    The estimate treats the offer as drawn at random within a stratum; ``balance`` tests that.
    """
    names, codes = np.unique(stratum.astype(str), return_inverse=True)
    counts = np.zeros((len(names), offers))
    inside = action >= 0
    np.add.at(counts, (codes[inside], action[inside]), 1.0)
    shares = counts / np.bincount(codes, minlength=len(names))[:, None]
    return np.asarray(shares[codes])
