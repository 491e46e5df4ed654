"""Proof of intervals of special questions: tails, slates, terms, several loggers, swap sets, gains over a control.

Each draws its own streams, whose truth is a formula. Customers are independent: what clusters do to intervals is proven
by the streams of ``coverage``.
"""

from typing import Literal

import msgspec
import numpy as np
from scipy.stats import norm

from opportune.domain import Estimate
from opportune.evaluation import (
    FixedOffers,
    LoggedDecisions,
    LoggedTerms,
    TermModel,
    balanced_log,
    cvar,
    doubly_robust_scores,
    estimate,
    estimate_slates,
    estimate_terms,
    fixed_choice,
    policy_gain,
    swap_set,
)

ROWS, SLOTS, REPLICATES = 3_000, 3, 200
RARE = 0.02
NEVER = np.zeros(0)
Told = Literal["off", "below", "share"]
"""How a coverage is told: how far off 95 %, how far below, or as a share of which nothing is promised."""


def special_run(seed: int) -> dict[tuple[Told, str], bool]:
    """Return what held in one stream of each question, by how it is told and its name."""
    held = {}
    for each in (tail, slates, terms, loggers, swaps, gain):
        held |= each(np.random.default_rng([seed, 2]), seed)
    return held


def within(value: float, found: Estimate) -> bool:
    """Whether an interval holds a value."""
    return found.low <= value <= found.high


def log(action: np.ndarray, probability: np.ndarray, outcome: np.ndarray, slots: int = 1) -> LoggedDecisions:
    """Return a log of rows that belong to one customer by ``slots``."""
    rows, (count, offers) = np.arange(len(action)), probability.shape
    return LoggedDecisions(
        decision_id=rows, customer_id=rows // slots, slot=rows % slots, offer_ids=tuple(map(str, range(offers))),
        action=action, eligible=np.ones((count, offers), dtype=bool), probability=probability, outside=np.zeros(count),
        outcome={"outcome": outcome}, cluster=rows // slots,
    )  # fmt: skip


def tail(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """The worst 5 % under an offer with outcomes N(1, 3), logged with probability 0.4: 1 - 3 phi(z) / 0.05."""
    action = (draw.random(ROWS) < 0.4).astype(int)
    outcome = draw.normal(action, 1.0 + 2.0 * action)
    logged, policy = log(action, np.tile([0.6, 0.4], (ROWS, 1)), outcome), fixed_choice("b", np.ones(ROWS, int), 2)
    value = 1.0 - 3.0 * norm.pdf(norm.ppf(0.05)) / 0.05
    return {
        ("off", f"coverage_cvar_{interval}"): within(
            value, cvar(logged, policy, interval=interval, replicates=REPLICATES, seed=seed)
        )
        for interval in ("bootstrap", "influence")
    }


def slates(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """Three slots a page; a slot earns by its own offer, and in a cascade 0.2 more below the best one."""
    del seed
    own, logging, asked = np.array([0.1, 0.3, 0.5]), np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    action = draw.choice(3, p=logging, size=(ROWS, SLOTS))
    below = np.column_stack([np.zeros(ROWS), 0.2 * (action[:, :-1] == 2)])
    tossed, rows = draw.random((ROWS, SLOTS)), ROWS * SLOTS
    held = {}
    for interaction, more, extra in (("independent", 0.0, 0.0), ("cascade", below, 0.2 * asked[2] * (SLOTS - 1))):
        outcome = (tossed < own[action] + more).astype(np.float64)
        logged = log(action.ravel(), np.tile(logging, (rows, 1)), outcome.ravel(), SLOTS)
        found = estimate_slates(
            logged, FixedOffers("asked", np.tile(asked, (rows, 1))), logged.customer_id, interaction=interaction,
            interval="influence",
        )  # fmt: skip
        held["off", f"coverage_slates_{interaction}"] = within(SLOTS * float(asked @ own) + extra, found.total)
    return held


def terms(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """Terms drawn evenly from 0 to 1, mean outcome sin 3t + x / 2, targets 0.3 + 0.4 x: it bends by at most 9. And a
    rare outcome, the same at all terms.

    A stated bound covers whatever the bend is up to it, so more often than it says where the bend is less.
    """
    del seed
    term, x = draw.random(ROWS), draw.random(ROWS)
    target = 0.3 + 0.4 * x
    logged = LoggedTerms(
        term=term, density=np.ones(ROWS), outcome=np.sin(3.0 * term) + 0.5 * x + draw.normal(0.0, 0.3, ROWS),
        cluster=np.arange(ROWS), between=(0.0, 1.0),
    )  # fmt: skip
    value = (np.cos(0.9) - np.cos(2.1)) / 1.2 + 0.25
    model = TermModel(at_target=0.8 * np.sin(3.0 * target), at_logged=0.8 * np.sin(3.0 * term))
    held: dict[tuple[Told, str], bool] = {
        ("below", f"coverage_terms_{estimator}"): within(
            value, estimate_terms(logged, target, estimator=estimator, model=model, bend=9.0).estimate
        )
        for estimator in ("ipw", "snipw", "dr")
    }
    rare = msgspec.structs.replace(logged, outcome=(draw.random(ROWS) < RARE).astype(np.float64))
    held["below", "coverage_terms_of_rare_outcomes"] = within(RARE, estimate_terms(rare, target, bend=0.1).estimate)
    return held


def loggers(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """Two logging policies, one of which never makes the offer that is judged; its mean outcome is 3."""
    del seed
    logger = np.where(draw.random(ROWS) < 0.5, "old", "new")
    own = {"old": np.tile([0.9, 0.1, 0.0], (ROWS, 1)), "new": np.tile([0.1, 0.6, 0.3], (ROWS, 1))}
    mine = np.where((logger == "old")[:, None], own["old"], own["new"])
    action = (draw.random((ROWS, 1)) > np.cumsum(mine, axis=1)).sum(axis=1).clip(0, 2)
    mixed = balanced_log(log(action, mine, 1.0 + action + draw.normal(0.0, 1.0, ROWS)), logger, own)
    policy = fixed_choice("c", np.full(ROWS, 2), 3)
    return {
        ("off", f"coverage_loggers_{estimator}"): within(
            3.0, estimate(mixed, policy, estimator=estimator, interval="influence", outcome_model=np.ones((ROWS, 3)))
        )
        for estimator in ("snipw", "dr")
    }


def swaps(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """Two offers worth 1 and 3: customers swapped in gain 3, those swapped out lose 1, those moved up gain 2."""
    del seed
    action = (draw.random(ROWS) < 0.4).astype(int)
    outcome = 1.0 + 2.0 * action + draw.normal(0.0, 1.0, ROWS)
    older, newer = (np.array(each)[np.arange(ROWS) % 3] for each in ([-1, 0, 0], [1, -1, 1]))
    cells = swap_set(
        log(action, np.tile([0.6, 0.4], (ROWS, 1)), outcome), fixed_choice("older", older, 2),
        fixed_choice("newer", newer, 2), measures={"value": outcome}, outcome_models={"value": np.ones((ROWS, 2))},
        segment=np.zeros(ROWS),
    )  # fmt: skip
    true = {"swapped in": 3.0, "swapped out": -1.0, "other offer": 2.0}
    return {
        ("off", f"coverage_swap_{cell.kind.replace(' ', '_')}"): within(true[cell.kind], cell.change["value"])
        for cell in cells
        if cell.segment == "all"
    }


def gain(draw: np.random.Generator, seed: int) -> dict[tuple[Told, str], bool]:
    """Two offers that gain x and 1 - x over the control, each given where it gains more: 3 / 4 on average."""
    del seed
    x = draw.random(ROWS)
    probability = np.column_stack([0.5 - 0.2 * x, 0.25 + 0.2 * x, np.full(ROWS, 0.25)])
    action = (draw.random((ROWS, 1)) > np.cumsum(probability, axis=1)).sum(axis=1).clip(0, 2)
    mean = 2.0 * x[:, None] + np.column_stack([np.zeros(ROWS), x, 1.0 - x])
    scores = doubly_robust_scores(
        row_id=np.arange(ROWS), cluster=np.arange(ROWS), arms=("none", "a", "b"), control="none", action=action,
        probability=probability, outcome=mean[np.arange(ROWS), action] + draw.normal(0.0, 1.0, ROWS),
        predicted=0.7 * mean,
    )  # fmt: skip
    policy = np.column_stack([x > 0.5, x <= 0.5]).astype(np.float64)
    found = policy_gain(scores, policy, used_for_choosing=NEVER)
    return {("off", "coverage_policy_gain"): within(0.75, found)}
