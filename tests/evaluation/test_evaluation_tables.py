"""The front door on tables: the same figures as on arrays, and every fault of a table said with counts and examples."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from opportune.domain import BadInput
from opportune.evaluation import (
    AsLogged,
    FixedOffers,
    check_logged,
    compare,
    estimate,
    fixed_choice,
    read_logged,
    read_policy,
)

OFFERS = ("NO_OFFER", "high", "low")
START = datetime(2025, 1, 1)


def tables(n=300, seed=0):
    """A log as a lender has it, the probabilities behind it, and the policy "low to everyone"."""
    draw = np.random.default_rng(seed)
    probability = np.tile([0.2, 0.5, 0.3], (n, 1))
    action = draw.choice(3, n, p=probability[0])
    ids = [f"d{i:03d}" for i in range(n)]
    log = pd.DataFrame({
        "decision_id": ids, "customer_id": [f"c{i // 2}" for i in range(n)], "slot": "1",
        "decided_at": [START + timedelta(hours=i) for i in range(n)], "offer_id": [OFFERS[k] for k in action],
        "probability": probability[np.arange(n), action], "outcome": draw.normal(1.0, 1.0, n) * action,
        "eligible": [list(OFFERS)] * n, "branch": [f"b{i % 20}" for i in range(n)],
    })  # fmt: skip
    side = pd.DataFrame({
        "decision_id": np.repeat(ids, 3), "offer_id": list(OFFERS) * n, "probability": probability.ravel(),
    })  # fmt: skip
    policy = pd.DataFrame({"decision_id": ids, "offer_id": "low", "probability": 1.0})
    return log, side, policy


@pytest.mark.parametrize("kind", [lambda frame: frame, lambda frame: pa.Table.from_pandas(frame, preserve_index=False)])
def test_tables_give_the_figures_of_arrays(kind):
    log, side, policy = tables()
    found = estimate(kind(log), kind(policy), estimator="snipw")
    arrays = read_logged(kind(log), kind(side))
    again = estimate(arrays, fixed_choice("low", np.full(300, 2), 3), estimator="snipw")
    assert (found.value, found.low, found.high) == (again.value, again.low, again.high)
    by_hand = log.outcome[log.offer_id == "low"].mean()
    assert found.value == pytest.approx(by_hand)
    assert found.n == 300


def test_polars_is_taken_too():
    log, _, policy = tables()
    assert estimate(pl.from_pandas(log), pl.from_pandas(policy), estimator="ipw") == estimate(
        log, policy, estimator="ipw"
    )


def test_a_list_tells_who_could_be_drawn_and_a_side_table_how_often():
    log, side, _ = tables()
    by_list, by_side = read_logged(log), read_logged(log, side)
    assert check_logged(by_list) == check_logged(by_side) == []
    assert by_list.action_probability() == pytest.approx(by_side.action_probability())
    assert np.array_equal(by_list.eligible, by_side.eligible)
    assert by_side.probability[0] == pytest.approx([0.2, 0.5, 0.3])
    assert by_list.probability.sum(axis=1) == pytest.approx(np.ones(300))


def test_leaving_alone_is_measured_where_the_log_holds_it():
    """In these data a customer who is left alone is worth 0 by construction of the outcome, and nothing assumes it."""
    log, side, policy = tables()
    alone = log.offer_id == "NO_OFFER"
    log.loc[alone, "outcome"] = 7.0 + np.linspace(-1.0, 1.0, alone.sum())
    nothing = policy.assign(offer_id="NO_OFFER")
    assert estimate(log, nothing, estimator="snipw").value == pytest.approx(7.0)

    class Quiet:
        name = "quiet"

        def probabilities(self, eligible):
            return np.zeros(eligible.shape)

    assert estimate(read_logged(log, side), Quiet(), estimator="snipw").value == pytest.approx(7.0)


def test_leaving_alone_counts_as_zero_where_the_log_never_did():
    log, _, policy = tables()
    log = log[log.offer_id != "NO_OFFER"].assign(eligible=[["high", "low"]] * int((log.offer_id != "NO_OFFER").sum()))
    log["probability"] = np.where(log.offer_id == "high", 0.625, 0.375)
    nothing = policy[policy.decision_id.isin(log.decision_id)].assign(offer_id="NO_OFFER")
    assert estimate(log, nothing, estimator="ipw").value == 0.0


def test_predictions_may_be_a_table_and_clusters_any_column():
    log, side, policy = tables()
    predicted = side.assign(prediction=np.tile([0.0, 1.0, 2.0], 300))[["decision_id", "offer_id", "prediction"]]
    options = {"estimator": "dr", "interval": "influence"}
    by_table = estimate(log, policy, outcome_model=predicted, **options)
    by_array = estimate(log, policy, outcome_model=np.tile([0.0, 1.0, 2.0], (300, 1)), **options)
    assert by_table == by_array
    by_branch = compare(
        log, policy, policy.assign(offer_id="high"), outcome_model=predicted, cluster="branch", **options
    )
    assert by_branch.low < by_branch.value < by_branch.high


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows.iloc[:-4], r"OP627\] prediction 2 rows \(.*\) have an eligible offer without a prediction"),
        (lambda rows: pd.concat([rows, rows.iloc[:3]]), r"OP627\] prediction 1 rows \(.*\) have two predictions"),
        (
            lambda rows: rows.assign(decision_id=rows.decision_id.replace("d000", "x")),
            r"OP615\] decision_id 3 rows \(x",
        ),
    ],
)
def test_a_table_of_predictions_is_whole_or_refused(spoil, says):
    """What is missing would count as 0, and of two the last would hold."""
    log, side, policy = tables()
    predicted = side.assign(prediction=np.tile([0.0, 1.0, 2.0], 300))[["decision_id", "offer_id", "prediction"]]
    for estimator in ("dm", "dr"):
        with pytest.raises(BadInput, match=says):
            estimate(log, policy, outcome_model=spoil(predicted), estimator=estimator)


def changed(frame, row, **values):
    frame = frame.copy()
    for name, value in values.items():
        frame.at[row, name] = value
    return frame


BAD_LOGS = [
    (lambda log: log.drop(columns="slot"), r"OP611\] slot is missing: expected it among decision_id"),
    (lambda log: log.drop(columns="eligible"), r"OP611\] eligible is missing"),
    (lambda log: changed(log, 4, customer_id=None), r"OP612\] customer_id is null in 1 of 300 rows"),
    (lambda log: log.assign(decision_id="d1"), r"OP601\] d1, d1, d1 300 decisions: the id is not unique"),
    (lambda log: changed(log, 4, probability=0.0), r"OP602\] d004 1 decisions: the logged offer has probability zero"),
    (lambda log: changed(log, 4, probability=1.5), r"OP603\] d004 1 decisions"),
    (lambda log: changed(log, 4, eligible=["NO_OFFER"], offer_id="low"), r"OP605\] d004 1 decisions: .* not eligible"),
    (lambda log: changed(log, 4, outcome=None), r"OP606\] d004 1 decisions: outcome is not known"),
    (lambda log: log.assign(observed_until=[*[START + timedelta(days=90)] * 299, START - timedelta(days=1)]),
     r"OP613\] observed_until 1 rows \(d299\) have an outcome that was observed until before the decision"),
    (lambda log: log.assign(outcome="much"), r"OP628\] outcome is of type .*string: expected numbers"),
    (lambda log: log.assign(decided_at="soon"), r"OP628\] decided_at is of type .*string: expected times"),
    (lambda log: log.assign(eligible="high,low"), r"OP628\] eligible is of type .*string: expected lists of offer ids"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "match"), BAD_LOGS)
def test_a_bad_log_is_refused_with_counts_and_examples(spoil, match):
    log, _, policy = tables()
    with pytest.raises(BadInput, match=match):
        estimate(spoil(log), policy, estimator="ipw")


def test_all_faults_are_told_at_once():
    log, _, policy = tables()
    spoilt = changed(changed(log, 4, probability=1.5), 9, outcome=None)
    with pytest.raises(BadInput) as caught:
        estimate(spoilt, policy, estimator="ipw")
    assert {finding.code for finding in caught.value.findings} >= {"OP603", "OP606"}


BAD_POLICIES = [
    (lambda policy: policy[:-1], r"OP616\] probability 1 rows \(d299\) have probabilities that do not sum to 1"),
    (lambda policy: policy.assign(probability=1.2), r"OP616\] probability 300 rows .* outside 0 to 1"),
    (lambda policy: pd.concat([policy, policy[:1]]).assign(probability=lambda all_: np.where(all_.duplicated(keep=False), 0.5, 1.0)),
     r"OP616\] probability 2 rows \(d000, d000\) name an offer twice"),
    (lambda policy: changed(policy, 0, offer_id="gold"), r"OP615\] offer_id 1 rows \(gold\) are not in the log"),
    (lambda policy: changed(policy, 0, decision_id="x"), r"OP615\] decision_id 1 rows \(x\) are not in the log"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "match"), BAD_POLICIES)
def test_a_bad_policy_is_refused(spoil, match):
    log, _, policy = tables()
    with pytest.raises(BadInput, match=match):
        read_policy(spoil(policy), read_logged(log))


def test_arrays_that_do_not_fit_are_refused():
    log, _, _ = tables()
    logged = read_logged(log)
    wild = FixedOffers("wild", np.tile([0.5, 0.4, 0.3], (300, 1)))
    with pytest.raises(
        BadInput, match=r"wild \[OP616\] probability 300 rows \(d000, d001, d002\) have probabilities below 0"
    ):
        estimate(logged, wild, estimator="ipw")
    with pytest.raises(ValueError, match=r"has shape \(300, 2\): expected \(300, 3\), decisions by offers"):
        estimate(logged, fixed_choice("low", np.ones(300, dtype=int), 2), estimator="ipw")
    with pytest.raises(ValueError, match=r"outcome_model has shape \(300,\)"):
        estimate(logged, fixed_choice("low", np.ones(300, dtype=int), 3), outcome_model=np.zeros(300))
    with pytest.raises(ValueError, match="measure is 'profit': expected one of 'outcome'"):
        estimate(logged, fixed_choice("low", np.ones(300, dtype=int), 3), measure="profit")


def test_a_side_table_must_agree_with_the_log_and_a_policy_with_both():
    log, side, policy = tables()
    side = side.assign(probability=np.where(side.offer_id == "high", 0.6, np.where(side.offer_id == "low", 0.2, 0.2)))
    with pytest.raises(BadInput, match=r"OP614\] probability \d+ rows .* another probability in the side table"):
        read_logged(log, side)
    never = log.assign(eligible=[["high", "NO_OFFER"] if offer != "low" else list(OFFERS) for offer in log.offer_id])
    with pytest.raises(BadInput, match=r"OP610.*offers to \d+ of 300 customers that the log never made"):
        estimate(never, policy, estimator="ipw")


def test_an_offer_that_was_certain_leaves_no_support_for_others():
    log, _, policy = tables()
    with pytest.raises(BadInput, match="OP610"):
        estimate(log.assign(probability=1.0), policy, estimator="ipw")


NEED_EVERY_PROBABILITY = {
    "a sequence of dr": lambda logged, policy: estimate(
        logged, policy, estimator="dr", interval="sequence", bounds=(-9.0, 9.0), outcome_model=np.ones((300, 3)),
        cluster="decision_id",
    ),
    "who was left alone": lambda logged, policy: logged.left_alone(),
    "what was drawn": lambda logged, policy: logged.given_an_offer(),
    "as logged": lambda logged, policy: estimate(
        logged, AsLogged("all", np.ones(300), logged.probability), estimator="ipw"
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", NEED_EVERY_PROBABILITY)
def test_what_needs_every_probability_is_refused_where_a_list_tells_only_who_could_be_drawn(asked):
    log, side, policy = tables()
    NEED_EVERY_PROBABILITY[asked](read_logged(log, side), policy)
    with pytest.raises(BadInput, match=r"OP834\] probability is that of the logged offer alone: expected"):
        NEED_EVERY_PROBABILITY[asked](read_logged(log), policy)


def test_a_sequence_of_ipw_needs_the_logged_offers_probability_only():
    log, side, policy = tables()
    options = {"estimator": "ipw", "interval": "sequence", "bounds": (-9.0, 9.0), "cluster": "decision_id"}
    assert estimate(log, policy, **options) == estimate(read_logged(log, side), policy, **options)


def test_a_list_of_two_offers_tells_both_probabilities():
    log, _, _ = tables()
    log = log[log.offer_id != "NO_OFFER"].assign(eligible=[["high", "low"]] * int((log.offer_id != "NO_OFFER").sum()))
    assert not read_logged(log).only_logged
    assert read_logged(tables()[0]).only_logged
