"""The decisions of a project as a log, as of an instant: what any policy is judged on from Python."""

import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.evaluation import AsLogged, estimate

MONEY = "contribution_per_customer"


def test_it_holds_what_the_evidence_is_made_of(small_run):
    logged = small_run.logged()
    listed = logged.decided_at >= np.datetime64("2025-03-01")
    told = next(
        row["value"]
        for row in small_run.evidence()["estimates"]
        if (row["policy"], row["against"], row["method"], row["measure"]) == ("logged", None, "ipw", MONEY)
    )
    assert logged.outcome[MONEY][listed].mean() == pytest.approx(told)
    everyone = AsLogged("everyone", np.ones(len(logged)), logged.probability)
    found = estimate(logged, everyone, measure="took_up", estimator="ipw", cluster="cluster")
    assert found.value == pytest.approx(logged.outcome["took_up"].mean())


@pytest.mark.parametrize(("at", "lists", "known"), [("2025-02-20", 2, 0), ("2025-10-13", 3, 2), ("2025-10-27", 3, 3)])
def test_an_earlier_instant_knows_less_and_nothing_else(small_run, at, lists, known):
    """Each list of 2,000 is decided in a day and observed 240 days later."""
    now, then = small_run.logged(), small_run.logged(at)
    rows = now.decided_at < np.datetime64(at)
    assert np.array_equal(now.decision_id[rows], then.decision_id)
    observed = np.isfinite(then.outcome["took_up"])
    assert (len(then), int(observed.sum())) == (2000 * lists, 2000 * known)
    assert np.array_equal(then.outcome["took_up"][observed], now.outcome["took_up"][rows][observed])


def test_what_is_not_yet_known_is_no_evidence(small_run):
    then = small_run.logged("2025-10-13")
    with pytest.raises(BadInput, match=r"OP606\] .* 2000 decisions: took_up is not known"):
        estimate(then, AsLogged("everyone", np.ones(len(then)), then.probability), measure="took_up", estimator="ipw")


def test_an_instant_that_is_none_is_told(small_run):
    with pytest.raises(BadInput, match=r"OP807\] soon is no instant"):
        small_run.logged("soon")
