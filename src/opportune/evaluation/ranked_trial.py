"""The outcomes of a two-arm trial ranked by a score: what every published uplift measure is computed from."""

from collections.abc import Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.honest_rows import refuse_overlap
from opportune.evaluation.ranking import refuse_not_numbers
from opportune.evaluation.untold import hardly


class RankedTrial(msgspec.Struct, frozen=True, kw_only=True):
    """``outcome`` (n,), ``treated`` (n,) of 0 or 1, and the ``score`` (n,) that ranks, largest first.

    ``used_for_choosing`` (m,) are the ids of all rows that taught or tuned the score: one of them among ``row_id`` (n,)
    is an error (OP651), and so are an arm without rows (OP655), an outcome or a score that is no number (OP661), and
    outcomes that are all the same (OP629).
    """

    row_id: np.ndarray
    outcome: np.ndarray
    treated: np.ndarray
    score: np.ndarray
    used_for_choosing: np.ndarray

    def __post_init__(self) -> None:
        refuse_overlap(self.row_id, self.used_for_choosing)
        arms = np.unique(self.treated)
        if not np.array_equal(arms, [0, 1]):
            step = "give a treated and a control arm; with several offers use qini_path"
            raise BadInput(
                [_finding(f"holds {', '.join(map(str, arms.tolist()))}: expected 0 and 1, both of them", step)]
            )
        refuse_not_numbers([("outcome", self.outcome), ("score", self.score)])
        if len(self.outcome) and np.ptp(self.outcome) == 0.0:
            message = f"is {self.outcome[0]:g} in all {len(self)} rows: expected some that differ"
            raise BadInput([hardly("outcome", message)])

    def __len__(self) -> int:
        return len(self.outcome)


def refuse_one_arm(groups: Sequence[np.ndarray]) -> None:
    """Raise BadInput (OP655) when the best customers, those of each arm (2,), are of one arm only."""
    if not all(map(len, groups)):
        message = f"has {len(groups[0])} treated and {len(groups[1])} control rows in the best share: expected both"
        raise BadInput([_finding(message, "take a larger share")])


def refuse_amounts(trial: RankedTrial) -> None:
    """Raise BadInput (OP662) where an outcome is neither 0 nor 1."""
    others = trial.outcome[~np.isin(trial.outcome, (0, 1))]
    if len(others):
        shown = ", ".join(f"{each:g}" for each in others[:3])
        message = f"is neither 0 nor 1 in {len(others)} of {len(trial)} rows ({shown}): expected a yes or a no"
        step = "take another convention, qini with 'sklift', or policy_curve"
        raise BadInput([Finding(code="OP662", source="trial", subject="outcome", message=message, next_step=step)])


def _finding(message: str, step: str) -> Finding:
    return Finding(code="OP655", source="trial", subject="treated", message=message, next_step=step)


class RunningCounts(msgspec.Struct, frozen=True):
    """Sums over the k best customers: customers and outcome of the treated, and of the control."""

    treated: np.ndarray
    control: np.ndarray
    outcome_treated: np.ndarray
    outcome_control: np.ndarray


def running_counts(trial: RankedTrial, order: np.ndarray) -> RunningCounts:
    """Return the sums at k = 1..n in the given order of customers."""
    treated, outcome = trial.treated[order].astype(np.float64), trial.outcome[order].astype(np.float64)
    return RunningCounts(
        np.cumsum(treated), np.cumsum(1.0 - treated), np.cumsum(outcome * treated), np.cumsum(outcome * (1.0 - treated))
    )
