"""The certificate: what a plan uses and is worth, and a bound on every other plan, from the raw candidates.

This module reads limits by itself and shares no code with the solver: a mistake there cannot vouch for itself.

For any prices p >= 0 (and p <= the soft price where a row is soft) weak duality gives, for every plan that keeps the
limits, value <= g(p) = sum_r p_r b_r + sum over customers of the sum of their c largest
max(0, max_k (v_ik - sum_r p_r a_rik)), where c is the number of offers that a customer may get.
Nothing about how p was found enters the argument.

A plan that offers what is not eligible, or that keeps the limits and is worth more than the bound, is no plan but
a fault of the solver: it is refused, not reported.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import numpy as np

from opportune.allocation.digest import data_hash, digest_of
from opportune.domain import (
    CandidateBlocks,
    Candidates,
    Certificate,
    Limit,
    LimitRow,
    OpportuneError,
    Places,
    Plan,
    Reserved,
    RowReport,
    Status,
    limit_rows,
    places_of,
)

ROUNDING = 1e-9
"""Float64 sums of a million terms may put the value of a best plan this much above its bound, as a share of it."""
ROW_TOLERANCE = 1e-9
"""A row holds when its excess is at most this times the larger of |bound| and the sum of |use|: float64 sums of a
million terms differ by about 1e-12 with their order."""
THREADS = 2
"""Blocks are counted side by side; their sums are added in order, so the bits do not depend on this."""


class Counted(msgspec.Struct, frozen=True):
    """What one block adds: to each row (m,) its use, the use of its ``per`` and the sum of their magnitudes; to the
    value; the net value (b,) of each best choice at the prices; how many choices are offers and how many the prices
    alone would not make; ids that were offered what is not eligible; and the digest of all its numbers.
    """

    used: np.ndarray
    below: np.ndarray
    size: np.ndarray
    value: float
    top: np.ndarray
    offered: int
    repaired: int
    wrong: tuple[str, ...]
    digest: bytes


def certify(
    candidates: CandidateBlocks,
    limits: Sequence[Limit],
    choice: np.ndarray,
    prices: Mapping[str, float],
    gap_asked: float,
    seed: int,
    reserved: Mapping[str, Reserved] | None = None,
    most: int | None = None,
    interrupted: bool = False,
    data: bytes | None = None,
) -> Certificate:
    """Return the certificate of whole choices (n,) at the given prices. Negative prices count as zero in the bound.

    ``reserved`` maps a row to what of it is not there to be planned; ``most`` is the number of offers that a customer
    may get; ``data`` the digests of the blocks where they are known, as along a frontier. OpportuneError when a choice
    is not eligible, a customer gets too many offers, or the value of a plan within the limits exceeds the bound.
    """
    places = places_of(limits, candidates.attribute_blocks())
    asked = limit_rows(places, reserved)
    counted = list(_counted(candidates, places, asked, choice, prices, hashed=data is None))
    _refuse_ineligible(counted)
    customers = None if most is None else _customers(candidates)
    if customers is not None and most is not None:
        _refuse_too_many(customers, choice, most)
    rows = tuple(
        _report(row, r, counted, float(prices[row.name]), None if places[row.source].everywhere else row.of_place)
        for r, row in enumerate(asked)
    )
    excess = sum(max(-row.slack, 0.0) * (limit.soft_price or 0.0) for limit, row in zip(asked, rows, strict=True))
    value = float(np.sum([each.value for each in counted])) - excess
    bound = _constant(asked, prices) + _best(counted, customers, most)
    gap = (bound - value) / max(abs(bound), 1.0)
    held = all(_holds(row, report, r, counted) for r, (row, report) in enumerate(zip(asked, rows, strict=True)))
    if held and value > bound + ROUNDING * max(abs(bound), 1.0):
        raise OpportuneError(f"the plan's value {value!r} exceeds its bound {bound!r}, which cannot be")
    return Certificate(
        status=_status(held, gap, gap_asked, interrupted),
        value=value,
        bound=bound,
        gap=gap,
        gap_asked=gap_asked,
        rows=rows,
        opportunities=len(candidates),
        offered=sum(each.offered for each in counted),
        repaired=sum(each.repaired for each in counted),
        data_hash=data_hash(
            candidates.offer_ids, limits, most, reserved, data or b"".join(each.digest for each in counted)
        ),
        seed=seed,
    )


def certify_mixture(
    candidates: Candidates,
    limits: Sequence[Limit],
    probability: np.ndarray,
    plan: Plan,
    base: float,
    reserved: Mapping[str, Reserved] | None = None,
    most: int | None = None,
) -> Certificate:
    """Return the certificate of probabilities (n, K) that a plan and its exploring amount to, in expectation.

    ``plan`` is the part that was chosen, planned with what exploring uses reserved, and ``base`` what the explored
    offers are worth: together they bound every plan that explores the same. Value and uses are recomputed from the
    probabilities alone. OpportuneError where they are none of eligible offers, do not come to the plan's, or could be
    drawn so that a customer gets more than ``most`` offers.
    """
    wrong = (probability < 0.0) | (probability > 0.0) & ~candidates.eligible
    if wrong.any() or np.any(probability.sum(axis=1) > 1.0 + ROUNDING):
        raise OpportuneError("the plan's probabilities are none: negative, above one, or of offers not eligible")
    if most is not None:
        _refuse_too_many(_customers(candidates), np.where((probability > 0.0).any(axis=1), 0, -1), most)
    places = places_of(limits, candidates.attribute_blocks())
    codes = [each.codes(candidates.attributes) for each in places]
    expected = {name: np.sum(probability * amounts, axis=1) for name, amounts in candidates.uses.items()}
    chosen, rows, excess = plan.certificate, [], 0.0
    for row, planned in zip(limit_rows(places, reserved), plan.certificate.rows, strict=True):
        about = row.multiplier(codes[row.source])
        used, per = (
            float(np.sum(_times(expected[name], about))) if name is not None else 1.0 for name in (row.uses, row.per)
        )
        used, per = used + row.opening, per + (row.opening_per if row.per is not None else 0.0)
        slack = row.sign * (row.bound * per - used) - row.margin
        if abs(slack - planned.slack) > ROUNDING * max(abs(row.bound * per), abs(used), 1.0):
            raise OpportuneError(f"the probabilities leave {slack!r} of {row.name}, the plan {planned.slack!r}")
        rows.append(msgspec.structs.replace(planned, used=used / per if per else 0.0, slack=slack))
        excess += max(-slack, 0.0) * (row.soft_price or 0.0)
    value, bound = float(np.sum(probability * candidates.value)) - excess, chosen.bound + base
    gap = (bound - value) / max(abs(bound), 1.0)
    return msgspec.structs.replace(
        chosen, rows=tuple(rows), value=value, bound=bound, gap=gap,
        data_hash=data_hash(
            candidates.offer_ids, limits, most, reserved, b"".join(map(digest_of, candidates.blocks()))
        ),
        status=_status(chosen.status != "infeasible", gap, chosen.gap_asked, chosen.status == "interrupted"),
    )  # fmt: skip


def _counted(
    candidates: CandidateBlocks,
    places: Sequence[Places],
    asked: Sequence[LimitRow],
    choice: np.ndarray,
    prices: Mapping[str, float],
    hashed: bool,
) -> Iterator[Counted]:
    """Yield what each block adds, in order; a few blocks are counted ahead, so that few are in memory."""
    ahead: deque[Future[Counted]] = deque()
    start = 0
    with ThreadPoolExecutor(THREADS) as workers:
        for block in candidates.blocks():
            ahead.append(
                workers.submit(_count, block, places, asked, choice[start : start + len(block)], prices, hashed)
            )
            start += len(block)
            if len(ahead) > 2 * THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _count(
    block: Candidates,
    places: Sequence[Places],
    asked: Sequence[LimitRow],
    choice: np.ndarray,
    prices: Mapping[str, float],
    hashed: bool,
) -> Counted:
    known = (choice >= -1) & (choice < len(block.offer_ids))
    chosen = np.flatnonzero(known & (choice >= 0))
    offer = choice[chosen]
    wrong = ~known
    wrong[chosen] |= ~block.eligible[chosen, offer]
    codes = [each.codes(block.attributes) for each in places]
    used, below, size = np.zeros((3, len(asked)))
    taken = {name: block.uses[name][chosen, offer] for name in sorted(_resources(asked))}
    for r, row in enumerate(asked):
        about = row.multiplier(None if (at := codes[row.source]) is None else at[chosen])
        amounts = _times(taken[row.uses], about)
        used[r], size[r] = amounts.sum(), np.abs(amounts).sum()
        if row.per is not None:
            amounts = _times(taken[row.per], about)
            below[r] = amounts.sum()
            size[r] += abs(row.bound) * np.abs(amounts).sum()
    net = _net(block, codes, asked, prices)
    best = np.argmax(net, axis=1)
    top = net[np.arange(len(block)), best]
    alone = np.where(top > 0.0, best, -1)
    return Counted(
        used, below, size, float(np.sum(block.value[chosen, offer])), np.maximum(top, 0.0), len(chosen),
        int(np.sum(alone != choice)), tuple(map(str, block.opportunity_id[wrong])),
        digest_of(block) if hashed else b"",
    )  # fmt: skip


def _resources(asked: Sequence[LimitRow]) -> set[str]:
    return {name for row in asked for name in (row.uses, row.per) if name is not None}


def _times(amounts: np.ndarray, about: np.ndarray | None) -> np.ndarray:
    return amounts if about is None else about * amounts


def _net(
    block: Candidates, codes: Sequence[np.ndarray | None], asked: Sequence[LimitRow], prices: Mapping[str, float]
) -> np.ndarray:
    """Return value less charges (b, K), -inf where not eligible."""
    charges: dict[str, np.ndarray | float] = {}
    for row in asked:
        if (price := _signed_price(row, prices)) != 0.0:
            about = row.multiplier(codes[row.source])
            charge = price if about is None else price * about
            charges[row.uses] = charges.get(row.uses, 0.0) + charge
            if row.per is not None:
                charges[row.per] = charges.get(row.per, 0.0) - row.bound * charge
    net = np.where(block.eligible, block.value, -np.inf)
    for resource, charge in charges.items():
        per_row = charge[:, None] if isinstance(charge, np.ndarray) else charge
        np.subtract(net, per_row * block.uses[resource], out=net, where=block.eligible)
    return net


def _signed_price(row: LimitRow, prices: Mapping[str, float]) -> float:
    """Return the price of a row that bounds may use: zero or more, at most the soft price; a floor's pays for use."""
    highest = np.inf if row.soft_price is None else row.soft_price
    return row.sign * min(max(float(prices[row.name]), 0.0), highest)


def _constant(asked: Sequence[LimitRow], prices: Mapping[str, float]) -> float:
    return sum(_signed_price(row, prices) * row.right for row in asked)


def _customers(candidates: CandidateBlocks) -> np.ndarray:
    """Return the number (n,) of each opportunity's customer, in the order in which customers first come."""
    places: dict[object, int] = {}
    numbers = [[places.setdefault(each, len(places)) for each in block.customer_id] for block in candidates.blocks()]
    return np.array([number for part in numbers for number in part], dtype=np.int64)


def _best(counted: Sequence[Counted], customers: np.ndarray | None, most: int | None) -> float:
    """Return the sum over customers of what their best choices net, of each customer the ``most`` largest."""
    if customers is None or most is None:
        return float(np.sum([np.sum(each.top) for each in counted]))
    top = np.concatenate([each.top for each in counted]) if counted else np.zeros(0)
    order = np.lexsort((-top, customers))
    begins = np.flatnonzero(np.diff(customers[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff([*begins, len(order)]))
    return float(np.sum(top[order[rank < most]]))


def _refuse_ineligible(counted: Sequence[Counted]) -> None:
    """Raise OpportuneError where a choice is not -1 and not the index of an eligible offer."""
    wrong = [one for each in counted for one in each.wrong]
    if wrong:
        message = f"the plan makes {len(wrong)} offers that are not eligible ({', '.join(wrong[:3])})"
        raise OpportuneError(message)


def _refuse_too_many(customers: np.ndarray, choice: np.ndarray, most: int) -> None:
    """Raise OpportuneError where a customer gets more offers than it may."""
    over = int(np.sum(np.bincount(customers, choice >= 0) > most)) if len(choice) else 0
    if over:
        raise OpportuneError(f"the plan makes more than {most} offers to {over} customers")


def _status(held: bool, gap: float, gap_asked: float, interrupted: bool) -> Status:
    if not held:
        return "infeasible"
    if interrupted:
        return "interrupted"
    return "optimal" if gap <= gap_asked else "feasible"


def _report(asked: LimitRow, r: int, counted: Sequence[Counted], price: float, about: int | None) -> RowReport:
    total = asked.opening + float(np.sum([each.used[r] for each in counted]))
    below = 1.0 if asked.per is None else asked.opening_per + float(np.sum([each.below[r] for each in counted]))
    return RowReport(
        name=asked.name,
        used=total / below if below else 0.0,
        limit=asked.bound,
        price=price,
        slack=asked.sign * (asked.bound * below - total) - asked.margin,
        soft=asked.soft_price is not None,
        margin=asked.margin,
        about=about,
    )


def _holds(asked: LimitRow, row: RowReport, r: int, counted: Sequence[Counted]) -> bool:
    size = abs(asked.opening) + float(np.sum([each.size[r] for each in counted]))
    size += abs(row.limit) * abs(asked.opening_per) if asked.per is not None else 0.0
    size = max(size, abs(row.limit)) if asked.per is None else size
    return row.soft or row.slack >= -ROW_TOLERANCE * size
