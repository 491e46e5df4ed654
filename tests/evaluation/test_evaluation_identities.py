"""Estimators: identities that hold exactly, a stream whose truth is known, and refusals."""

import numpy as np
import pytest
from scipy import stats

from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    AsLogged,
    FixedOffers,
    LoggedDecisions,
    balance,
    check_logged,
    compare,
    estimate,
    estimate_propensities,
    fixed_choice,
    limit_evidence,
    support,
)
from opportune.evaluation.estimators import scored

SETTINGS = {"measure": "y", "cluster": "cluster", "replicates": 300, "seed": 1}


def log(n=600, K=3, seed=0, clusters=30):
    draw = np.random.default_rng(seed)
    probability = draw.dirichlet(np.full(K, 4.0), n)
    action = (draw.random(n)[:, None] > np.cumsum(probability, axis=1)).sum(axis=1).clip(0, K - 1)
    truth = draw.normal(5.0, 2.0, (n, 1)) + np.arange(K)
    ids = np.array([f"d{i}" for i in range(n)], dtype=object)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=tuple(f"k{k}" for k in range(K)), action=action,
        eligible=np.ones((n, K), dtype=bool), probability=probability, outside=np.zeros(n),
        outcome={"y": truth[np.arange(n), action]}, cluster=draw.integers(0, clusters, n).astype(str),
    )  # fmt: skip
    return logged, truth


def value(logged, policy, estimator, q=None):
    return estimate(logged, policy, estimator=estimator, outcome_model=q, **SETTINGS)


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr"])
def test_offers_as_they_were_logged_give_the_plain_mean(estimator):
    logged, truth = log()
    found = value(logged, AsLogged("logged", np.ones(len(logged)), logged.probability), estimator, truth)
    assert found.value == pytest.approx(logged.outcome["y"].mean(), rel=1e-12)
    assert found.effective_n == pytest.approx(len(logged))


def test_half_as_logged_is_half_the_mean():
    logged, _ = log()
    assert value(logged, AsLogged("half", np.full(len(logged), 0.5), logged.probability), "ipw").value == pytest.approx(
        logged.outcome["y"].mean() / 2
    )


def test_dr_without_predictions_is_ipw_and_with_perfect_ones_has_no_noise():
    logged, truth = log()
    policy = fixed_choice("best", np.full(len(logged), 2), 3)
    assert value(logged, policy, "dr", np.zeros_like(truth)).value == pytest.approx(value(logged, policy, "ipw").value)
    assert value(logged, policy, "dr", truth).value == pytest.approx(truth[:, 2].mean(), rel=1e-12)


def test_snipw_moves_with_a_constant_and_ipw_does_not():
    import msgspec

    logged, _ = log()
    policy = fixed_choice("one", np.full(len(logged), 1), 3)
    moved = msgspec.structs.replace(logged, outcome={"y": logged.outcome["y"] + 100.0})
    assert value(moved, policy, "snipw").value - value(logged, policy, "snipw").value == pytest.approx(100.0)


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr"])
def test_a_difference_is_the_difference_and_its_interval_is_paired(estimator):
    logged, truth = log()
    a, b = fixed_choice("a", np.full(len(logged), 2), 3), AsLogged("b", np.ones(len(logged)), logged.probability)
    found = compare(logged, a, b, estimator=estimator, outcome_model=truth, **SETTINGS)
    parts = [value(logged, each, estimator, truth) for each in (a, b)]
    assert found.value == pytest.approx(parts[0].value - parts[1].value)
    nothing = compare(logged, a, a, estimator=estimator, outcome_model=truth, **SETTINGS)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr"])
def test_the_order_of_rows_changes_nothing(estimator):
    import msgspec

    logged, truth = log()
    turned = np.arange(len(logged))[::-1]
    again = msgspec.structs.replace(
        logged, decision_id=logged.decision_id[turned], action=logged.action[turned],
        probability=logged.probability[turned], outcome={"y": logged.outcome["y"][turned]}, cluster=logged.cluster[turned],
    )  # fmt: skip
    first = value(logged, fixed_choice("p", np.full(len(logged), 1), 3), estimator, truth)
    second = value(again, fixed_choice("p", np.full(len(logged), 1), 3), estimator, truth[turned])
    assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """A stream with known truth: 95 % intervals of 300 streams must cover in 90 to 99 % of them."""
    covered = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        n, groups = 800, 60
        cluster = draw.integers(0, groups, n)
        luck = draw.normal(0.0, 0.5, groups)[cluster]
        probability = np.tile([0.5, 0.5], (n, 1))
        action = draw.integers(0, 2, n)
        y = 1.0 + action * 2.0 + luck + draw.normal(0.0, 1.0, n)
        ids = np.arange(n).astype(str)
        logged = LoggedDecisions(
            decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b"), action=action,
            eligible=np.ones((n, 2), dtype=bool), probability=probability, outside=np.zeros(n), outcome={"y": y}, cluster=cluster.astype(str),
        )  # fmt: skip
        wrong_model = np.zeros((n, 2))
        policy = fixed_choice("b", np.ones(n, dtype=int), 2)
        found = estimate(
            logged,
            policy,
            measure="y",
            estimator="dr",
            outcome_model=wrong_model + 1.0,
            cluster="cluster",
            replicates=200,
            seed=seed,
        )
        covered += found.low <= 3.0 <= found.high
    assert 0.90 <= covered / 300 <= 0.99


def test_a_policy_without_support_is_refused():
    import msgspec

    logged, _ = log()
    probability = logged.probability.copy()
    probability[:10, 2] = 0.0
    probability[:10] /= probability[:10].sum(axis=1, keepdims=True)
    action = np.where((np.arange(len(logged)) < 10) & (logged.action == 2), 0, logged.action)
    thin = msgspec.structs.replace(logged, probability=probability, action=action)
    with pytest.raises(BadInput, match=r"OP610.*offers to 10 of 600"):
        value(thin, fixed_choice("p", np.full(len(logged), 2), 3), "ipw")
    assert support(thin, fixed_choice("p", np.full(len(logged), 2), 3)).unsupported == pytest.approx(10 / 600)


def test_effective_n_by_hand():
    logged, _ = log()
    policy = FixedOffers("p", np.tile([0.0, 1.0, 0.0], (len(logged), 1)))
    weights = np.where(logged.action == 1, 1.0 / logged.probability[:, 1], 0.0)
    assert support(logged, policy).effective_n == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_shares_within_strata_count_rows_outside():
    action = np.array([0, 0, 1, 1, -1, 2])
    stratum = np.array(["a", "a", "a", "b", "b", "b"])
    shares = estimate_propensities(action, stratum, 3)
    assert shares[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert shares[4].tolist() == pytest.approx([0, 1 / 3, 1 / 3])


def test_offers_outside_the_catalogue_bias_no_estimator():
    """A third of the log lies outside the catalogue and earns otherwise: every estimator finds the offer's mean."""
    draw = np.random.default_rng(5)
    n = 60_000
    action = draw.integers(-1, 2, n)
    stratum, mean = draw.integers(0, 3, n).astype(str), np.array([50.0, 1.0, 3.0])
    shares = estimate_propensities(action, stratum, 2)
    logged = LoggedDecisions(
        decision_id=np.arange(n).astype(str), customer_id=stratum, slot=stratum, offer_ids=("a", "b"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=shares, outside=1.0 - shares.sum(axis=1),
        outcome={"y": mean[action + 1] + draw.normal(0.0, 1.0, n)}, cluster=draw.integers(0, 400, n).astype(str),
    )  # fmt: skip
    assert check_logged(logged) == []
    for estimator in ("ipw", "snipw", "dr"):
        found = value(logged, fixed_choice("b", np.ones(n, dtype=int), 2), estimator, np.tile([2.0, 2.0], (n, 1)))
        assert found.value == pytest.approx(3.0, abs=0.06), estimator
        assert found.low < 3.0 < found.high
    assert value(logged, AsLogged("logged", np.ones(n), shares), "dr", np.zeros((n, 2))).value == pytest.approx(
        logged.outcome["y"].mean()
    )


def broken(**changes):
    import msgspec

    logged, _ = log(n=40)
    return {finding.code for finding in check_logged(msgspec.structs.replace(logged, **changes))}


def test_a_log_that_cannot_carry_an_estimate_is_found():
    logged, _ = log(n=40)
    assert check_logged(logged) == []
    assert broken(decision_id=np.array(["same"] * 40, dtype=object)) == {"OP601"}
    assert "OP602" in broken(probability=np.where(np.arange(3) == logged.action[:, None], 0.0, 0.5))
    assert "OP603" in broken(probability=logged.probability * 3.0)
    assert "OP604" in broken(probability=logged.probability * 0.9)
    assert "OP605" in broken(eligible=np.arange(3) != logged.action[:, None])
    assert broken(outcome={"y": np.full(40, np.nan)}) == {"OP606"}


def test_realised_use_of_a_sum_and_of_a_ratio():
    logged, _ = log()
    amounts = np.where(np.arange(len(logged)) % 4 < 2, 150.0, 250.0)
    uses = {"lent": amounts, "loss": np.where(np.arange(len(logged)) % 8 < 4, 5.0, 15.0)}
    policy = AsLogged("half", (np.arange(len(logged)) % 2).astype(float), logged.probability)
    limits = [Limit(name="lent", uses="lent", at_most=1e6), Limit(name="rate", uses="loss", per="lent", at_least=0.06)]
    lent, rate = limit_evidence(logged, policy, uses, rows_of(limits, {}), cluster="cluster", replicates=200, seed=1)
    assert lent.used.value == pytest.approx(200.0 * len(logged) / 2)
    assert rate.used.value == pytest.approx(0.05)
    assert rate.used.low < 0.05 < rate.used.high < 0.06
    alike = {"lent": amounts, "loss": amounts / 20.0}
    with pytest.raises(BadInput, match=r"OP629\] limit 'rate' has an interval that is a point, 0.05"):
        limit_evidence(logged, policy, alike, rows_of(limits[1:], {}), cluster="cluster")
    assert (lent.holds, rate.holds) == (1.0, 0.0)
    fixed = {"lent": np.full(len(logged), 200.0)}
    (known,) = limit_evidence(logged, policy, fixed, rows_of(limits[:1], {}), cluster="cluster", certain=["lent"])
    assert known.used.value == pytest.approx(200.0 * len(logged) / 2)


def test_balance_is_the_kruskal_wallis_test_in_one_stratum():
    draw = np.random.default_rng(3)
    x, action = draw.integers(0, 9, 300).astype(float), draw.integers(0, 4, 300)
    found = balance(action, np.full(300, "s"), {"x": x}).tests[0]
    statistic, p = stats.kruskal(*(x[action == k] for k in range(4)))
    assert (found.statistic, found.p_value) == pytest.approx((statistic, p))


def test_balance_holds_its_level_and_sees_an_imbalance():
    draw = np.random.default_rng(4)
    alarms = 0
    for _ in range(300):
        x, stratum, action = draw.normal(size=200), draw.integers(0, 3, 200).astype(str), draw.integers(0, 3, 200)
        alarms += not balance(action, stratum, {"x": x + stratum.astype(int)}).balanced
    assert 0.01 <= alarms / 300 <= 0.10
    action = (draw.normal(size=500) > 0).astype(int)
    assert not balance(action, np.full(500, "s"), {"x": action + draw.normal(size=500)}).balanced


def test_balance_that_compares_nothing_is_not_called_balanced():
    draw = np.random.default_rng(4)
    action = draw.integers(0, 2, 50)
    alone = balance(action, np.arange(50), {"x": draw.normal(size=50) + 2.0 * action})
    assert (alone.balanced, alone.compared, alone.rows) == (None, 0, 50)
    constant = balance(action, np.full(50, "s"), {"x": np.ones(50)})
    assert (constant.balanced, constant.compared) == (None, 50)
    pairs = balance(action, np.arange(50) % 25, {"x": draw.normal(size=50)})
    assert pairs.compared == 2 * int(np.sum(action[:25] != action[25:]))
    assert pairs.balanced is not None


def test_every_policy_speaks_the_one_protocol():
    from opportune.domain import Policy

    logged, _ = log()
    policies: list[Policy] = [
        AsLogged("half", np.full(len(logged), 0.5), logged.probability),
        fixed_choice("p", logged.action, 3),
    ]
    for policy in policies:
        probability = policy.probabilities(logged.eligible)
        assert probability.shape == logged.probability.shape
        assert np.all((probability.sum(axis=1) <= 1 + 1e-12) & (probability.min(axis=1) >= 0))
    assert policies[0].probabilities(logged.eligible).sum() == pytest.approx(len(logged) / 2)


@pytest.mark.parametrize("estimator", ["ipw", "dr"])
@pytest.mark.parametrize("kind", ["fixed", "the rest", "as logged"])
def test_a_log_that_left_some_alone_judges_without_bias_who_is_left_alone(kind, estimator):
    """The mean over everything that could have been drawn, by its probability, is the policy's value: exactly."""
    n, drawn, outside = 40, np.array([0.3, 0.4, 0.2]), 0.1
    draw = np.random.default_rng(2)
    truth, q = draw.normal(5.0, 2.0, (n, 4)), draw.normal(size=(n, 3))
    contact = draw.integers(0, 2, n).astype(float)
    ids = np.array([f"d{i}" for i in range(n)], dtype=object)

    def logged(k):
        return LoggedDecisions(
            decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b", "NO_OFFER"),
            action=np.full(n, k if k < 3 else -1), eligible=np.ones((n, 3), dtype=bool),
            probability=np.tile(drawn, (n, 1)), outside=np.full(n, outside), outcome={"y": truth[:, k]}, cluster=ids,
        )  # fmt: skip

    if kind == "fixed":
        policy = fixed_choice("p", np.where(contact > 0, 1, 2), 3)
        worth = np.where(contact > 0, truth[:, 1], truth[:, 2])
    elif kind == "the rest":
        policy = fixed_choice("p", np.where(contact > 0, 1, -1), 3)
        worth = np.where(contact > 0, truth[:, 1], truth[:, 2])
    else:
        policy = AsLogged("p", contact, logged(0).given_an_offer())
        offers = (truth[:, [0, 1, 3]] @ np.array([0.3, 0.4, 0.1])) / 0.8
        worth = np.where(contact > 0, offers, truth[:, 2])

    def told(k):  # below the front door, which refuses where no offer of the policy was drawn
        return scored(logged(k), policy, policy.weights(logged(k)), truth[:, k], estimator, q).whole()

    found = sum(p * told(k) for k, p in enumerate((*drawn, outside)))
    assert found == pytest.approx(worth.mean())
    assert np.array_equal(policy.offered(logged(0)), contact)
    assert support(logged(0), policy).offered == pytest.approx(contact.mean())
    assert np.all(policy.told(logged(0)) == 1.0)
