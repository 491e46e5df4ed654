"""Open Bandit: published and rebuilt figures of a log with known probabilities, to the printed digits."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/open_bandit"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("open_bandit_study", EXAMPLE / "study.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.main(tmp_path_factory.mktemp("open_bandit"))


def found(told, estimator, interval="influence"):
    return next(each for each in told["estimates"] if (each["estimator"], each["interval"]) == (estimator, interval))


def test_the_figures_are_those_that_were_rebuilt_before(study):
    told = study[1]["all"]
    ipw, snipw = found(told, "ipw"), found(told, "snipw")
    assert f"{ipw['value']:.8f}" == "0.00455288"
    assert f"{ipw['value'] / told['logged mean']:.8f}" == "1.19812632"
    assert f"{snipw['value']:.8f}" == "0.00477583"
    assert f"{told['support']['effective_n']:.2f}" == "1639.50"
    assert f"{told['support']['largest_weight']:.4f}" == "19.5984"
    assert f"{(ipw['high'] - ipw['value']) / 1.96:.5f}" == "0.00209"


@pytest.mark.parametrize(("campaign", "rebuilt"), [("men", "0.004534"), ("women", "0.006813")])
def test_the_smaller_campaigns_are_those_that_were_rebuilt_before(study, campaign, rebuilt):
    assert f"{found(study[1][campaign], 'ipw')['value']:.6f}" == rebuilt


def test_the_other_policy_earned_what_its_own_log_says(study):
    earned = {campaign: told["earned itself"]["value"] for campaign, told in study[1].items()}
    assert earned == {"all": 0.0042, "men": 0.0069, "women": 0.0046}


def test_no_estimate_is_further_from_what_the_policy_earned_itself_than_chance(study):
    """Both are means of 10,000 rows, so the bound is on their difference."""
    for told in study[1].values():
        itself = told["earned itself"]
        for each in told["estimates"]:
            error = np.hypot(each["high"] - each["low"], itself["high"] - itself["low"]) / 2
            assert abs(each["value"] - itself["value"]) < error


def test_the_published_bootstrap_is_near_ours(study):
    """[0.001531, 0.009254] from other draws: each end within a tenth of the interval."""
    ours = found(study[1]["all"], "ipw", "bootstrap")
    assert (ours["low"], ours["high"]) == pytest.approx((0.001531, 0.009254), abs=0.1 * 0.0077)


def test_the_policy_is_a_distribution_in_every_slot(study):
    for campaign, items in {"all": 80, "men": 34, "women": 46}.items():
        policy = study[0].production_policy(campaign)
        assert policy.sum(axis=0) == pytest.approx(np.ones(3))
        assert policy.shape == (items, 3)


def test_the_page_shows_what_the_study_finds(study):
    """Regenerate with `python examples/open_bandit/study.py --docs`, and read the difference."""
    module, told = study
    assert module.page(told) in module.PAGE.read_text(encoding="utf-8")
