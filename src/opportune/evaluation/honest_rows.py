"""Rows that judge a choice must not be rows that made it."""

import numpy as np

from opportune.domain import BadInput, Finding

_SHOWN = 3


def refuse_overlap(judged: np.ndarray, used_for_choosing: np.ndarray) -> None:
    """Raise BadInput (OP651) when a row that judges (n,) is among those used for choosing (m,), both given by id.

    What chooses is all that looked at outcomes: the rows that taught a ranking, tuned it, or picked it among others.
    An empty array says that no row did.
    """
    if len(used_for_choosing) == 0:
        return
    shared = np.intersect1d(np.asarray(judged).astype(str), np.asarray(used_for_choosing).astype(str))
    if len(shared):
        message = (
            f"were used for choosing: {len(shared)} of {len(judged)} rows. Expected none, because a choice looks good "
            "on the rows that made it"
        )
        step = "choose on one part of the customers and judge on another"
        raise BadInput(
            [Finding(code="OP651", source="rows that judge", subject=", ".join(map(str, shared[:_SHOWN])),
                     message=message, next_step=step)]
        )  # fmt: skip
