"""What outcomes do not tell: the one rule behind OP629, asked of the decisions that weigh in a figure.

Where the log could have made the offers that a figure is about and made none, or where the outcomes of all decisions
that weigh are the same, nothing says how outcomes vary. An interval would be a point, or as narrow as weights and
predictions alone make it. A difference is asked on the decisions in which its two policies differ, each policy for
itself: what one of them was seen to earn says nothing of the other.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from opportune.domain import BadInput
from opportune.evaluation.delayed import Completion
from opportune.evaluation.inference import hardly
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged, differ

NEVER_DRAWN = "makes offers that the log could have drawn and never drew: expected outcomes of some"


def refuse_untold(
    logged: LoggedDecisions,
    judged: Sequence[Judged],
    weights: Sequence[np.ndarray],
    outcome: np.ndarray,
    completion: Completion | None = None,
) -> None:
    """Raise BadInput (OP629) where outcomes (n,) do not tell a policy, or the first less the second; weights are (n,).

    A policy that leaves everybody alone is known without any, and so is the difference of two that do the same.
    """
    subject = " less ".join(f"policy '{each.name}'" for each in judged)
    for why in _reasons(logged, judged, weights, outcome, completion):
        raise BadInput([hardly(subject, why)])


def _reasons(
    logged: LoggedDecisions, judged: Sequence[Judged], weights: Sequence[np.ndarray], outcome: np.ndarray,
    completion: Completion | None,
) -> Iterator[str]:  # fmt: skip
    apart = np.ones(len(logged), dtype=bool) if len(judged) == 1 else differ(judged[0], judged[1], logged)
    for policy, own in zip(judged, weights, strict=True):
        why = untold(apart & (policy.told(logged) > 0), apart & (own != 0.0), outcome, completion)
        if why is not None:
            yield why if len(judged) == 1 else f"differs where '{policy.name}' {why}"


def untold(
    asked: np.ndarray, entered: np.ndarray, outcome: np.ndarray, completion: Completion | None = None
) -> str | None:
    """Return why outcomes (n,) do not tell a figure, or None.

    ``asked`` (n,): the decisions in which it is about anything at all; ``entered`` (n,): those that weigh.
    """
    if not entered.any():
        return NEVER_DRAWN if asked.any() else None
    seen = _seen(entered, outcome, completion)
    return _all_alike(seen) if len(seen) and np.ptp(seen) == 0.0 else None


def untold_use(
    asked: np.ndarray, entered: np.ndarray, used: np.ndarray, completion: Completion | None = None
) -> str | None:
    """Return why booked uses (n,) do not tell a figure, or None: as ``untold``, of decisions that offered something.

    What each offer uses alike, such as a contact, is known. That none was seen to use anything is not.
    """
    if not entered.any():
        return NEVER_DRAWN if asked.any() else None
    seen = _seen(entered, used, completion)
    return _all_alike(seen) if len(seen) and not seen.any() else None


def made_offers(logged: LoggedDecisions) -> np.ndarray:
    """Return the mask (n,) of the decisions that offered something: only these can use a resource."""
    if logged.no_offer is None:
        return np.ones(len(logged), dtype=bool)
    return np.asarray(logged.action != logged.no_offer)


def _all_alike(seen: np.ndarray) -> str:
    return (
        f"is judged by {len(seen)} outcomes that are all {seen[0]:g}: expected some that differ, because nothing else "
        "tells how outcomes vary"
    )


def _seen(entered: np.ndarray, outcome: np.ndarray, completion: Completion | None) -> np.ndarray:
    """Return the known outcomes (m,) that a figure rests on: those of rows like an open one that weighs too."""
    if completion is None:
        return np.asarray(outcome[entered])
    known, is_open = completion.known(outcome), completion.is_open(outcome)
    return np.asarray(known[(entered | completion.alike(entered & is_open)) & ~is_open])
