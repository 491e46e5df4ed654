"""Proof of intervals: streams whose truth is known, drawn thousands of times, and how often intervals hold it.

A stream is 5,000 decisions about 2,500 customers, two each, who share their luck; 10 offers, each logged with at least
2 %. Outcomes are a take-up times an amount, so most are zero. The policy that is judged makes the offer that looks best
by a score of its own.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import msgspec
import numpy as np
from numba import set_num_threads

from bench.coverage_special import Told, special_run, within
from bench.result import result, told
from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    Bounds,
    FixedOffers,
    HazardCompletion,
    Interval,
    LoggedDecisions,
    compare,
    estimate,
    fixed_choice,
    limit_evidence,
    path_of,
)

RUNS, DECISIONS, OFFERS, FLOOR, DAYS = 2_000, 5_000, 10, 0.02, 250
FEW_RUNS, REPLICATES, LOOKS, HORIZON = 400, 500, 25, 6
DAILY_RUNS, FIRST_DAY = 200, 10
"""The asymptotic sequence is looked at from the day on which 100 customers are known: before, it promises nothing."""
LARGEST = 2.2
"""No outcome is above 1.5 times the largest amount, 1.45."""
K = np.arange(OFFERS)
ROW_ARRAYS = ("decision_id", "customer_id", "slot", "action", "eligible", "probability", "outside", "cluster")


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A log, the offers of the policy that is judged and of its rival, and the true mean of every offer (n, K)."""

    logged: LoggedDecisions
    choice: np.ndarray
    rival: np.ndarray
    mean: np.ndarray
    day: np.ndarray

    def policies(self) -> list[FixedOffers]:
        """Return the policy and its rival."""
        return [fixed_choice("best", self.choice, OFFERS), fixed_choice("rival", self.rival, OFFERS)]

    def take(self, rows: np.ndarray) -> "Stream":
        """Return the stream of some rows."""
        log = self.logged
        logged = LoggedDecisions(
            **{name: getattr(log, name)[rows] for name in ROW_ARRAYS}, offer_ids=log.offer_ids,
            outcome={name: values[rows] for name, values in log.outcome.items()},
        )  # fmt: skip
        arrays = {name: getattr(self, name)[rows] for name in ("choice", "rival", "mean", "day")}
        return Stream(logged=logged, **arrays)

    def outcome(self, values: np.ndarray) -> "Stream":
        """Return the stream with another outcome."""
        return msgspec.structs.replace(self, logged=msgspec.structs.replace(self.logged, outcome={"outcome": values}))


def stream(seed: int) -> Stream:
    """Return one stream; its truth is that of ``truth``."""
    draw, rows = np.random.default_rng(seed), np.arange(DECISIONS)
    x = draw.random((DECISIONS, 2))
    score = np.cos(2.0 * np.pi * (x[:, :1] - K / OFFERS))
    wanted = np.exp(1.5 * np.cos(2.0 * np.pi * (x[:, 1:] - K / OFFERS)) + score)
    probability = FLOOR + (1.0 - OFFERS * FLOOR) * wanted / wanted.sum(axis=1, keepdims=True)
    action = (draw.random((DECISIONS, 1)) > np.cumsum(probability, axis=1)).sum(axis=1).clip(0, OFFERS - 1)
    customer, day = rows // 2, rows * DAYS // DECISIONS
    luck = draw.choice([0.5, 1.5], DECISIONS)[customer]
    rate, amount = 0.25 + 0.1 * score + 0.05 * x[:, 1:], 1.0 + 0.05 * K
    taken = draw.random(DECISIONS) < luck * rate[rows, action]
    lent = taken * amount[action]
    loss = lent * (draw.random(DECISIONS) < 0.1 + 0.02 * action)
    logged = LoggedDecisions(
        decision_id=rows, customer_id=customer, slot=rows % 2, offer_ids=tuple(map(str, K)), action=action,
        eligible=np.ones(probability.shape, dtype=bool), probability=probability, outside=np.zeros(DECISIONS),
        outcome={"outcome": lent * draw.uniform(0.5, 1.5, DECISIONS), "lent": lent, "loss": loss}, cluster=customer,
        decided_at=np.datetime64("2025-01-01") + day,
    )  # fmt: skip
    best = np.argmax(score, axis=1)
    return Stream(logged=logged, choice=best, rival=(best + 3) % OFFERS, mean=rate * amount, day=day)


@cache
def truth() -> dict[str, float]:
    """Return the means under the policy, its rival and the difference, over a fine grid of the two features."""
    side = (np.arange(2000) + 0.5) / 2000
    score = np.cos(2.0 * np.pi * (side[:, None] - K / OFFERS))
    rate, amount = 0.25 + 0.1 * score + 0.025, 1.0 + 0.05 * K
    rows, best = np.arange(2000), np.argmax(score, axis=1)
    lent = rate * amount
    value, rival = (float(np.mean(lent[rows, k])) for k in (best, (best + 3) % OFFERS))
    loss = float(np.mean((lent * (0.1 + 0.02 * K))[rows, best]))
    return {"value": value, "difference": value - rival, "loss": loss, "loss rate": loss / value}


def coverage_results() -> list[dict]:
    """Return how far the coverage of 95 % intervals lies from 95 %, and whether sequences hold at every look."""
    held: dict[tuple[Told, str], list[bool]] = {}
    fresh = get_context("spawn")  # a fork of a process that runs threads may hang or end
    with ProcessPoolExecutor(mp_context=fresh, initializer=set_num_threads, initargs=(1,)) as workers:
        for found in workers.map(one_run, range(RUNS), chunksize=20):
            for key, each in found.items():
                held.setdefault(key, []).append(each)
    return [TELL[told](f"evaluation.{name}", runs) for (told, name), runs in held.items()]


def one_run(seed: int) -> dict[tuple[Told, str], bool]:
    """Return what held in one stream, by how it is told and its name."""
    made, true = stream(seed), truth()
    held = intervals(made, true, seed) | honesty(made, true) | limits(made, true, seed) | sequences(made, true)
    if seed < FEW_RUNS:
        held |= looks(made, true) | delays(made, seed) | special_run(seed)
    return held | daily(made, true) if seed < DAILY_RUNS else held


def intervals(made: Stream, true: dict[str, float], seed: int) -> dict[tuple[Told, str], bool]:
    """Return whether the intervals of each estimator hold the value, and the difference."""
    policy, rival = made.policies()
    held = {}
    for estimator in ("ipw", "snipw", "dr"):
        options = {"estimator": estimator, "outcome_model": 0.7 * made.mean, "replicates": REPLICATES, "seed": seed}
        for interval in ("bootstrap", "influence"):
            found = estimate(made.logged, policy, interval=interval, **options)
            held["off", f"coverage_{estimator}_{interval}"] = within(true["value"], found)
        apart = compare(made.logged, policy, rival, interval="influence", **options)
        held["off", f"coverage_{estimator}_difference"] = within(true["difference"], apart)
    return held


def honesty(made: Stream, true: dict[str, float]) -> dict[tuple[Told, str], bool]:
    """Return whether dr holds the value with a false outcome model, with false probabilities, and with both."""
    flat = msgspec.structs.replace(made.logged, probability=np.full((DECISIONS, OFFERS), 1.0 / OFFERS))
    policy, nonsense = made.policies()[0], 1.0 - made.mean
    held = {}
    for kind, name, log, model in (
        ("off", "coverage_dr_false_model", made.logged, nonsense),
        ("off", "coverage_dr_false_probability", flat, made.mean),
        ("share", "coverage_dr_both_false", flat, nonsense),
    ):
        found = estimate(log, policy, interval="influence", outcome_model=model)
        held[kind, name] = within(true["value"], found)
    return held


def limits(made: Stream, true: dict[str, float], seed: int) -> dict[tuple[Told, str], bool]:
    """Return whether intervals hold what a limit uses, and whether it is said to hold with 95 % at its bound."""
    total = Limit(name="limit", uses="loss", at_most=true["loss"] * DECISIONS)
    rows = rows_of([total, Limit(name="limit_rate", uses="loss", per="lent", at_most=true["loss rate"])], {})
    held = {}
    for interval in ("bootstrap", "influence"):
        options = {"interval": interval, "replicates": REPLICATES, "seed": seed}
        for found in limit_evidence(made.logged, made.policies()[0], made.logged.outcome, rows, **options):
            held["off", f"coverage_{found.limit}_{interval}"] = within(found.bound, found.used)
            held["share", f"sure_of_{found.limit}_at_its_bound_{interval}"] = found.holds > 0.95
    return held


def sequences(made: Stream, true: dict[str, float]) -> dict[tuple[Told, str], bool]:
    """Return whether sequences that are looked at every day hold the truth on all of them."""
    ends, pair = np.searchsorted(made.day, np.arange(DAYS), side="right") - 1, made.policies()
    held = {}
    for name, policies, model, value in (
        ("ipw", pair[:1], None, true["value"]),
        ("dr", pair[:1], 0.7 * made.mean, true["value"]),
        ("difference", pair, 0.7 * made.mean, true["difference"]),
    ):
        path = path_of(made.logged, policies, made.logged.outcome["outcome"], model, Bounds(0.0, LARGEST), 0.95)
        held["below", f"sequence_{name}_daily"] = bool(np.all((path.low[ends] <= value) & (value <= path.high[ends])))
    return held


def looks(made: Stream, true: dict[str, float]) -> dict[tuple[Told, str], bool]:
    """Return whether the asymptotic sequence holds at all of 25 looks, and whether usual intervals do."""
    held = {("below", "asymptotic_sequence_25_looks"): True, ("share", "influence_25_looks"): True}
    for size in np.linspace(DECISIONS // LOOKS, DECISIONS, LOOKS, dtype=int):
        seen = made.take(np.arange(size))
        for key in held:
            interval = key[1].removesuffix("_25_looks")
            held[key] &= held_or_not_begun(seen, true["value"], interval)
    return held


def daily(made: Stream, true: dict[str, float]) -> dict[tuple[Told, str], bool]:
    """Return whether the asymptotic sequence holds on every day from the first one on which it may be looked at."""
    ends = np.searchsorted(made.day, np.arange(FIRST_DAY, DAYS), side="right")
    days = (made.take(np.arange(size)) for size in ends)
    held = all(held_or_not_begun(day, true["value"], "asymptotic_sequence") for day in days)
    return {("below", "asymptotic_sequence_daily"): held}


def held_or_not_begun(seen: Stream, value: float, interval: Interval) -> bool:
    """Whether an interval holds a value, or is refused because too little was seen (OP629)."""
    try:
        found = estimate(seen.logged, seen.policies()[0], interval=interval, outcome_model=0.7 * seen.mean)
    except BadInput as error:
        if {finding.code for finding in error.findings} != {"OP629"}:
            raise
        return True
    return within(value, found)


def delays(made: Stream, seed: int) -> dict[tuple[Told, str], bool]:
    """Return whether an interval holds the default rate while many are still to come, completed and left out."""
    draw, action = np.random.default_rng([seed, 1]), made.logged.action
    hazard = 0.01 + 0.005 * np.arange(OFFERS)
    wanted = float(np.mean(1.0 - (1.0 - hazard) ** HORIZON))  # each offer is the best one for a tenth of rows
    watched, event = draw.integers(0, 2 * HORIZON + 1, DECISIONS), draw.geometric(hazard[action])
    event_at = np.where(event <= np.minimum(watched, HORIZON), event, 0)
    known = (event_at > 0) | (watched >= HORIZON)
    ones = np.ones(DECISIONS)
    completion = HazardCompletion(
        watched=watched, event_at=event_at, stratum=action, horizon=HORIZON, if_event=ones, if_none=0.0 * ones
    )
    late = made.outcome(np.where(known, event_at > 0, np.nan))
    left = late.take(np.flatnonzero(known))
    options = {"estimator": "snipw", "interval": "influence"}
    done = estimate(late.logged, late.policies()[0], completion=completion, **options)
    dropped = estimate(left.logged, left.policies()[0], **options)
    return {
        ("off", "coverage_delayed_by_hazards"): within(wanted, done),
        ("share", "coverage_delayed_left_out"): within(wanted, dropped),
    }


def off(name: str, runs: list[bool]) -> dict:
    """Return how far a coverage lies from 95 %, in points; at most 2 is promised."""
    share = 100.0 * float(np.mean(runs))
    return result(name, abs(share - 95.0), f"points off 95 % ({share:.2f} % of {len(runs)} runs)", bar=2.0)


def below(name: str, runs: list[bool]) -> dict:
    """Return how far the upper end of Wilson's interval of a coverage lies below 95 %, in points; none is promised."""
    z, count, share = 1.96, len(runs), float(np.mean(runs))
    middle, spread = share + z**2 / (2 * count), z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    short = max(95.0 - 100.0 * (middle + spread) / (1.0 + z**2 / count), 0.0)
    return result(name, short, f"points below 95 % ({100 * share:.2f} % of {count} runs)", bar=0.0)


def share_of(name: str, runs: list[bool]) -> dict:
    """Return a share of runs of which nothing is promised: what false models, and looking often, come to."""
    return result(name, 100.0 * float(np.mean(runs)), f"% of {len(runs)} runs")


TELL = {"off": off, "below": below, "share": share_of}


if __name__ == "__main__":
    for each in coverage_results():
        print(told(each))
