"""Several logging policies: one log, weighed by the mixture that made it.

When decisions came from several policies, each with its own probabilities, dividing by one's own logger's probability
is unbiased, and dividing by the mixture sum_l share_l p_l(offer | row) is too, with less variance: the balance
heuristic (Veach and Guibas 1995; Agarwal, Basu, Schnabel and Joachims 2017, Effective evaluation using logged bandit
feedback from multiple loggers). An offer is supported when any logger made it. It assumes that who was decided by which
logger was random within ``stratum``: within it, the shares are those of the loggers' decisions.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.logged import LoggedDecisions
from opportune.numerics import cluster_codes

_SHOWN = 3
_TOLERANCE = 1e-6


def balanced_log(
    logged: LoggedDecisions,
    logger: np.ndarray,
    probability: Mapping[str, np.ndarray],
    stratum: np.ndarray | None = None,
) -> LoggedDecisions:
    """Return the log with the mixture as its probabilities: every estimator then weighs by the balance heuristic.

    ``logger`` (n,) names the policy that made each decision; ``probability`` maps each name to its probabilities
    (n, K) on *every* row, those of other loggers included: what any of them could offer is eligible. ``stratum`` (n,):
    within it the logger was drawn at random; by default the whole log is one. BadInput when a logger has no
    probabilities (OP622), or when its own differ from those of the log for an offer that it made (OP614).
    """
    missing = sorted(set(map(str, logger)) - set(probability))
    if missing:
        message = f"made decisions and has no probabilities: expected them among {', '.join(map(repr, probability))}"
        step = "give its probabilities on every row, or use the log as it is, each row with its own logger's"
        raise BadInput([Finding(code="OP622", source="loggers", subject=name, message=message, next_step=step)
                        for name in missing])  # fmt: skip
    _refuse_other_probabilities(logged, logger, probability)
    count, codes = cluster_codes(np.zeros(len(logged), dtype=np.int64) if stratum is None else stratum)
    sizes = np.bincount(codes, minlength=count)
    mixed, outside = np.zeros(logged.probability.shape), np.zeros(len(logged))
    for name, own in probability.items():
        share = (np.bincount(codes, logger.astype(str) == name, count) / sizes)[codes]
        mixed += share[:, None] * own
        outside += share * np.maximum(1.0 - own.sum(axis=1), 0.0)
    eligible = logged.eligible | (mixed > 0.0)
    return msgspec.structs.replace(logged, probability=mixed, outside=outside, eligible=eligible, only_logged=False)


def _refuse_other_probabilities(
    logged: LoggedDecisions, logger: np.ndarray, probability: Mapping[str, np.ndarray]
) -> None:
    """Raise BadInput (OP614) where a logger's probability of an offer that it made is not that of the log."""
    made = logged.action_probability()
    findings = [
        _other(name, logged.decision_id[rows])
        for name, own in probability.items()
        if (rows := (logger.astype(str) == name) & (np.abs(logged.at_action(own) - made) > _TOLERANCE)).any()
    ]
    if findings:
        raise BadInput(findings)


def _other(name: str, decisions: np.ndarray) -> Finding:
    message = (
        f"has another probability of the offer that it made than the log, in {len(decisions)} decisions "
        f"({', '.join(map(str, decisions[:_SHOWN]))}): expected the same"
    )
    step = "look whether the names of two loggers are swapped; weights divide by these probabilities"
    return Finding(code="OP614", source="loggers", subject=name, message=message, next_step=step)
