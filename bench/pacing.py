"""Pacing against traffic that is not what was forecast: what is spent and earned with fixed and with paced prices.

A day of four segments is forecast, and prices come from a plan of it. The day that comes has more traffic, another mix,
or other busy hours. Offers are made at prices alone, with no hard stop, so that what prices do can be seen.
"""

from datetime import UTC, datetime

import msgspec
import numpy as np

from bench.result import result
from opportune.allocation import PriceList, allocate, paced, still_planned
from opportune.decisioning import choose, unit_charges
from opportune.domain import AsOf, Candidates, Limit

OPPORTUNITIES = 12_000
STRETCHES = 96
OFFERS = 4
MIX = np.array([0.4, 0.3, 0.2, 0.1])
OTHER_MIX = np.array([0.15, 0.25, 0.3, 0.3])
TWO_PEAKS = 1.0 + 0.8 * np.sin(np.linspace(0.0, 4.0 * np.pi, STRETCHES)) + 0.5 * np.linspace(-1.0, 1.0, STRETCHES)
LIMITS = ("budget", "expected loss")


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """How a day differs from its forecast: ``volume`` as a factor, ``mix`` of segments, ``shape`` over the day."""

    volume: float = 1.0
    mix: tuple[float, ...] = tuple(MIX.tolist())
    shape: tuple[float, ...] = (1.0,) * STRETCHES


DAYS = {
    "more_traffic": Day(volume=1.4),
    "less_traffic": Day(volume=0.7),
    "other_mix": Day(mix=tuple(OTHER_MIX.tolist())),
    "other_hours": Day(shape=tuple(TWO_PEAKS.tolist())),
    "all_at_once": Day(volume=1.4, mix=tuple(OTHER_MIX.tolist()), shape=tuple(TWO_PEAKS.tolist())),
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a day came to: ``spent`` over the limit, by limit, and ``value`` over that of the best plan in hindsight."""

    spent: dict[str, float]
    value: float


def pacing_results() -> list[dict]:
    """Return how far from the budget each day ends, paced beside fixed prices, and the value lost to hindsight."""
    found = []
    for name, day in DAYS.items():
        fixed, steered = simulated(day, pace=False), simulated(day, pace=True)
        off, rival = (abs(each.spent["budget"] - 1.0) for each in (steered, fixed))
        found.append(
            result(f"allocation.paced_{name}_off_budget", off, "of the budget", rival=("fixed prices", rival), bar=0.03)
        )
        lost = 1.0 - steered.value
        found.append(result(f"allocation.paced_{name}_value_lost", lost, "of the best in hindsight", bar=0.05))
    return found


def simulated(day: Day, pace: bool, seed: int = 1) -> Outcome:
    """Return what comes of a day whose prices are those of a plan of the forecast, paced or left as they are."""
    forecast, limits = traffic(Day(), seed)[0], limits_of()
    planned = allocate(forecast, limits, gap=1e-3)
    used = {row.name: row.used for row in planned.certificate.rows}
    worth = {name: planned.certificate.value / used[name] for name in LIMITS}
    prices = PriceList(prices=planned.prices, places=planned.places, valid_from=_hour(0), valid_until=_hour(23))
    come, stretch = traffic(day, seed + 1)
    asked = {limit.name: float(limit.at_most or 0.0) for limit in limits}
    total, value = dict.fromkeys(LIMITS, 0.0), 0.0
    for at in range(STRETCHES):
        now = come.rows(np.flatnonzero(stretch == at))
        plan = still_planned(asked, total, share_of(np.bincount(stretch, minlength=STRETCHES)[: at + 1]))
        spent, earned = _made(now, prices)
        total = {name: total[name] + spent[name] for name in LIMITS}
        value += earned
        prices = paced(prices, spent, plan, worth) if pace else prices
    best = allocate(come, limits, gap=1e-3).certificate.value
    return Outcome(spent={name: total[name] / asked[name] for name in LIMITS}, value=value / best)


def share_of(seen: np.ndarray) -> float:
    """Return the last stretch's share of what comes from it on, from the traffic ``seen`` so far and the forecast.

    What is still to come is the forecast at the level of what was seen. By the clock alone busy hours would starve.
    """
    level = float(np.sum(seen)) / (len(seen) * OPPORTUNITIES / STRETCHES)
    to_come = level * (STRETCHES - len(seen)) * OPPORTUNITIES / STRETCHES
    return float(seen[-1] / max(seen[-1] + to_come, 1.0))


def _made(now: Candidates, prices: PriceList) -> tuple[dict[str, float], float]:
    """Return what offers made at the prices use, by limit, and what they are worth."""
    chosen = choose(now, unit_charges(prices.places, prices.prices, now.attributes)).probability
    spent = {
        each.limit.name: float(np.sum(chosen * now.uses[each.limit.uses])) for each in prices.places
    }  # fmt: skip
    return spent, float(np.sum(chosen * now.value))


def traffic(day: Day, seed: int) -> tuple[Candidates, np.ndarray]:
    """Return the opportunities of a day, and the stretch (n,) in which each comes."""
    draw = np.random.default_rng(seed)
    count = round(OPPORTUNITIES * day.volume)
    shape = np.array(day.shape) / np.sum(day.shape)
    stretch = np.sort(draw.choice(STRETCHES, count, p=shape))
    segment = draw.choice(len(MIX), count, p=np.array(day.mix))
    lent = draw.gamma(3.0, 60.0, (count, 1)) * (1.0 + 0.35 * np.arange(OFFERS))
    take_up = draw.beta(2.0, 4.0, (count, 1)) * (0.6 + 0.25 * segment[:, None])
    loss = lent * take_up * draw.beta(1.0, 20.0, (count, 1)) * (1.0 + 0.15 * np.arange(OFFERS))
    cost = 0.5 + 0.015 * lent * take_up * draw.uniform(0.5, 1.5, (count, OFFERS))
    ids = np.arange(count).astype(str).astype(object)
    candidates = Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=tuple(f"k{k}" for k in range(OFFERS)),
        eligible=np.ones((count, OFFERS), dtype=bool),
        value=lent * take_up * draw.uniform(0.04, 0.14, (count, OFFERS)) - 0.6 * loss,
        uses={"cost": cost, "loss": loss}, currency="USD",
    )  # fmt: skip
    return candidates, stretch


def limits_of() -> list[Limit]:
    """Return a budget that binds, and a limit on expected loss that binds as soon as traffic grows."""
    return [
        Limit(name="budget", uses="cost", at_most=0.8 * OPPORTUNITIES),
        Limit(name="expected loss", uses="loss", at_most=1.65 * OPPORTUNITIES),
    ]


def _hour(hour: int) -> AsOf:
    return AsOf(datetime(2026, 3, 2, hour, tzinfo=UTC))
