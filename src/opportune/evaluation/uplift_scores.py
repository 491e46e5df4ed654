"""Doubly robust scores of every offer against the control: what an allocator plans with and what judges its plan."""

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from opportune.domain import BadInput, Candidates, Finding
from opportune.evaluation.untold import hardly

_SHOWN = 3
_SUM_TOLERANCE = 1e-6


class UpliftScores(msgspec.Struct, frozen=True, kw_only=True):
    """Gains over the control arm, arrays over n customers and K offers, in the unit of the outcome.

    ``predicted`` (n, K) is what the outcome model expects: it chooses, and is the value of ``candidates``.
    ``score`` (n, K) is unbiased for the gain of each customer but far too noisy to choose by: it judges, and the
    spread of its means gives standard errors. ``supported`` (n, K) says where both the offer and the control had a
    probability above zero; elsewhere the other two are zero. Rows of one ``cluster`` (n,) share their luck.
    """

    row_id: np.ndarray
    cluster: np.ndarray
    offer_ids: tuple[str, ...]
    predicted: np.ndarray
    score: np.ndarray
    supported: np.ndarray

    def __len__(self) -> int:
        return len(self.row_id)

    def take(self, rows: np.ndarray) -> "UpliftScores":
        """Return the scores of the given rows (indices or mask)."""
        names = ("row_id", "cluster", "predicted", "score", "supported")
        return msgspec.structs.replace(self, **{name: getattr(self, name)[rows] for name in names})

    def candidates(
        self, uses: Mapping[str, np.ndarray], *, customer_id: np.ndarray, slot: np.ndarray, currency: str
    ) -> Candidates:
        """Return what the allocator plans with: predicted gains as value, offers without support not eligible.

        ``uses`` map a resource to what each offer uses of it (n, K) or (K,); ``customer_id`` and ``slot`` are (n,).
        What is left alone is the control arm.
        """
        given = {name: np.broadcast_to(amounts, self.supported.shape) for name, amounts in uses.items()}
        return Candidates(
            opportunity_id=self.row_id, customer_id=customer_id, slot=slot, offer_ids=self.offer_ids,
            eligible=self.supported, value=self.predicted, currency=currency,
            uses={name: np.where(self.supported, amounts, 0.0) for name, amounts in given.items()},
        )  # fmt: skip


def doubly_robust_scores(
    *,
    row_id: np.ndarray,
    cluster: np.ndarray,
    arms: tuple[str, ...],
    control: str,
    action: np.ndarray,
    probability: np.ndarray,
    outcome: np.ndarray,
    predicted: np.ndarray,
) -> UpliftScores:
    """Return scores of every arm but ``control`` from a log of n customers over the arms.

    ``action`` (n,) is the index of the logged arm, ``probability`` (n, arms) that of the logging policy among these
    arms, 1 in sum, ``outcome`` (n,) what followed, and ``predicted`` (n, arms) the outcome expected under each arm by
    models that never saw the row (cross-fitted). The score of arm k is g_k - g_control with

        g_k = mu_k + 1[action = k] / p_k x (outcome - mu_k)

    (Robins, Rotnitzky and Zhao 1994; many arms as in Zhou, Athey and Wager 2023). Its mean is right when either the
    probabilities or the predictions are. BadInput (OP629, OP652, OP653) when the log cannot give scores.
    """
    _check(arms, control, action, probability, outcome, predicted)
    base = arms.index(control)
    offers = np.array([k for k in range(len(arms)) if k != base], dtype=np.int64)
    earned = _augmented(action, probability, outcome, predicted)
    supported = (probability[:, offers] > 0) & (probability[:, [base]] > 0)
    return UpliftScores(
        row_id=row_id,
        cluster=cluster,
        offer_ids=tuple(arms[k] for k in offers),
        predicted=np.where(supported, predicted[:, offers] - predicted[:, [base]], 0.0),
        score=np.where(supported, earned[:, offers] - earned[:, [base]], 0.0),
        supported=supported,
    )


def _augmented(action: np.ndarray, probability: np.ndarray, outcome: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    rows = np.arange(len(action))
    earned = predicted.astype(np.float64, copy=True)
    earned[rows, action] += (outcome - predicted[rows, action]) / probability[rows, action]
    return earned


def _check(
    arms: tuple[str, ...],
    control: str,
    action: np.ndarray,
    probability: np.ndarray,
    outcome: np.ndarray,
    predicted: np.ndarray,
) -> None:
    if control not in arms:
        message = f"is {control!r}: expected one of the arms {', '.join(arms)}"
        raise BadInput([_finding("OP652", "control", message, "name the arm whose customers were left alone")])
    shape = (len(outcome), len(arms))
    if not len(outcome):
        raise BadInput([_finding("OP652", "outcome", "has no rows: expected some of every arm", "give the log")])
    if probability.shape != shape or predicted.shape != shape:
        given = f"probability {probability.shape} and predicted {predicted.shape}"
        message = f"are {given}: expected {shape} for {shape[0]} outcomes and {shape[1]} arms"
        raise BadInput([_finding("OP652", "shapes", message, "give one column for each arm, the control included")])
    findings = [
        _finding(
            "OP653", f"row {', '.join(map(str, np.flatnonzero(rows)[:_SHOWN]))}", f"{int(rows.sum())} {says}", step
        )
        for rows, says, step in _doubts(action, probability, outcome, predicted)
        if rows.any()
    ]
    if findings:
        raise BadInput(findings)
    _refuse_untold(arms, action, probability, outcome)


def _refuse_untold(arms: tuple[str, ...], action: np.ndarray, probability: np.ndarray, outcome: np.ndarray) -> None:
    """Raise BadInput (OP629) where outcomes tell nothing: an arm that could be drawn and never was, or all alike."""
    undrawn = np.flatnonzero((probability > 0).any(axis=0) & (np.bincount(action, minlength=len(arms)) == 0))
    if len(undrawn):
        raise BadInput([hardly(f"arm '{arms[undrawn[0]]}'", "could have been drawn and never was: expected some rows")])
    if np.ptp(outcome) == 0.0:
        raise BadInput([hardly("outcome", f"is {outcome[0]:g} in all rows: expected some that differ")])


def _doubts(
    action: np.ndarray, probability: np.ndarray, outcome: np.ndarray, predicted: np.ndarray
) -> Iterator[tuple[np.ndarray, str, str]]:
    inside = (action >= 0) & (action < probability.shape[1])
    step = "name every arm; or leave such rows out and divide the others' probabilities by their sum"
    yield ~inside, "rows have an arm outside the list of arms", step
    made = probability[np.arange(len(action)), np.where(inside, action, 0)]
    yield ~(made > 0), "rows have an arm of probability zero", "log the probability that the draw had"
    within = np.asarray(((probability >= 0) & (probability <= 1)).all(axis=1))
    yield ~within, "rows have probabilities outside 0 to 1", "log probabilities as fractions"
    unsummed = np.asarray(~(np.abs(probability.sum(axis=1) - 1.0) <= _SUM_TOLERANCE))
    step = "name every arm that could be drawn; where rows of an arm are left out, divide the others by their sum"
    yield unsummed, "rows have probabilities that do not sum to 1", step
    yield ~np.isfinite(outcome), "outcomes are not known", "leave out what is not yet observed, and count it"
    yield ~np.isfinite(predicted).all(axis=1), "rows have predictions that are no numbers", "predict every arm"


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="uplift scores", subject=subject, message=message, next_step=step)
