"""Every front door refuses what would make its figure wrong, or no number, and says why; a sound log goes through."""

import msgspec
import numpy as np
import pytest

from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    AsLogged,
    Bounds,
    FixedOffers,
    LoggedDecisions,
    LoggedTerms,
    ProxyCompletion,
    TermModel,
    cvar,
    estimate,
    estimate_slates,
    estimate_staged,
    estimate_terms,
    fixed_choice,
    limit_evidence,
    path_of,
    support,
    swap_set,
)

N = 200
IDS = np.arange(N)
TAKEN = (IDS % 5 != 0).astype(float)
BOTH = fixed_choice("b", np.ones(N, dtype=int), 2)
ROWS = rows_of([Limit(name="loss", uses="outcome", at_most=3.0)], {})


def log():
    draw = np.random.default_rng(0)
    return LoggedDecisions(
        decision_id=IDS, customer_id=IDS, slot=IDS % 2, offer_ids=("a", "b"), action=draw.integers(0, 2, N),
        eligible=np.ones((N, 2), dtype=bool), probability=np.full((N, 2), 0.5), outside=np.zeros(N),
        outcome={"outcome": draw.normal(size=N)}, cluster=IDS, decided_at=np.datetime64("2025-01-01") + IDS,
    )  # fmt: skip


def swapped(logged, predicted=None):
    predicted = np.zeros((N, 2)) if predicted is None else predicted
    other = fixed_choice("a", np.zeros(N, dtype=int), 2)
    return swap_set(
        logged, other, BOTH, measures=logged.outcome, outcome_models={"outcome": predicted}, segment=np.zeros(N)
    )


DOORS = {
    "estimate": lambda logged: estimate(logged, BOTH, estimator="snipw"),
    "limits": lambda logged: limit_evidence(logged, BOTH, logged.outcome, ROWS),
    "tail": lambda logged: cvar(logged, BOTH),
    "staged": lambda logged: estimate_staged(
        logged, BOTH, reached=TAKEN, given=np.where(TAKEN == 1, logged.outcome["outcome"], np.nan), among="takers"
    ),
    "slates": lambda logged: estimate_slates(logged, BOTH, IDS // 2),
    "swap set": swapped,
}
SPOILT = {
    "OP601": lambda logged: {"decision_id": np.where(IDS == 7, 3, IDS)},
    "OP602": lambda logged: {
        "action": np.where(IDS == 3, 0, logged.action), "probability": np.where((IDS == 3)[:, None], [0.0, 1.0], 0.5),
    },
    "OP603": lambda logged: {"probability": np.where((IDS == 3)[:, None], [1.5, -0.5], 0.5)},
    "OP604": lambda logged: {"probability": np.full((N, 2), 0.25)},
    "OP605": lambda logged: {"eligible": np.arange(2) != np.where(IDS == 3, logged.action, -1)[:, None]},
    "OP606": lambda logged: {"outcome": {"outcome": np.where(IDS == 3, np.nan, logged.outcome["outcome"])}},
}  # fmt: skip


NONE = {
    "twice": FixedOffers("p", np.full((N, 2), 1.0)), "below": FixedOffers("p", np.tile([-1.0, 1.0], (N, 1))),
    "contact above 1": AsLogged("p", np.full(N, 2.0), np.full((N, 2), 0.5)),
    "contact not known": AsLogged("p", np.full(N, np.nan), np.full((N, 2), 0.5)),
    "logging not known": AsLogged("p", np.ones(N), np.full((N, 2), np.nan)),
    "not known": FixedOffers("p", np.full((N, 2), np.nan)),
}  # fmt: skip
JUDGES = {
    "support": support,
    "sequence": lambda logged, policy: path_of(logged, [policy], TAKEN, None, Bounds(0.0, 1.0), 0.95),
    "estimate": lambda logged, policy: estimate(logged, policy, estimator="snipw"),
    "limits": lambda logged, policy: limit_evidence(logged, policy, logged.outcome, ROWS),
    "tail": cvar,
    "staged": lambda logged, policy: estimate_staged(
        logged, policy, reached=TAKEN, given=np.where(TAKEN == 1, logged.outcome["outcome"], np.nan), among="takers"
    ),
    "slates": lambda logged, policy: estimate_slates(logged, policy, IDS // 2),
    "swap set": lambda logged, policy: swap_set(
        logged, BOTH, policy, measures=logged.outcome, outcome_models={"outcome": np.zeros((N, 2))}, segment=np.zeros(N)
    ),
}


@pytest.mark.parametrize("policy", NONE)
@pytest.mark.parametrize("judge", JUDGES)
def test_a_policy_that_is_none_is_refused_at_every_door(judge, policy):
    with pytest.raises(BadInput, match=r"OP616\] probability 200 rows \(0, 1, 2\) have probabilities below 0"):
        JUDGES[judge](log(), NONE[policy])


@pytest.mark.parametrize("door", DOORS)
def test_a_sound_log_goes_through_and_a_spoilt_one_does_not(door):
    logged = log()
    DOORS[door](logged)
    for code, spoil in SPOILT.items():
        with pytest.raises(BadInput) as caught:
            DOORS[door](msgspec.structs.replace(logged, **spoil(logged)))
        assert code in {finding.code for finding in caught.value.findings}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "door",
    [
        lambda logged, predicted: estimate(logged, BOTH, estimator="dr", outcome_model=predicted),
        lambda logged, predicted: estimate(logged, BOTH, estimator="dm", outcome_model=predicted),
        swapped,
    ],
)
def test_a_prediction_that_is_no_number_is_refused(door, value):
    predicted = np.zeros((N, 2))
    door(log(), predicted)
    predicted[3, 0] = value
    with pytest.raises(BadInput, match=r"OP627\] 3 1 decisions: a prediction is no finite number"):
        door(log(), predicted)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"estimator": "IPW"}, "estimator is 'IPW': expected one of 'ipw', 'snipw', 'dm', 'dr'"),
        ({"interval": "boot"}, "interval is 'boot': expected one of 'bootstrap', 'influence', 'asymptotic_sequence'"),
        ({"level": 95}, "level is 95: expected above 0 and below 1"),
        ({"level": 95, "interval": "sequence", "estimator": "ipw", "bounds": (-9.0, 9.0)}, "level is 95: expected"),
        ({"replicates": 1}, "replicates is 1: expected at least 40 for an interval of level 0.95"),
        ({"replicates": 0}, "replicates is 0: expected at least 40"),
        ({"replicates": 40, "level": 0.99}, "replicates is 40: expected at least 200 for an interval of level 0.99"),
    ],
)
def test_a_choice_that_does_not_exist_is_told_with_those_that_do(options, says):
    with pytest.raises(ValueError, match=says):
        estimate(log(), BOTH, **{"estimator": "snipw", **options})


def test_an_outcome_that_is_infinite_is_refused_also_where_it_may_be_open():
    outcome = np.where(IDS == 3, np.inf, log().outcome["outcome"])
    logged = msgspec.structs.replace(log(), outcome={"outcome": outcome})
    with pytest.raises(BadInput, match=r"OP606\] 3 1 decisions: outcome is not known"):
        estimate(logged, BOTH, estimator="snipw", completion=ProxyCompletion(cell=IDS % 2))
    with pytest.raises(BadInput, match=r"OP606\] given 1 rows have an outcome that is infinite"):
        estimate_staged(logged, BOTH, reached=np.ones(N), given=outcome, among="takers")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"estimator": "drr"}, ValueError, "estimator is 'drr': expected one of 'ipw', 'snipw', 'dr'"),
        ({"level": 95}, ValueError, "level is 95: expected above 0"),
        ({"bend": np.nan}, ValueError, "bend is nan: expected a number from 0"),
        ({"bend": -5.0}, ValueError, "bend is -5.0: expected a number from 0"),
        ({"widths": [0.1, 0.0]}, ValueError, r"widths are \[0.1, 0.0\]: expected shares"),
        (
            {"estimator": "dr", "model": TermModel(IDS / N, np.where(IDS == 3, np.nan, 0.0))},
            BadInput,
            r"OP627\] model is no",
        ),
    ],
)
def test_terms_refuse_what_would_give_no_number(options, error, says):
    draw = np.random.default_rng(0)
    term = draw.uniform(0.0, 1.0, N)
    logged = LoggedTerms(term=term, density=np.ones(N), outcome=term, cluster=IDS, between=(0.0, 1.0))
    estimate_terms(logged, np.full(N, 0.5))
    with pytest.raises(error, match=says):
        estimate_terms(logged, np.full(N, 0.5), **options)
