"""A walk: steps in the order in which a budget buys them, and what they have gained at any budget."""

import msgspec
import numpy as np


class BudgetWalk(msgspec.Struct, frozen=True, kw_only=True):
    """m steps over n customers and K offers, the best first.

    Step j moves customer ``row[j]`` from offer ``before[j]`` (-1: none) to ``offer[j]`` for ``cost[j]`` > 0 and a
    judged ``gain[j]`` of any sign. Steps that are equally good are bought together, each in part, so that the order
    of customers changes nothing: ``ends`` (g,) are the positions of the last step of each group of equals.
    """

    customers: int
    offers: int
    row: np.ndarray
    offer: np.ndarray
    before: np.ndarray
    cost: np.ndarray
    gain: np.ndarray
    ends: np.ndarray

    def corners(self, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return total spend and total gain (g + 1,) at the corners of the path, zero first.

        ``weights`` (n,) count each customer that often, as a bootstrap does.
        """
        cost, gain = (
            (self.cost, self.gain)
            if weights is None
            else (self.cost * weights[self.row], self.gain * weights[self.row])
        )
        spent, gained = (np.concatenate([[0.0], np.cumsum(each)[self.ends]]) for each in (cost, gain))
        return spent, gained

    def gain_at(self, budgets: np.ndarray) -> np.ndarray:
        """Return total gain at total budgets (b,); past the end of the path more budget buys nothing."""
        return np.asarray(np.interp(budgets, *self.corners()))

    def probabilities_at(self, budget: float) -> np.ndarray:
        """Return the policy (n, K) that spends a total budget; probabilities between 0 and 1 in one group only."""
        spent, _ = self.corners()
        within = np.clip((budget - spent[:-1]) / np.maximum(np.diff(spent), np.finfo(float).tiny), 0.0, 1.0)
        bought = np.repeat(within, np.diff(np.concatenate([[-1], self.ends])))
        policy = np.zeros((self.customers, self.offers))
        np.add.at(policy, (self.row, self.offer), bought)
        moved = self.before >= 0
        np.subtract.at(policy, (self.row[moved], self.before[moved]), bought[moved])
        return np.clip(policy, 0.0, 1.0)


def group_ends(sorted_values: np.ndarray) -> np.ndarray:
    """Return the last position of each run of equal values in a sorted array."""
    if len(sorted_values) == 0:
        return np.zeros(0, dtype=np.int64)
    return np.append(np.flatnonzero(np.diff(sorted_values)), len(sorted_values) - 1)
