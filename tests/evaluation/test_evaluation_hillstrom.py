"""Hillstrom: what the page says is what the study finds, and identities that hold on any part of the data."""

import importlib.util
from pathlib import Path

import msgspec
import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.evaluation import doubly_robust_scores, policy_curve, policy_gain, qini_path

STUDY = Path(__file__).parents[2] / "examples" / "hillstrom" / "study.py"
NOBODY = np.array([], dtype=str)


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("hillstrom_study", STUDY)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def study(module, tmp_path_factory):
    return module.main(tmp_path_factory.mktemp("hillstrom"))


@pytest.fixture(scope="module")
def sample(module):
    return module.read(module.DATA, 6_000)


def test_the_page_shows_what_the_study_finds(module, study):
    """Regenerate with `python examples/hillstrom/study.py --docs`, and read the difference."""
    assert module.page(study) in module.PAGE.read_text(encoding="utf-8")


def test_arms_and_rates_are_the_published_ones(module, study):
    """Visits 18.3 / 15.1 / 10.6 %, orders 1.25 / 0.88 / 0.57 %, dollars 1.42 / 1.08 / 0.65, adjusted by less than chance."""
    everybody = module.read(module.DATA)
    assert np.bincount(everybody.action).tolist() == [21_306, 21_307, 21_387]
    published = {"visit": (10.6, 18.3, 15.1), "conversion": (0.57, 1.25, 0.88), "spend": (65.0, 142.0, 108.0)}
    for outcome, rates in published.items():
        means = [everybody.outcomes[outcome][everybody.action == arm].mean() for arm in range(3)]
        assert means == pytest.approx(rates, rel=0.006), outcome
        for arm, name in ((1, "Mens E-Mail"), (2, "Womens E-Mail")):
            told = study["effects"][outcome][name]
            assert told["low"] < means[arm] - means[0] < told["high"]


def test_what_the_page_says_in_words(module, study):
    visits, orders, dollars = (study["policies"][name]["best_less"] for name in ("visit", "conversion", "spend"))
    for ahead in (visits, orders, dollars):
        assert not module.shown(ahead["men's e-mail to all"])
        assert not module.shown(ahead["by what they bought"])
    assert study["budget"]["visit"]["mean_difference"]["low"] > 0
    assert study["budget"]["visit"]["difference"][1]["low"] > 0  # a fifth of the customers
    assert not module.shown(study["budget"]["visit"]["difference"][9])
    assert all(study["effects"][outcome][arm]["low"] > 0 for outcome in module.OUTCOMES for arm in module.ARMS[1:])


def test_without_predictions_the_score_is_the_weighed_difference_of_the_arms(module, sample):
    n, outcome = len(sample.ids), sample.outcomes["visit"]
    scores = doubly_robust_scores(
        row_id=sample.ids, cluster=sample.ids, arms=module.ARMS, control=module.CONTROL, action=sample.action,
        probability=np.full((n, 3), 1 / 3), outcome=outcome, predicted=np.zeros((n, 3)),
    )  # fmt: skip
    by_hand = 3.0 * (outcome * (sample.action == 2) - outcome * (sample.action == 0))
    assert scores.score[:, 1] == pytest.approx(by_hand)


def test_predictions_move_the_estimate_by_less_than_its_error_and_narrow_it(module, sample):
    n, outcome = len(sample.ids), sample.outcomes["visit"]
    with_them = module.scores_of(sample, "visit")
    without = doubly_robust_scores(
        row_id=sample.ids, cluster=sample.ids, arms=module.ARMS, control=module.CONTROL, action=sample.action,
        probability=np.full((n, 3), 1 / 3), outcome=outcome, predicted=np.zeros((n, 3)),
    )  # fmt: skip
    all_mens = np.tile([1.0, 0.0], (n, 1))
    told = [policy_gain(each, all_mens, used_for_choosing=NOBODY) for each in (with_them, without)]
    assert told[0].high - told[0].low < told[1].high - told[1].low
    assert abs(told[0].value - told[1].value) < told[1].high - told[1].low


def test_paths_end_where_policies_begin(module, sample):
    scores = module.scores_of(sample, "visit")
    settings = {"used_for_choosing": NOBODY, "replicates": 40, "seed": 1}
    best = np.eye(2)[np.argmax(scores.predicted, axis=1)] * (scores.predicted.max(axis=1, keepdims=True) > 0)
    path = qini_path(scores, np.ones(2), np.array([1.0]), **settings)
    assert path.gain[0] == pytest.approx(policy_gain(scores, best, used_for_choosing=NOBODY).value)
    curve = policy_curve(scores, "Mens E-Mail", scores.predicted[:, 0], np.array([1.0]), **settings)
    assert curve.gain[0] == pytest.approx(scores.score[:, 0].mean())
    one = msgspec.structs.replace(
        scores, predicted=np.column_stack([np.ones(len(sample.ids)), np.zeros(len(sample.ids))])
    )
    half = qini_path(one, np.ones(2), np.array([0.5, 1.0]), **settings)
    assert half.gain[0] == pytest.approx(half.gain[1] / 2)


def test_the_half_that_chose_cannot_judge(module, sample):
    scores = module.scores_of(sample, "visit")
    with pytest.raises(BadInput, match=r"OP651.*were used for choosing: 1 of 6000 rows"):
        policy_gain(scores, np.zeros((6_000, 2)), used_for_choosing=sample.ids[:1])


def test_a_part_of_the_data_gives_a_whole_study(module, tmp_path):
    found = module.main(tmp_path / "out", rows=4_000)
    assert found["customers"]["choose"] + found["customers"]["judge"] == 4_000
    assert (tmp_path / "out" / "study.json").is_file()
    assert module.page(found).count("|---") or module.page(found).count("| ---")
