"""One budget and many offers: the exact path of the best plan, by the convex hull of each customer's offers.

The best plan under one budget takes steps along each customer's upper convex hull of (cost, value), in the order of
value per unit of cost, over all customers (Sinha and Zoltners 1979, the linear multiple-choice knapsack; as a policy
path Sverdrup, Wu, Athey and Wager 2023). At most one group of equal steps is bought in part.
"""

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation.budget_walk import BudgetWalk, group_ends


def hull_walk(values: np.ndarray, costs: np.ndarray, gains: np.ndarray) -> BudgetWalk:
    """Return the path of the best plan for all budgets: chosen by ``values``, judged by ``gains``, all (n, K).

    ``costs`` (n, K) or (K,) are above zero, or BadInput (OP654). An offer whose value is not above zero, or that costs
    no less than one of at least its value, is never bought. With ``gains`` equal to ``values`` the gain at a budget is
    the optimum of the linear programme.
    """
    costs = np.broadcast_to(np.asarray(costs, dtype=np.float64), values.shape)
    _refuse_free(costs)
    row, offer, before, ratio = _hull_steps(values, costs)
    order = np.lexsort((np.arange(len(row)), row, -ratio))
    row, offer, before = row[order], offer[order], before[order]
    return BudgetWalk(
        customers=values.shape[0],
        offers=values.shape[1],
        row=row,
        offer=offer,
        before=before,
        cost=_step(costs, row, offer, before),
        gain=_step(gains, row, offer, before),
        ends=group_ends(-ratio[order]),
    )


def _refuse_free(costs: np.ndarray) -> None:
    wrong = ~(np.isfinite(costs) & (costs > 0))
    if wrong.any():
        message = f"{int(wrong.sum())} costs are not above zero: expected each offer to use some of the budget"
        step = "give what an offer costs more than the control, or leave free offers out of the path"
        subject = f"row {int(np.flatnonzero(wrong.any(axis=1))[0])}"
        raise BadInput([Finding(code="OP654", source="budget", subject=subject, message=message, next_step=step)])


def _hull_steps(values: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return row, offer, offer before and ratio of every hull step, by going round all hulls at once."""
    n, offers = values.shape
    rows, held = np.arange(n), np.full(n, -1, dtype=np.int64)
    limit = np.full(n, np.inf)
    found = []
    for _ in range(offers):
        steeper, best = _steepest(values[rows], costs[rows], held)
        go = steeper > 0
        if not go.any():
            break
        # Rounding must not let a later step look better than the one that it stands on.
        rows, before, held, limit = rows[go], held[go], best[go], np.minimum(steeper[go], limit[go])
        found.append((rows, held, before, limit))
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing, np.zeros(0)
    row, offer, before, ratio = (np.concatenate(each) for each in zip(*found, strict=True))
    return row, offer, before, ratio


def _steepest(values: np.ndarray, costs: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value per cost beyond the offer held, and its offer; of equals the dearest."""
    more_value = values - _held(values, held)[:, None]
    more_cost = costs - _held(costs, held)[:, None]
    able = (more_cost > 0) & (more_value > 0)
    ratio = np.divide(more_value, more_cost, out=np.zeros_like(more_value), where=able)
    top = ratio.max(axis=1)
    return top, np.argmax(np.where(able & (ratio == top[:, None]), costs, -np.inf), axis=1)


def _held(amounts: np.ndarray, held: np.ndarray) -> np.ndarray:
    inside = np.maximum(held, 0)
    return np.where(held >= 0, amounts[np.arange(len(held)), inside], 0.0)


def _step(amounts: np.ndarray, row: np.ndarray, offer: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.asarray(amounts[row, offer] - np.where(before >= 0, amounts[row, np.maximum(before, 0)], 0.0))
