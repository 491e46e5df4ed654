"""Delinquency by month of age: which share of the loans that will be paid is late, from the roll rates of a book.

Roll rates are taken as a Markov chain that starts with every loan current. With pi_m the shares of the states after m
months and u the probability of each state to end charged off, the loans that will not be charged off stand in state s
with pi_m(s) (1 - u(s)). Late are those 30 days or more past due. Loans that will be charged off are not among them: the
default hazards of the curves tell of those.
"""

from collections.abc import Iterator

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.roll_rates import FINAL, STATES, RollRates

OPEN = len(STATES) - len(FINAL)
LATE = STATES.index("30-59")
"""The first of the open states that is 30 days or more past due."""
LONG = 600
"""Months after which a loan has ended: what becomes of a state is followed so far."""


def late_that_cure(rolls: RollRates, months: int) -> np.ndarray:
    """Return, at the end of each month of age 0 to ``months``, the share of loans that is 30 days or more past due and
    will catch up, among open loans that will not be charged off: (months + 1,), zero at first.

    BadInput (OP472) when loans come into a state that nothing was seen to leave: what follows is not known then.
    """
    moves = _moves(rolls)
    charged_off = np.zeros(len(STATES))
    charged_off[STATES.index("charged off")] = 1.0
    for _ in range(LONG):
        charged_off = (moves * charged_off).sum(axis=1)
    now = np.zeros(len(STATES))
    now[STATES.index("current")] = 1.0
    shares = np.zeros(months + 1)
    for month in range(months + 1):
        paying = (now * (1.0 - charged_off))[:OPEN]
        shares[month] = paying[LATE:].sum() / paying.sum() if paying.sum() > 0.0 else 0.0
        now = (now[:, None] * moves).sum(axis=0)
    return shares


def _moves(rolls: RollRates) -> np.ndarray:
    """Return the rates with ends that are kept, and states that loans never come to kept too."""
    moves = rolls.rates.copy()
    moves[OPEN:] = np.eye(len(STATES))[OPEN:]
    unknown = np.isnan(moves).any(axis=1)
    reached = np.nansum(moves[~unknown], axis=0) > 0.0
    dead_ends = [name for name, lost in zip(STATES, unknown & (reached | (np.arange(len(STATES)) == 0)), strict=True)
                 if lost]  # fmt: skip
    if dead_ends:
        raise BadInput([_dead_end(name) for name in dead_ends])
    moves[unknown] = np.eye(len(STATES))[unknown]
    return moves


def _dead_end(state: str) -> Finding:
    message = f"{state} has no moves out of it: expected the month after, of some loans"
    return _finding("roll rates", message, "add the months that follow, or count over a longer time")


def check_shares(name: str, shares: np.ndarray, segments: int) -> Iterator[Finding]:
    """Yield findings (OP472) about shares by month of age that cannot be: (T,) for all loans, or (S, T) by segment."""
    shape = np.shape(shares)
    if len(shape) not in (1, 2) or shape[-1] < 1 or (len(shape) == 2 and shape[0] != segments):
        message = f"has shape {shape}: expected months of age (T,), or segments and months ({segments}, T)"
        yield _finding(name, message, "give one share per month of age, from month 0")
        return
    if not np.all((shares >= 0.0) & (shares <= 1.0)):
        yield _finding(name, "holds what is no share: expected 0 to 1 in every month", "write per cent as a fraction")
    elif np.any(shares[..., 0] != 0.0):
        message = f"is {np.max(shares[..., 0]):g} in month 0: expected 0, because no loan is late when it is made"
        yield _finding(name, message, "let the first month be 0")


def shares_of_loans(shares: np.ndarray, segment: np.ndarray, months: int) -> np.ndarray:
    """Return the shares of each loan by month of age (n, months + 1); after their last month they stay as they are."""
    rows = np.atleast_2d(shares)
    month = np.minimum(np.arange(months + 1), rows.shape[1] - 1)
    return np.asarray(rows[segment if len(rows) > 1 else np.zeros_like(segment)][:, month])


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP472", source="accounts", subject=subject, message=message, next_step=step)
