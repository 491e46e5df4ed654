"""The swap set: cells that add up to the whole, truth that is found, and no label where the log never looked."""

import msgspec
import numpy as np
import pytest

from opportune.evaluation import AsLogged, FixedOffers, LoggedDecisions, compare, fixed_choice
from opportune.evaluation.swap_set import EVERYONE, swap_kinds, swap_set


def stream(n=20_000, seed=0, unlogged=0):
    """Two offers worth 1 and 3, plus 2 in segment b; the last ``unlogged`` customers could only get the first."""
    draw = np.random.default_rng(seed)
    segment = np.where(np.arange(n) % 2 == 0, "a", "b")
    probability = np.tile([0.6, 0.4], (n, 1))
    probability[n - unlogged :] = [1.0, 0.0]
    action = (draw.random(n) > probability[:, 0]).astype(int)
    mean = np.array([1.0, 3.0]) + 2.0 * (segment == "b")[:, None]
    ids = np.arange(n).astype(str).astype(object)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("small", "large"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=probability, outside=np.zeros(n),
        outcome={"y": mean[np.arange(n), action] + draw.normal(0, 1, n)}, cluster=draw.integers(0, 200, n).astype(str),
    )  # fmt: skip
    return logged, segment, mean


def cells(logged, segment, older, newer, model):
    return swap_set(
        logged, older, newer, measures={"y": logged.outcome["y"]}, outcome_models={"y": model}, segment=segment
    )


def choices(n):
    older = np.array([-1, -1, 0, 0, 1])[np.arange(n) % 5]
    newer = np.array([-1, 1, -1, 1, 1])[np.arange(n) % 5]
    return older, newer


def test_every_kind_of_change_is_told_apart():
    older, newer = choices(5)
    assert swap_kinds(older, newer).tolist() == [
        "left alone", "swapped in", "swapped out", "other offer", "same offer",
    ]  # fmt: skip


def test_cells_find_the_truth_and_add_up_to_the_difference_of_the_policies():
    logged, segment, mean = stream()
    older, newer = choices(len(logged))
    pair = fixed_choice("newer", newer, 2), fixed_choice("older", older, 2)
    found = cells(logged, segment, pair[1], pair[0], np.zeros_like(mean))
    by = {(cell.segment, cell.kind): cell for cell in found}
    truth = {("a", "swapped in"): 3, ("b", "swapped in"): 5, ("a", "swapped out"): -1, ("b", "other offer"): 2}
    for key, value in truth.items():
        change = by[key].change["y"]
        assert abs(change.value - value) < 2.0 * (change.high - change.value), key  # four standard errors
    for kind in ("left alone", "same offer"):
        assert by[EVERYONE, kind].change["y"].value == 0.0
    total = sum(cell.customers * cell.change["y"].value for cell in found if cell.segment != EVERYONE)
    whole = compare(
        logged, *pair, measure="y", estimator="dr", outcome_model=np.zeros_like(mean), replicates=200, seed=1
    )
    assert total / len(logged) == pytest.approx(whole.value)
    assert sum(cell.customers for cell in found if cell.segment == EVERYONE) == len(logged)


def test_a_perfect_model_leaves_no_noise_between_fixed_offers():
    logged, segment, mean = stream(2_000)
    mean = mean + (np.arange(2_000) % 7 % 3)[:, None]  # both offers are worth more to some, and differ by 2 for all
    logged = msgspec.structs.replace(logged, outcome={"y": mean[np.arange(2_000), logged.action]})
    older, newer = choices(2_000)
    found = cells(logged, segment, fixed_choice("o", older, 2), fixed_choice("n", newer, 2), mean)
    by = {(cell.segment, cell.kind): cell.change["y"] for cell in found}
    for name in ("a", "b"):
        other = by[name, "other offer"]
        assert (other.value, other.high - other.low) == (pytest.approx(2.0), pytest.approx(0.0, abs=1e-9))


def test_customers_whom_the_log_never_offered_it_have_no_label():
    logged, segment, mean = stream(2_000, unlogged=500)
    newer = fixed_choice("large to all", np.ones(2_000, dtype=int), 2)
    nobody = fixed_choice("nobody", np.full(2_000, -1), 2)
    found = {cell.segment: cell for cell in cells(logged, segment, nobody, newer, np.zeros_like(mean))}
    assert (found[EVERYONE].kind, found[EVERYONE].no_label) == ("swapped in", 500)
    assert found[EVERYONE].change["y"].n == 1_500
    late = np.where(np.arange(2_000) >= 1_500, "late", "early")
    alone = {cell.segment: cell for cell in cells(logged, late, nobody, newer, np.zeros_like(mean))}
    assert (alone["late"].no_label, alone["late"].change, alone["late"].newer) == (500, {"y": None}, {"y": None})
    assert alone["early"].no_label == 0


def test_against_offers_as_they_were_drawn_cells_do_not_depend_on_the_draw():
    """Split by "the same offer as was drawn", the newer policy would look 1 / 0.4 times as good in that cell."""
    logged, segment, mean = stream()
    drawn = AsLogged("today", np.ones(len(logged)), logged.probability)
    newer = fixed_choice("large to some", np.where(np.arange(len(logged)) % 3 == 0, -1, 1), 2)
    found = {
        cell.kind: cell for cell in cells(logged, segment, drawn, newer, np.zeros_like(mean)) if cell.segment == "a"
    }
    assert set(found) == {"offered by both", "swapped out"}
    both = found["offered by both"].change["y"]
    assert both.low < 3.0 - 1.8 < both.high  # drawn: 0.6 x 1 + 0.4 x 3
    gone = found["swapped out"].change["y"]
    assert gone.low < -1.8 < gone.high


def test_an_offer_at_random_is_neither_the_same_nor_another():
    logged, _, mean = stream(4_000)
    at_random = FixedOffers("tossed", np.where(np.arange(4_000)[:, None] < 3_000, [0.6, 0.4], [1.0, 0.0]))
    small = fixed_choice("small to all", np.zeros(4_000, dtype=int), 2)
    found = {
        cell.kind: cell for cell in cells(logged, np.zeros(4_000), at_random, small, mean) if cell.segment == "all"
    }
    assert {kind: cell.customers for kind, cell in found.items()} == {"same offer": 1_000, "offered by both": 3_000}
    assert found["same offer"].change["y"].value == 0.0
    assert found["offered by both"].change["y"].value == pytest.approx(-0.8, abs=0.15)


def test_outcomes_that_are_all_the_same_tell_nothing_of_a_cell():
    logged, segment, mean = stream(2_000)
    older, newer = fixed_choice("o", np.zeros(2_000, dtype=int), 2), fixed_choice("n", np.full(2_000, -1), 2)
    no_loss = {"y": logged.outcome["y"], "loss": np.where(segment == "a", 0.0, logged.outcome["y"])}
    models = {"y": mean, "loss": np.full_like(mean, 0.1)}
    found = {cell.segment: cell for cell in swap_set(
        logged, older, newer, measures=no_loss, outcome_models=models, segment=segment
    )}  # fmt: skip
    assert (found["a"].older["loss"], found["a"].change["loss"]) == (None, None)
    assert found["a"].newer["loss"].high == 0.0  # nobody is offered anything: that is known
    assert found["a"].change["y"].high < 0
    assert found["b"].change["loss"].high < 0


def test_an_offer_that_happened_not_to_be_drawn_tells_nothing_of_a_cell():
    logged, _, mean = stream(2_000)
    rare = np.arange(2_000) < 100
    logged = msgspec.structs.replace(logged, action=np.where(rare, 0, logged.action))
    small, large = (fixed_choice(name, np.full(2_000, k), 2) for k, name in enumerate(("small", "large")))
    found = {
        cell.segment: cell
        for cell in cells(logged, np.where(rare, "rare", "others"), small, large, np.zeros_like(mean))
    }
    assert found["rare"].newer == found["rare"].change == {"y": None}
    assert found["rare"].older["y"].effective_n == 100
    assert found["others"].newer["y"].effective_n == pytest.approx(np.sum(logged.action == 1))


def test_a_change_rests_on_what_each_policy_does_more_often():
    """Both make the small offer nine times in ten; what differs is the other one, of which the log saw nothing."""
    logged, segment, mean = stream(2_000)
    logged = msgspec.structs.replace(logged, outcome={"y": np.where(logged.action == 0, logged.outcome["y"], 0.0)})
    older, newer = (FixedOffers(name, np.tile(row, (2_000, 1))) for name, row in (("o", [1.0, 0.0]), ("n", [0.9, 0.1])))
    (cell, *_) = cells(logged, segment, older, newer, np.zeros_like(mean))
    assert (cell.kind, cell.change) == ("offered by both", {"y": None})
    assert cell.newer["y"].value == pytest.approx(0.9 * cell.older["y"].value)


def test_measures_and_models_of_a_swap_set_belong_together():
    logged, segment, mean = stream(100)
    older, newer = (fixed_choice(name, np.full(100, offer), 2) for name, offer in (("o", 0), ("n", 1)))
    measures, model = {"y": logged.outcome["y"]}, {"y": mean}
    with pytest.raises(ValueError, match=r"measures are \['y'\], outcome_models \[\]"):
        swap_set(logged, older, newer, measures=measures, outcome_models={}, segment=segment)
    with pytest.raises(ValueError, match=r"of_offers \['lent'\]"):
        swap_set(logged, older, newer, measures=measures, outcome_models=model, segment=segment, of_offers=["lent"])
    with pytest.raises(ValueError, match=r"outcome_models\['y'\] has shape \(100,\)"):
        swap_set(logged, older, newer, measures=measures, outcome_models={"y": mean[:, 0]}, segment=segment)


def test_a_contact_at_random_has_no_swap_set():
    logged, segment, mean = stream(100)
    half = AsLogged("half", np.full(100, 0.5), logged.probability)
    with pytest.raises(ValueError, match="surely or not at all"):
        cells(logged, segment, half, FixedOffers("n", np.zeros((100, 2))), mean)


def test_a_cell_in_few_clusters_says_so_and_gives_no_interval():
    logged, segment, mean = stream(2_000)
    few = np.where(logged.cluster.astype(int) < 9, "few", segment)
    older, newer = np.full(2_000, 0), np.full(2_000, 1)
    found = {cell.segment: cell for cell in cells(
        logged, few, fixed_choice("o", older, 2), fixed_choice("n", newer, 2), np.zeros_like(mean)
    )}  # fmt: skip
    assert (found["few"].clusters, found["few"].change) == (9, {"y": None})
    assert found["a"].clusters == len({*logged.cluster[few == "a"]})
