"""Shares: who gets what, whole or in part, and what that adds up to."""

import msgspec
import numpy as np

from opportune.allocation.problem import Problem

WHOLE = 1e-7
"""An amount this close to a whole number is one."""


class Shares(msgspec.Struct, frozen=True):
    """``choice`` (n,) of each opportunity, -1 for none and for those that are open.

    An open opportunity has pairs ``row``, ``offer``, ``amount`` (q,): how many of its copies get an offer. ``sums``
    (C, 1 + R) are the scaled value and the uses of all by cell.
    """

    choice: np.ndarray
    row: np.ndarray
    offer: np.ndarray
    amount: np.ndarray
    sums: np.ndarray

    def fractional(self) -> np.ndarray:
        """Return the open rows of which some copy gets an offer in part only."""
        return np.unique(self.row[np.abs(self.amount - np.rint(self.amount)) > WHOLE])


def use_of(problem: Problem, shares: Shares) -> np.ndarray:
    """Return the scaled mean use (m,) of each row."""
    return problem.rows_of_cells(shares.sums[:, 1:]) / max(problem.size, 1.0)


def value_of(problem: Problem, shares: Shares) -> float:
    """Return the scaled mean value of shares, less what soft rows charge for their excess."""
    soft = np.isfinite(problem.cap)
    excess = np.maximum(use_of(problem, shares) - problem.b, 0.0)
    return float(shares.sums[:, 0].sum()) / max(problem.size, 1.0) - float(np.sum(problem.cap[soft] * excess[soft]))


def sums_of_pairs(problem: Problem, row: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return the sums (C, 1 + R) by cell of amounts (q, 1 + R) that belong to some rows (q,) of the pool."""
    cell, cells = problem.pool.cell[row], problem.about.shape[1]
    return np.stack([np.bincount(cell, column, cells) for column in amounts.T], axis=1)
