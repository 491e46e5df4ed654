"""The difference of two arms as sums that can be added up day by day: what read-outs and power share."""

import msgspec
import numpy as np


class DifferenceSums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over customers, arrays of any one shape.

    With T the arm (1 treated), p its probability, c = (T - p) / (p (1 - p)) and r = outcome less its prediction:
    ``n``, and the sums of r, c, c r, c^2, c^2 r and c^2 r^2.
    """

    n: np.ndarray
    r: np.ndarray
    c: np.ndarray
    cr: np.ndarray
    cc: np.ndarray
    ccr: np.ndarray
    ccrr: np.ndarray

    def mean_and_deviation(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the difference of arms and the standard deviation of one customer's part in it.

        The part is c (r - mean r): unbiased whatever the prediction is, because T is drawn with probability p.
        """
        centre = self.r / self.n
        mean = (self.cr - centre * self.c) / self.n
        square = (self.ccrr - 2.0 * centre * self.ccr + centre**2 * self.cc) / self.n
        return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def running_sums(outcome: np.ndarray, treated: np.ndarray, probability: float, predicted: np.ndarray) -> DifferenceSums:
    """Return the sums over the first 1..n customers, in the order given."""
    r, c = outcome - predicted, (treated - probability) / (probability * (1.0 - probability))
    return DifferenceSums(
        n=np.arange(1.0, len(outcome) + 1.0),
        **{name: np.cumsum(each) for name, each in
           {"r": r, "c": c, "cr": c * r, "cc": c**2, "ccr": c**2 * r, "ccrr": c**2 * r**2}.items()},
    )  # fmt: skip


def sums_of_counts(
    treated: np.ndarray, control: np.ndarray, treated_events: np.ndarray, control_events: np.ndarray, probability: float
) -> DifferenceSums:
    """Return the sums of outcomes that are 0 or 1, from the numbers of customers and of events in each arm."""
    up, down = 1.0 / probability, 1.0 / (1.0 - probability)
    squared = treated_events * up**2 + control_events * down**2
    return DifferenceSums(
        n=treated + control, r=treated_events + control_events, c=treated * up - control * down,
        cr=treated_events * up - control_events * down, cc=treated * up**2 + control * down**2, ccr=squared,
        ccrr=squared,
    )  # fmt: skip
