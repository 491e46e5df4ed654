"""What outcomes do not tell: the one rule behind OP629, asked of the decisions that weigh in a figure.

Where the log could have made the offers that a figure is about and made none, or where the outcomes of all decisions
that weigh are the same, nothing says how outcomes vary. An interval would be a point, or as narrow as weights and
predictions alone make it. A difference has two sides: what one policy does more often than the other, and what the
other does more often. What both do cancels, and what is seen of one side says nothing of the other.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.delayed import Completion
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import SUM_TOLERANCE, Judged, does_more

NEVER_DRAWN = "makes offers that the log could have drawn and never drew: expected outcomes of some"
WAIT = "wait for more decisions with known outcomes"
NEGLIGIBLE = 1e-6
"""A weight below this share of the mean weight does not count: all such weights together hardly move the figure."""
_ROUNDING = 1e-9
"""Width of an interval, relative to its ends, that rounding leaves of a point."""


class Side(msgspec.Struct, frozen=True):
    """One side of a figure, masks (n,): the decisions that it ``asked`` about, and those that ``entered`` it."""

    name: str
    asked: np.ndarray
    entered: np.ndarray


def sides(
    logged: LoggedDecisions, judged: Sequence[Judged], weights: Sequence[np.ndarray], *, offers_only: bool = False
) -> list[Side]:
    """Return the side of one policy, or the two of a difference, from the weights (n,) of each.

    ``offers_only``: the figure is zero by definition where nothing is offered, so that such decisions tell nothing.
    """
    tells = made_offers(logged) if offers_only else True
    return [
        Side(policy.name, asked, asked & tells & (part > NEGLIGIBLE * np.mean(own)))
        for policy, own, asked, part in _parts(logged, judged, weights, offers_only)
    ]


def _parts(
    logged: LoggedDecisions, judged: Sequence[Judged], weights: Sequence[np.ndarray], offers_only: bool
) -> Iterator[tuple[Judged, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each policy with its weights (n,), where it is asked about (n,), and what it weighs more than the other."""
    if len(judged) == 1:
        does = judged[0].offered(logged) if offers_only else judged[0].told(logged)
        yield judged[0], weights[0], does > SUM_TOLERANCE, weights[0]
        return
    more, outside = does_more(judged[0], judged[1], logged, offers_only=offers_only), logged.action < 0
    for one, other in ((0, 1), (1, 0)):
        beyond = weights[one] - weights[other]
        yield judged[one], weights[one], more[one] | (outside & (beyond > SUM_TOLERANCE)), beyond


def refuse_untold(
    logged: LoggedDecisions,
    judged: Sequence[Judged],
    weights: Sequence[np.ndarray],
    outcome: np.ndarray,
    completion: Completion | None = None,
    step: str = WAIT,
) -> list[Side]:
    """Return the sides of a figure, of a policy or of the first less the second, from the weights (n,) of each.

    BadInput (OP629) where outcomes (n,) do not tell one. A policy that leaves everybody alone is known without any, and
    so is the difference of two that do the same: nothing enters it.
    """
    asked = sides(logged, judged, weights)
    for side in asked:
        why = untold(side.asked, side.entered, outcome, completion)
        if why is not None:
            says = why if len(judged) == 1 else f"rests on what '{side.name}' does more often, which {why}"
            raise BadInput([hardly(subject_of(judged), says, step)])
    return asked


def untold(
    asked: np.ndarray, entered: np.ndarray, outcome: np.ndarray, completion: Completion | None = None
) -> str | None:
    """Return why outcomes (n,) do not tell a figure, or None.

    ``asked`` (n,): the decisions in which it is about anything at all; ``entered`` (n,): those that weigh.
    """
    if not entered.any():
        return never_drawn(asked, entered)
    seen = _seen(entered, outcome, completion)
    if not len(seen) or not is_point(float(seen.min()), float(seen.max())):
        return None
    given = f"one outcome, {seen[0]:g}" if len(seen) == 1 else f"{len(seen)} outcomes that are all {seen[0]:g}"
    return f"is judged by {given}: expected some that differ, because nothing else tells how outcomes vary"


def never_drawn(asked: np.ndarray, entered: np.ndarray) -> str | None:
    """Return why a figure that is asked (n,) is not told where no decision entered (n,) it, or None."""
    return NEVER_DRAWN if asked.any() and not entered.any() else None


def refuse_point(subject: str, told: Estimate, step: str = WAIT) -> None:
    """Raise BadInput (OP629) where the interval of a figure that rests on outcomes is a point.

    Rows differ, and clusters do not; or ratios do not, or what predictions miss.
    """
    if is_point(told.low, told.high):
        message = f"has an interval that is a point, {told.value:g}: expected outcomes that differ between clusters"
        raise BadInput([hardly(subject, message, step)])


def is_point(low: float, high: float) -> bool:
    """Return whether an interval is a point but for rounding."""
    return high - low <= _ROUNDING * max(abs(low), abs(high))


def hardly(subject: str, message: str, step: str = WAIT) -> Finding:
    """Return the finding (OP629) about a figure that outcomes do not tell yet."""
    return Finding(code="OP629", source="decisions", subject=subject, message=message, next_step=step)


def made_offers(logged: LoggedDecisions) -> np.ndarray:
    """Return the mask (n,) of the decisions that offered something: only these can use a resource."""
    if logged.no_offer is None:
        return np.ones(len(logged), dtype=bool)
    return np.asarray(logged.action != logged.no_offer)


def subject_of(judged: Sequence[Judged]) -> str:
    """Return how messages name a policy, or the difference of two."""
    return " less ".join(f"policy '{each.name}'" for each in judged)


def _seen(entered: np.ndarray, outcome: np.ndarray, completion: Completion | None) -> np.ndarray:
    """Return the known outcomes (m,) that a figure rests on: those of rows like an open one that weighs too."""
    if completion is None:
        return np.asarray(outcome[entered])
    known, is_open = completion.known(outcome), completion.is_open(outcome)
    return np.asarray(known[(entered | completion.alike(entered & is_open)) & ~is_open])
