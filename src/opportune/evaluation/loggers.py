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


def balanced_log(
    logged: LoggedDecisions,
    logger: np.ndarray,
    probability: Mapping[str, np.ndarray],
    stratum: np.ndarray | None = None,
) -> LoggedDecisions:
    """Return the log with the mixture as its probabilities: every estimator then weighs by the balance heuristic.

    ``logger`` (n,) names the policy that made each decision; ``probability`` maps each name to its probabilities
    (n, K) on *every* row, those of other loggers included. ``stratum`` (n,): within it the logger was drawn at random;
    by default the whole log is one. BadInput (OP622) when a logger has no probabilities.
    """
    missing = sorted(set(map(str, logger)) - set(probability))
    if missing:
        message = f"made decisions and has no probabilities: expected them among {', '.join(map(repr, probability))}"
        step = "give its probabilities on every row, or use the log as it is, each row with its own logger's"
        raise BadInput([Finding(code="OP622", source="loggers", subject=name, message=message, next_step=step)
                        for name in missing])  # fmt: skip
    count, codes = cluster_codes(np.zeros(len(logged), dtype=np.int64) if stratum is None else stratum)
    sizes = np.bincount(codes, minlength=count)
    mixed, outside = np.zeros(logged.probability.shape), np.zeros(len(logged))
    for name, own in probability.items():
        share = (np.bincount(codes, logger == name, count) / sizes)[codes]
        mixed += share[:, None] * own
        outside += share * np.maximum(1.0 - own.sum(axis=1), 0.0)
    return msgspec.structs.replace(logged, probability=mixed, outside=outside, only_logged=False)
