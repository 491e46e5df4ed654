"""Support: how much of a policy the log can speak about, and how unevenly."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Finding
from opportune.evaluation._arrow import counted
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import SUM_TOLERANCE, FixedOffers, Judged


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """``effective_n`` = (sum w)^2 / sum w^2 over the rows with a weight; ``largest_weight``; ``unsupported``: share of
    the policy's probability on what the log never did; ``offered``: its mean probability of any offer.
    """

    effective_n: float
    largest_weight: float
    unsupported: float
    offered: float


def support(logged: LoggedDecisions, policy: Judged) -> Support:
    """Return how well the log supports a policy. BadInput (OP616) when it is none."""
    refuse_no_policy(logged, policy)
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


def smallest_effective_n(weights: Sequence[np.ndarray]) -> float:
    """Return the smallest effective sample size of policies, from the weights (n,) of each.

    One that leaves everybody alone weighs nothing, and needs no sample.
    """
    return min((effective_n(each) for each in weights if each.any()), default=0.0)


def refuse_no_policy(logged: LoggedDecisions, policy: Judged) -> None:
    """Raise BadInput (OP616) where probabilities are no distribution, ValueError where they are of another shape."""
    if isinstance(policy, FixedOffers):
        refuse_other_shape(f"probability of policy {policy.name!r}", policy.probability, logged.probability.shape)
        beyond = ~(policy.told(logged) <= 1.0 + SUM_TOLERANCE)
        if np.min(policy.probability, initial=0.0) < 0:  # the usual case is without
            beyond |= (policy.probability < 0).any(axis=1)
    else:
        refuse_other_shape(f"contact of policy {policy.name!r}", policy.contact, (len(logged),))
        refuse_other_shape(f"logging of policy {policy.name!r}", policy.logging, logged.probability.shape)
        beyond = ~((policy.contact >= 0) & (policy.contact <= 1.0 + SUM_TOLERANCE))
        if not np.min(policy.logging, initial=0.0) >= 0:  # false of NaN too; the usual case is without
            beyond |= ~(policy.logging >= 0).all(axis=1)
    if beyond.any():
        says, step = (
            "have probabilities below 0, that sum above 1, or are no numbers",
            "give a distribution over the offers",
        )
        raise BadInput([counted("OP616", policy.name, "probability", logged.decision_id[beyond], says, step)])


def refuse_other_shape(name: str, given: np.ndarray, expected: tuple[int, ...]) -> None:
    """Raise ValueError where an array over decisions, or decisions by offers, is of another shape."""
    if given.shape != expected:
        raise ValueError(f"{name} has shape {given.shape}: expected {expected}, decisions by offers")


def refuse_unsupported(logged: LoggedDecisions, policy: Judged) -> None:
    """Raise BadInput where the policy is none (OP616), or makes offers that the log never made (OP610).

    Refused rather than wrong.
    """
    refuse_no_policy(logged, policy)
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
