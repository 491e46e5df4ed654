"""Confidence sequences: intervals that hold at every look at once, however often one looks and whenever one stops.

With outcomes between two stated bounds, scaled to [0, 1], and predictions q that knew no later outcome, the doubly
robust score of decision t, z being where zero is scaled to,

    phi_t = w_t (y_t - q~_ta) + sum_k pi_tk q~_tk + (1 - m_t) z,   q~_tk = min(q_tk, k / w_tk),

has the policy's value as its mean given the past and is never below -k, whatever the weights: no bound on them is
needed. Z_t = (phi_t + k) / (1 + k) >= 0 with Zbar_t a forecast in [0, 1] from earlier rows, and lambda_t in (0, 1) that
depends on earlier rows only,

    L_t = (sum lambda Z - log(1 / alpha) - sum psi(lambda) (Z - Zbar)^2) / sum lambda,   psi(x) = -log(1 - x) - x

lies below the mean at all t with probability 1 - alpha (Fan, Grama and Liu 2015, lemma 4.1, with Ville's inequality).
The upper bound is the lower bound of 1 - y turned round. Source: Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro
(2022), Anytime-valid off-policy inference for contextual bandits, arXiv 2210.10768, theorem 3 and section 3; lambda
after Waudby-Smith and Ramdas (2024), JRSS B 86. A difference a - b is a's score plus that of 1 - y under b, less one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.inference import check_level
from opportune.evaluation.logged import LoggedDecisions
from opportune.evaluation.policies import Judged, with_no_offer
from opportune.evaluation.support import refuse_no_policy

SLACK = 10.0
"""k: how far below zero a score may lie. More lets predictions take away more of the noise of large weights, and costs
more at first; on streams with probabilities from 1 % up, 10 is near the best from 5,000 decisions to 50,000."""
LARGEST_BET = 0.5


class Bounds(NamedTuple):
    """The least and the greatest outcome that is possible, zero within; the claim is the caller's to make."""

    least: float
    greatest: float


class Path(NamedTuple):
    """Lower and upper bounds (n,) after each decision, in the order of time."""

    low: np.ndarray
    high: np.ndarray

    def estimate(self, value: float, n: int, method: str, level: float, effective_n: float) -> Estimate:
        """Return where the sequence stands after the last decision; a value outside it is moved to its end."""
        low, high = float(self.low[-1]), float(self.high[-1])
        return Estimate(
            value=min(max(value, low), high), low=low, high=high, n=n, method=f"{method}, sequence", level=level,
            effective_n=effective_n,
        )  # fmt: skip


def path_of(
    logged: LoggedDecisions,
    policies: Sequence[Judged],
    outcome: np.ndarray,
    model: np.ndarray | None,
    bounds: Bounds,
    level: float,
) -> Path:
    """Return the sequence of a policy's mean outcome, or of the difference of two policies' on the same rows.

    ``model`` None is ipw. BadInput (OP616, OP617, OP618, OP834) where it cannot hold: with a model, a prediction may
    depend on how likely every offer was, and not on which one was drawn.
    """
    if model is not None:
        logged.refuse_only_logged(
            "those of all eligible offers, because a sequence of dr bounds each prediction by its own"
        )
    check_level(level)
    for policy in policies:
        refuse_no_policy(logged, policy)
    order, alpha = _order(logged), (1.0 - level) / 2.0
    _refuse_beyond(logged, outcome, bounds)
    scores = [
        [_scores(logged, each, outcome, model, bounds, turned)[order] for turned in (False, True)] for each in policies
    ]
    width = bounds.greatest - bounds.least
    if len(policies) == 1:
        low, high = (lower_bounds(side, alpha) for side in scores[0])
        return Path(bounds.least + width * low, bounds.greatest - width * high)
    (first, first_turned), (second, second_turned) = scores
    # Half of such a sum has a mean in [0, 1], as lower_bounds asks.
    low, high = (2.0 * lower_bounds(sum_ / 2.0, alpha) - 1.0 for sum_ in (first + second_turned, second + first_turned))
    return Path(width * low, -width * high)


def lower_bounds(scores: np.ndarray, alpha: float) -> np.ndarray:
    """Return the bounds below the mean of scores (..., n), each at least ``-SLACK`` and with a mean in [0, 1].

    They never fall: a bound once reached holds for good. Nothing is known before the first score, so none is below 0.
    """
    z = (scores + SLACK) / (1.0 + SLACK)
    seen = np.arange(1, z.shape[-1] + 1)
    mean = _before((0.5 + np.cumsum(z, axis=-1)) / (seen + 1.0), 0.5)
    mean = np.minimum(mean, 1.0)
    missed = (z - mean) ** 2
    spread = _before((0.25 + np.cumsum(missed, axis=-1)) / (seen + 1.0), 0.25)
    bet = np.minimum(np.sqrt(2.0 * np.log(1.0 / alpha) / (spread * seen * np.log(seen + 1.0))), LARGEST_BET)
    price = -np.log1p(-bet) - bet
    won = np.cumsum(bet * z, axis=-1) - np.log(1.0 / alpha) - np.cumsum(price * missed, axis=-1)
    low = (1.0 + SLACK) * won / np.cumsum(bet, axis=-1) - SLACK
    return np.asarray(np.maximum.accumulate(np.maximum(low, 0.0), axis=-1))


def _before(values: np.ndarray, first: float) -> np.ndarray:
    """Return what was known before each row: the values of the row above."""
    return np.concatenate([np.full_like(values[..., :1], first), values[..., :-1]], axis=-1)


def _scores(
    logged: LoggedDecisions, policy: Judged, outcome: np.ndarray, model: np.ndarray | None, bounds: Bounds, turned: bool
) -> np.ndarray:
    """Return the scores (n,) of the scaled outcome y, or of 1 - y when ``turned``: never below ``-SLACK``."""
    width = bounds.greatest - bounds.least
    y, zero = (outcome - bounds.least) / width, -bounds.least / width
    q = None if model is None else np.clip((model - bounds.least) / width, 0.0, 1.0)
    if turned:
        y, zero, q = 1.0 - y, 1.0 - zero, None if q is None else 1.0 - q
    weights, none = policy.weights(logged), 1.0 - policy.told(logged)
    if q is None:
        return np.asarray(weights * y + none * zero)
    q = np.minimum(q, _largest_prediction(logged, policy))
    return np.asarray(policy.expected(logged, q) + weights * (y - logged.at_action(q)) + none * zero)


def _largest_prediction(logged: LoggedDecisions, policy: Judged) -> np.ndarray:
    """Return k / w for every offer (n, K): above it, a prediction could make a score fall below -k."""
    own = with_no_offer(policy.probabilities(logged.eligible), logged)
    room = np.full(own.shape, np.inf)
    return np.asarray(np.divide(SLACK * logged.probability, own, out=room, where=own > 0))


def _order(logged: LoggedDecisions) -> np.ndarray:
    if logged.decided_at is None:
        message = "are not given: expected when each decision was made, because a sequence follows their order"
        raise BadInput([_finding("OP618", "decided_at", message, "give `decided_at`, or take another interval")])
    return np.argsort(logged.decided_at, kind="stable")


def _refuse_beyond(logged: LoggedDecisions, outcome: np.ndarray, bounds: Bounds) -> None:
    if not bounds.least <= 0.0 <= bounds.greatest or not bounds.least < bounds.greatest:
        message = f"are {bounds.least:g} to {bounds.greatest:g}: expected two different numbers with zero between them"
        raise BadInput([_finding("OP617", "bounds", message, "give the least and the greatest possible outcome")])
    beyond = (outcome < bounds.least) | (outcome > bounds.greatest)
    if beyond.any():
        some = ", ".join(map(str, logged.decision_id[beyond][:3]))
        message = f"{int(beyond.sum())} outcomes lie outside {bounds.least:g} to {bounds.greatest:g}, such as of {some}"
        step = "give bounds that no outcome can pass, or cap the measure"
        raise BadInput([_finding("OP617", "bounds", message, step)])


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="decisions", subject=subject, message=message, next_step=step)
