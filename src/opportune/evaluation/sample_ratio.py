"""Sample-ratio mismatch: whether the arms hold as many customers as they should. If not, nothing else can be read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIOR = 10_000.0
"""How many customers the mixture behind the sequential test is worth, spread as the shares say: it looks for mismatches
of a per cent or so, which is what a broken assignment makes."""
FEWEST_EXPECTED = 5.0


class SampleRatio(msgspec.Struct, frozen=True, kw_only=True):
    """``p_value`` of one look by Pearson's chi-square; ``p_any_time`` of a look that may be any of many.

    ``mismatch`` is judged by ``p_any_time``, so that it may be looked at every day.
    """

    counts: dict[str, int]
    expected: dict[str, float]
    p_value: float
    p_any_time: float
    mismatch: bool


def sample_ratio(
    history: "Sequence[Mapping[str, int]]", shares: Mapping[str, float], level: float = 0.999
) -> SampleRatio:
    """Return the check at the last of the looks ``history``, each the customers by arm so far, in order of time.

    The any-time p-value is 1 / the largest mixture likelihood ratio over the looks, a martingale when the shares hold
    (Ville; Dirichlet mixture as in Lindon and Malek 2022): with daily looks for ever, fewer than 1 - ``level`` of right
    assignments are called mismatched. BadInput (OP659) when arms differ, shares do not sum to 1, or counts are negative
    or shrink.
    """
    arms = list(shares)
    _check(history, shares)
    theta = np.array([shares[arm] for arm in arms], dtype=np.float64)
    counts = np.array([[look[arm] for arm in arms] for look in history], dtype=np.float64)
    now, total = counts[-1], float(counts[-1].sum())
    ratio = max(_log_ratio(each, theta) for each in counts)
    any_time = min(1.0, float(np.exp(-max(ratio, 0.0))))
    return SampleRatio(
        counts={arm: int(each) for arm, each in zip(arms, now, strict=True)},
        expected={arm: float(each * total) for arm, each in zip(arms, theta, strict=True)},
        p_value=_pearson(now, theta),
        p_any_time=any_time,
        mismatch=any_time < 1.0 - level,
    )


def _log_ratio(counts: np.ndarray, theta: np.ndarray) -> float:
    """Return the log of the Dirichlet mixture's likelihood over that of the shares."""
    from scipy.special import gammaln

    prior = PRIOR * theta
    mixture = (
        gammaln(prior.sum()) - gammaln(prior.sum() + counts.sum()) + np.sum(gammaln(prior + counts) - gammaln(prior))
    )
    return float(mixture - np.sum(counts * np.log(theta)))


def _pearson(counts: np.ndarray, theta: np.ndarray) -> float:
    """Return the p-value of Pearson's statistic; 1 while an arm expects fewer than five, where it says nothing."""
    from scipy.special import chdtrc

    expected = theta * counts.sum()
    if expected.min() < FEWEST_EXPECTED:
        return 1.0
    return float(chdtrc(len(theta) - 1, np.sum((counts - expected) ** 2 / expected)))


def _check(history: "Sequence[Mapping[str, int]]", shares: Mapping[str, float]) -> None:
    doubts = [
        (any(count < 0 for look in history for count in look.values()), "holds counts below 0"),
        (not history, "holds no look: expected the customers by arm so far"),
        (any(set(look) != set(shares) for look in history), f"names other arms than {', '.join(shares)}"),
        (min(shares.values(), default=0.0) <= 0 or abs(sum(shares.values()) - 1.0) > 1e-9,
         f"has shares {dict(shares)}: expected each above 0, and 1 in sum"),
        (any(later[arm] < earlier[arm] for earlier, later in zip(history, list(history)[1:], strict=False)
             for arm in set(earlier) & set(later)), "shrinks from one look to the next: expected counts so far"),
    ]  # fmt: skip
    findings = [
        Finding(code="OP659", source="sample ratio", subject="history", message=message,
                next_step="count each arm's customers from the assignment log")
        for wrong, message in doubts
        if wrong
    ]  # fmt: skip
    if findings:
        raise BadInput(findings)
