"""Completion of some rows only: those that reached the stage at which an outcome exists.

Whoever did not reach it has no open outcome and was never at risk: counted among the others, they would thin every
hazard and mean that open rows are completed by.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from opportune.evaluation.delayed import Completion


class Among(msgspec.Struct, frozen=True):
    """A completion of all rows that is learned from, and completes, those of the mask ``rows`` (n,) alone."""

    completion: Completion
    rows: np.ndarray

    @property
    def of_one_outcome(self) -> bool:
        """Whether that of the rows of the mask does."""
        return self.completion.of_one_outcome

    def take(self, rows: np.ndarray) -> "Among":
        """Return the completion of the given rows (indices or mask)."""
        return Among(self.completion.take(rows), self.rows[rows])

    def is_open(self, outcome: np.ndarray) -> np.ndarray:
        """Return the rows (n,) of the mask whose outcome is not yet known."""
        found = np.zeros(len(outcome), dtype=bool)
        found[self.rows] = self._inner().is_open(outcome[self.rows])
        return found

    def known(self, outcome: np.ndarray) -> np.ndarray:
        """Return the outcome (n,) as far as it is known: as it is outside the mask."""
        found = np.array(outcome, dtype=np.float64)
        found[self.rows] = self._inner().known(outcome[self.rows])
        return found

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows of the mask that tell what open ones among ``rows`` (n,) come to."""
        found = np.zeros(len(rows), dtype=bool)
        found[self.rows] = self._inner().alike(rows[self.rows])
        return found

    def of(self, function: Callable[[np.ndarray], np.ndarray]) -> "Among":
        """Return the completion of a function of the outcome."""
        return Among(self.completion.of(function), self.rows)

    def shared(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the columns (n, s) that serve every function of the outcome, zero outside the mask."""
        return self._beside(self._inner().shared(outcome[self.rows], weights[self.rows]))

    def own(self, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the columns (n, o) of this outcome, zero outside the mask."""
        return self._beside(self._inner().own(outcome[self.rows], weights[self.rows]))

    def missing(self, shared: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return sum w y over the open rows (...) from the totals (..., s) and (..., o)."""
        return self._inner().missing(shared, own)

    def _inner(self) -> Completion:
        return self.completion.take(self.rows)

    def _beside(self, columns: np.ndarray) -> np.ndarray:
        everyone = np.zeros((len(self.rows), columns.shape[1]))
        everyone[self.rows] = columns
        return everyone
