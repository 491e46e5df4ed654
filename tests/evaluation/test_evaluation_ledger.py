"""A ledger read as of an instant: what was known then, never what came later; open outcomes stay open."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from opportune.domain import AsOf, BadInput
from opportune.evaluation import ProxyCompletion, estimate, fixed_choice, read_ledger, read_logged

START = datetime(2025, 1, 1)
DAY = timedelta(days=1)
END = "2026-01-01"


def ledger(n=60, seed=3):
    """One decision a day; each is looked at after 7 days and after 30, when more is known."""
    draw = np.random.default_rng(seed)
    ids, low = [f"d{i:02d}" for i in range(n)], draw.random(n) < 0.4
    made = [START + i * DAY for i in range(n)]
    decisions = pd.DataFrame({
        "decision_id": ids, "customer_id": ids, "slot": "1", "decided_at": made,
        "offer_id": np.where(low, "low", "high"), "probability": np.where(low, 0.4, 0.6),
        "eligible": [["high", "low"]] * n,
    })  # fmt: skip
    early, late = draw.normal(size=n), draw.normal(size=n)
    looks = [(7, early), (30, late)]
    outcomes = pd.concat([
        pd.DataFrame({"decision_id": ids, "observed_until": [at + days * DAY for at in made], "outcome": seen})
        for days, seen in looks
    ], ignore_index=True)  # fmt: skip
    return decisions, outcomes, early, late


def test_in_the_end_it_is_the_log_with_its_last_outcomes():
    decisions, outcomes, _, late = ledger()
    shuffled = outcomes.sample(frac=1.0, random_state=0)
    found = read_ledger(decisions, shuffled, as_of=END)
    expected = read_logged(decisions.assign(outcome=late))
    assert found.outcome["outcome"].tolist() == late.tolist()
    for name in ("decision_id", "action", "probability", "eligible", "decided_at", "cluster"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("day", [12, 35, 59, 61, 75])
def test_what_comes_later_is_not_seen(day):
    decisions, outcomes, early, late = ledger()
    at = START + day * DAY
    found = read_ledger(decisions, outcomes, as_of=AsOf.parse(at.isoformat()))
    age = day - np.arange(60)
    there = age > 0
    expected = np.where(age >= 30, late, np.where(age >= 7, early, np.nan))[there]
    assert found.outcome["outcome"] == pytest.approx(expected, nan_ok=True)
    past = decisions[decisions.decided_at < at], outcomes[outcomes.observed_until <= at]
    assert np.array_equal(found.outcome["outcome"], read_ledger(*past, as_of=END).outcome["outcome"], equal_nan=True)


def test_an_outcome_is_open_until_it_is_mature():
    decisions, outcomes, _, late = ledger()
    found = read_ledger(decisions, outcomes, as_of="2025-02-15", matures_after=30 * DAY)
    age = 45 - np.arange(45)
    assert found.outcome["outcome"] == pytest.approx(np.where(age >= 30, late[:45], np.nan), nan_ok=True)
    policy = fixed_choice("low", np.full(45, found.offer_ids.index("low")), 2)
    with pytest.raises(BadInput, match=r"OP606\] .* 29 decisions: outcome is not known"):
        estimate(found, policy, estimator="snipw")
    completed = estimate(found, policy, estimator="snipw", completion=ProxyCompletion(cell=found.action))
    low = (found.action == found.offer_ids.index("low")) & (age >= 30)
    assert completed.value == pytest.approx(late[:45][low].mean())


def test_a_row_counts_from_when_it_was_recorded_and_a_correction_replaces_it():
    decisions, outcomes, _, _ = ledger()
    outcomes["recorded_at"] = outcomes.observed_until + 2 * DAY
    right = outcomes[outcomes.decision_id == "d05"].assign(outcome=[5.0, 55.0], recorded_at=START + 50 * DAY)
    told = pd.concat([outcomes, right])
    before, after = (read_ledger(decisions, told, as_of=at) for at in ("2025-02-19", "2025-02-20"))
    known = outcomes[outcomes.decision_id == "d05"].outcome.tolist()
    assert (before.outcome["outcome"][5], after.outcome["outcome"][5]) == (known[1], 55.0)
    assert np.isnan(read_ledger(decisions, told, as_of="2025-01-14").outcome["outcome"][5])


def test_a_side_table_of_eligible_offers_is_cut_too():
    decisions, outcomes, _, _ = ledger()
    side = pd.DataFrame({
        "decision_id": np.repeat(decisions.decision_id, 2), "offer_id": ["high", "low"] * 60,
        "probability": [0.6, 0.4] * 60,
    })  # fmt: skip
    found = read_ledger(decisions.drop(columns="eligible"), outcomes, side, as_of="2025-02-01")
    assert len(found) == 31
    assert found.probability.tolist() == [[0.6, 0.4]] * 31


BAD = [
    (lambda d, o: (d, o.drop(columns="observed_until")), r"OP611\] observed_until is missing"),
    (lambda d, o: (d, o.assign(observed_until=[pd.NaT, *o.observed_until[1:]])),
     r"outcomes \[OP612\] observed_until is null in 1 of 120 rows"),
    (lambda d, o: (d[1:], o), r"outcomes \[OP040\] decision_id 2 rows \(d00, d00\) are outcomes of decisions that do not"),
    (lambda d, o: (d, pd.concat([o, o[:2]])), r"outcomes \[OP626\] decision_id 2 rows \(d00, d01\) are told twice"),
    (lambda d, o: (d.assign(outcome=0.0), o), r"decisions \[OP626\] outcome stands in decisions and in outcomes"),
    (lambda d, o: (pd.concat([d, d[:1]]), o), r"OP601\] d00, d00 2 decisions: the id is not unique"),
    (lambda d, o: (d, o.assign(observed_until=o.observed_until - 31 * DAY)), r"OP613\] observed_until 60 rows"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "match"), BAD)
def test_a_bad_ledger_is_refused(spoil, match):
    with pytest.raises(BadInput, match=match):
        read_ledger(*spoil(*ledger()[:2]), as_of=END)


def test_before_the_first_decision_there_is_nothing_to_judge():
    decisions, outcomes, _, _ = ledger()
    with pytest.raises(BadInput, match=r"OP609\] cluster has 0 clusters"):
        read_ledger(decisions, outcomes, as_of=START.isoformat())
