"""Support: how much of a policy the log can speak about, and how unevenly."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Finding
from opportune.evaluation.inference import hardly
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged, differ


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


def smallest_effective_n(weights: Sequence[np.ndarray]) -> float:
    """Return the smallest effective sample size of policies, from the weights (n,) of each.

    One that leaves everybody alone weighs nothing, and needs no sample.
    """
    return min((effective_n(each) for each in weights if each.any()), default=0.0)


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


def refuse_undrawn(logged: LoggedDecisions, judged: Sequence[Judged], entered: np.ndarray) -> None:
    """Raise BadInput (OP629) where no decision ``entered`` (n,) a figure that is not known without one.

    The figure is of one policy, or of the first less the second. It is known without any decision where the one leaves
    everybody alone, or the two are the same. Else the log could have made their offers, and happened to make none.
    """
    if not entered.any() and _asked(logged, judged).any():
        message = "makes offers that the log could have drawn and never drew: expected outcomes of some"
        raise BadInput([hardly(named(judged), message)])


def named(judged: Sequence[Judged]) -> str:
    """Return the name of a policy, or of the first less the second."""
    return " less ".join(f"policy '{each.name}'" for each in judged)


def _asked(logged: LoggedDecisions, judged: Sequence[Judged]) -> np.ndarray:
    return differ(judged[0], judged[1], logged) if len(judged) > 1 else judged[0].told(logged) > 0
