"""The asymptotic confidence sequence: an interval for a mean that stays right however often it is looked at.

Normal mixture of Robbins (1970) with an estimated variance (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
"Time-uniform central limit theory and asymptotic confidence sequences", theorem 2.2). The mean of n independent values
with standard deviation s lies, for all n at once, with probability ``level`` within

    s x sqrt((n rho^2 + 1) / (n^2 rho^2) x log((n rho^2 + 1) / alpha^2)),   alpha = 1 - level

as n grows. It is tightest near the n that ``rho`` is tuned for. At few values it is no more than approximate.
"""

import numpy as np


def asymptotic_radius(n: np.ndarray, deviation: np.ndarray, *, level: float, tuned_for: float) -> np.ndarray:
    """Return half the width of the sequence at n values (array) with standard deviation ``deviation`` (array).

    ``tuned_for`` is the n at which the width matters most, chosen before looking.
    """
    alpha = 1.0 - level
    rho2 = (-2.0 * np.log(alpha) + np.log(-2.0 * np.log(alpha) + 1.0)) / tuned_for
    inside = n * rho2 + 1.0
    return np.asarray(deviation * np.sqrt(inside / (n**2 * rho2) * np.log(inside / alpha**2)))
