"""The logistic link and its inverse, elementwise, so that one row and many give the same bits."""

import numpy as np


def expit(eta: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-eta)), computed from exp(-|eta|) so that it never overflows."""
    small = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, small) / (1.0 + small))


def logit(p: np.ndarray) -> np.ndarray:
    """Return log(p / (1 - p)) for p in (0, 1)."""
    return np.asarray(np.log(p) - np.log1p(-p))
