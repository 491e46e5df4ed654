"""The certificate: what a plan uses and is worth, and a bound on every other plan, from the raw candidates.

This module reads limits by itself and shares no code with the solver: a mistake there cannot vouch for itself.

For any prices p >= 0 (and p <= the soft price where a row is soft) weak duality gives, for every plan that keeps the
limits, value <= g(p) = sum_r p_r b_r + sum_i max(0, max_k (v_ik - sum_r p_r a_rik)).
Nothing about how p was found enters the argument.

A plan that offers what is not eligible, or that keeps the limits and is worth more than the bound, is no plan but
a fault of the solver: it is refused, not reported.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from opportune.domain import Candidates, Certificate, Limit, LimitRow, OpportuneError, RowReport, Status

ROUNDING = 1e-9
"""Float64 sums of a million terms may put the value of a best plan this much above its bound, as a share of it."""
ROW_TOLERANCE = 1e-9
"""A row holds when its excess is at most this times the larger of |bound| and the sum of |use|: float64 sums of a
million terms differ by about 1e-12 with their order."""


def certify(
    candidates: Candidates,
    limits: Sequence[Limit],
    choice: np.ndarray,
    prices: Mapping[str, float],
    gap_asked: float,
    seed: int,
) -> Certificate:
    """Return the certificate of whole choices (n,) at the given prices. Negative prices count as zero in the bound.

    OpportuneError when a choice is not eligible, or when the value of a plan within the limits exceeds the bound.
    """
    _refuse_ineligible(candidates, choice)
    chosen = np.flatnonzero(choice >= 0)
    asked = [row for limit in limits for row in limit.rows()]
    rows = tuple(_report(candidates, row, chosen, choice, float(prices[row.name])) for row in asked)
    excess = sum(max(-row.slack, 0.0) * (limit.soft_price or 0.0) for limit, row in zip(asked, rows, strict=True))
    value = float(np.sum(candidates.value[chosen, choice[chosen]])) - excess
    net, constant = _priced(candidates, asked, prices)
    bound = constant + float(np.sum(np.maximum(net.max(axis=1, initial=0.0), 0.0)))
    gap = (bound - value) / max(abs(bound), 1.0)
    held = all(_holds(candidates, limit, row, chosen, choice) for limit, row in zip(asked, rows, strict=True))
    if held and not gap >= -ROUNDING:
        raise OpportuneError(f"the plan's value {value!r} exceeds its bound {bound!r}")
    return Certificate(
        status=_status(held, gap, gap_asked),
        value=value,
        bound=bound,
        gap=gap,
        gap_asked=gap_asked,
        rows=rows,
        opportunities=len(candidates),
        offered=len(chosen),
        repaired=_repaired(net, choice),
        data_hash=data_hash(candidates, limits),
        seed=seed,
    )


def _refuse_ineligible(candidates: Candidates, choice: np.ndarray) -> None:
    """Raise OpportuneError where a choice is not -1 and not the index of an eligible offer."""
    known = (choice >= -1) & (choice < len(candidates.offer_ids))
    made = np.where(known, np.maximum(choice, 0), 0)
    wrong = ~known | ((choice >= 0) & ~candidates.eligible[np.arange(len(choice)), made])
    if wrong.any():
        shown = ", ".join(map(str, candidates.opportunity_id[wrong][:3]))
        message = f"the plan makes {int(wrong.sum())} offers that are not eligible ({shown})"
        raise OpportuneError(message)


def _status(held: bool, gap: float, gap_asked: float) -> Status:
    if not held:
        return "infeasible"
    return "optimal" if gap <= gap_asked else "feasible"


def _report(candidates: Candidates, asked: LimitRow, chosen: np.ndarray, choice: np.ndarray, price: float) -> RowReport:
    total = float(np.sum(candidates.uses[asked.uses][chosen, choice[chosen]]))
    below = 1.0 if asked.per is None else float(np.sum(candidates.uses[asked.per][chosen, choice[chosen]]))
    return RowReport(
        name=asked.name,
        used=total / below if below else 0.0,
        limit=asked.bound,
        price=price,
        slack=asked.sign * (asked.bound * below - total),
        soft=asked.soft_price is not None,
    )


def _holds(candidates: Candidates, limit: LimitRow, row: RowReport, chosen: np.ndarray, choice: np.ndarray) -> bool:
    size = float(np.sum(np.abs(candidates.uses[limit.uses][chosen, choice[chosen]])))
    if limit.per is not None:
        size += abs(row.limit) * float(np.sum(np.abs(candidates.uses[limit.per][chosen, choice[chosen]])))
    else:
        size = max(size, abs(row.limit))
    return row.soft or row.slack >= -ROW_TOLERANCE * size


def _priced(candidates: Candidates, asked: Sequence[LimitRow], prices: Mapping[str, float]) -> tuple[np.ndarray, float]:
    """Return value less charges (n, K), -inf where not eligible, and the constant sum of price times bound."""
    net = candidates.value
    constant = 0.0
    for row in asked:
        highest = np.inf if row.soft_price is None else row.soft_price
        price = row.sign * min(max(float(prices[row.name]), 0.0), highest)
        net = net - price * candidates.uses[row.uses]
        if row.per is None:
            constant += price * row.bound
        else:
            net = net + price * row.bound * candidates.uses[row.per]
    return np.where(candidates.eligible, net, -np.inf), constant


def _repaired(net: np.ndarray, choice: np.ndarray) -> int:
    """Count the opportunities whose choice is not the one that prices alone make."""
    best = np.argmax(net, axis=1)
    alone = np.where(net[np.arange(len(net)), best] > 0.0, best, -1)
    return int(np.sum(alone != choice))


def data_hash(candidates: Candidates, limits: Sequence[Limit]) -> str:
    """Return the SHA-256 of everything that was solved: ids, eligibility, values, uses and limits."""
    digest = hashlib.sha256()
    for text in (
        "\n".join(map(str, candidates.opportunity_id)),
        "\n".join(candidates.offer_ids),
        repr(tuple(limits)),
    ):
        digest.update(text.encode() + b"\0")
    for name, array in (
        ("eligible", candidates.eligible),
        ("value", candidates.value),
        *sorted(candidates.uses.items()),
    ):
        digest.update(name.encode() + b"\0" + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
