"""Support: how much of a policy the log can speak about, and how unevenly."""

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Finding
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """``effective_n`` = (sum w)^2 / sum w^2 over the rows with a weight; ``largest_weight``; ``unsupported``: share of
    the policy's probability on what the log never did; ``offered``: its mean probability of any offer.
    """

    effective_n: float
    largest_weight: float
    unsupported: float
    offered: float


def support(logged: LoggedDecisions, policy: Judged) -> Support:
    """Return how well the log supports a policy."""
    weights = policy.weights(logged)
    mass = float(policy.told(logged).sum())
    return Support(
        effective_n=effective_n(weights),
        largest_weight=float(weights.max(initial=0.0)),
        unsupported=float(policy.unsupported(logged).sum()) / mass if mass else 0.0,
        offered=float(np.mean(policy.offered(logged))),
    )


def effective_n(weights: np.ndarray) -> float:
    """Return Kish's effective sample size (sum w)^2 / sum w^2; zero when all weights are zero."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares else 0.0


def refuse_unsupported(logged: LoggedDecisions, policy: Judged) -> None:
    """Raise BadInput (OP610) when the policy makes offers that the log never made: refused rather than wrong."""
    missing = policy.unsupported(logged) > 0
    if missing.any():
        message = (
            f"makes offers to {int(missing.sum())} of {len(logged)} customers that the log never made there "
            f"(decisions {', '.join(map(str, logged.decision_id[missing][:3]))}): "
            "expected every offer of the policy to have a logged probability above zero"
        )
        step = "merge strata, drop those offers from the policy, or log with exploration"
        step += "" if logged.no_offer is None else f"; {NO_OFFER_ID} is an offer too while the log holds it"
        raise BadInput(
            [
                Finding(
                    code="OP610",
                    source="evidence.toml",
                    subject=f"policy '{policy.name}'",
                    message=message,
                    next_step=step,
                )
            ]
        )
