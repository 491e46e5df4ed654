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


def found(study, estimator, interval="influence"):
    rows = study[1]["estimates"]
    return next(each for each in rows if (each["estimator"], each["interval"]) == (estimator, interval))


def test_the_figures_are_those_that_were_rebuilt_before(study):
    _, told = study
    ipw, snipw = found(study, "ipw"), found(study, "snipw")
    assert f"{ipw['value']:.8f}" == "0.00455288"
    assert f"{ipw['value'] / told['logged mean']:.8f}" == "1.19812632"
    assert f"{snipw['value']:.8f}" == "0.00477583"
    assert f"{told['support']['effective_n']:.2f}" == "1639.50"
    assert f"{told['support']['largest_weight']:.4f}" == "19.5984"
    assert f"{(ipw['high'] - ipw['value']) / 1.96:.5f}" == "0.00209"


def test_the_other_policy_earned_what_its_own_log_says(study):
    assert study[1]["earned itself"] == {"all": 0.0042, "men": 0.0069, "women": 0.0046}


def test_every_interval_holds_what_the_policy_earned_itself(study):
    for each in study[1]["estimates"]:
        assert each["low"] < 0.0042 < each["high"]


def test_the_published_bootstrap_is_near_ours(study):
    """[0.001531, 0.009254] from other draws: each end within a tenth of the interval."""
    ours = found(study, "ipw", "bootstrap")
    assert (ours["low"], ours["high"]) == pytest.approx((0.001531, 0.009254), abs=0.1 * 0.0077)


def test_the_policy_is_a_distribution_in_every_slot(study):
    policy = study[0].production_policy()
    assert policy.sum(axis=0) == pytest.approx(np.ones(3))
    assert policy.shape == (80, 3)


def test_the_page_shows_what_the_study_finds(study):
    """Regenerate with `python examples/open_bandit/study.py --docs`, and read the difference."""
    module, told = study
    assert module.page(told) in module.PAGE.read_text(encoding="utf-8")
