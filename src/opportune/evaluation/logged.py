"""Logged decisions: what was done, how likely it was, what else could have been, and what followed."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from opportune.domain import Finding

FEWEST_CLUSTERS = 10
"""A bootstrap of fewer clusters says nothing: of one alone its interval is a point."""
_SHOWN = 3
_SUM_TOLERANCE = 1e-6


class LoggedDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays over n decisions and K offers.

    ``action`` (n,) is the index of the logged offer, or -1 where it lies outside the catalogue; ``eligible`` (n, K);
    ``probability`` (n, K) is the logging policy's P(offer) and ``outside`` (n,) its P(an offer outside the catalogue):
    together they sum to one. ``outcome`` maps a measure to (n,) numbers; ``cluster`` (n,) names what is resampled
    together.
    """

    decision_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    offer_ids: tuple[str, ...]
    action: np.ndarray
    eligible: np.ndarray
    probability: np.ndarray
    outside: np.ndarray
    outcome: dict[str, np.ndarray]
    cluster: np.ndarray

    def __len__(self) -> int:
        return len(self.decision_id)

    def action_probability(self) -> np.ndarray:
        """Return P(the logged offer) per row (n,); NaN where it lies outside the catalogue."""
        inside = np.where(self.action >= 0, self.action, 0)
        return np.where(self.action >= 0, self.probability[np.arange(len(self)), inside], np.nan)


def check_logged(logged: LoggedDecisions) -> list[Finding]:
    """Return findings about a log that cannot carry an estimate, with counts and first examples."""
    return _cluster_findings(logged) + [
        Finding(
            code=code, source="decisions", subject=", ".join(map(str, logged.decision_id[rows][:_SHOWN])),
            message=f"{int(rows.sum())} decisions: {message}", next_step=step,
        )
        for code, rows, message, step in _tests(logged)
        if rows.any()
    ]  # fmt: skip


def _cluster_findings(logged: LoggedDecisions) -> list[Finding]:
    count = len(np.unique(logged.cluster.astype(str)))
    if count >= FEWEST_CLUSTERS:
        return []
    message = f"has {count} clusters: expected at least {FEWEST_CLUSTERS}, because an interval resamples them"
    step = "name a finer column as `cluster` in opportune.toml, such as the customer"
    return [Finding(code="OP609", source="decisions", subject="cluster", message=message, next_step=step)]


def _tests(logged: LoggedDecisions) -> Iterator[tuple[str, Any, str, str]]:
    inside = logged.action >= 0
    taken = np.where(inside, logged.action, 0)
    of_action = logged.probability[np.arange(len(logged)), taken]
    total = np.where(logged.eligible, logged.probability, 0.0).sum(axis=1) + logged.outside
    _, codes, counts = np.unique(logged.decision_id.astype(str), return_inverse=True, return_counts=True)
    yield "OP601", counts[codes] > 1, "the id is not unique", "keep one row per decision"
    made = np.where(inside, of_action, logged.outside)
    yield "OP602", ~(made > 0), "the logged offer has probability zero", "check the strata, or the catalogue"
    outside = (logged.probability > 1) | (logged.probability < 0)
    yield "OP603", outside.any(axis=1), "a probability lies outside 0 to 1", "log probabilities as fractions"
    unsummed = ~(np.abs(total - 1.0) <= _SUM_TOLERANCE)
    says = "probabilities of the eligible offers do not sum to 1"
    yield "OP604", unsummed, says, "log every eligible offer, or estimate them from a stratum"
    barred = inside & ~logged.eligible[np.arange(len(logged)), taken]
    yield "OP605", barred, "the logged offer was not eligible", "check eligibility against the log"
    for measure, outcome in logged.outcome.items():
        says = f"{measure} is not known"
        yield (
            "OP606",
            ~np.isfinite(outcome),
            says,
            "leave such decisions out of outcomes: they are counted as not yet observed",
        )
