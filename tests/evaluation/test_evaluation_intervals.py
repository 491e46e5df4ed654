"""Intervals: one statistic for all of them, identities between them, and sequences that survive looking every day."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    AsLogged,
    Bounds,
    FixedOffers,
    LoggedDecisions,
    compare,
    cvar,
    estimate,
    estimate_slates,
    estimate_staged,
    fixed_choice,
    limit_evidence,
    path_of,
)
from opportune.evaluation.estimators import scored
from opportune.evaluation.inference import FEWEST_EVENTS
from opportune.evaluation.sequence import LARGEST_BET, SLACK, lower_bounds

K = 3


def stream(n=3000, seed=0, clusters=None):
    """A stream of take-ups in [0, 1] with a known mean under "always offer 2": 0.5."""
    draw = np.random.default_rng(seed)
    x = draw.random(n)
    probability = np.column_stack([0.5 - 0.3 * x, 0.2 + 0.1 * x, 0.3 + 0.2 * x])
    action = (draw.random(n)[:, None] > np.cumsum(probability, axis=1)).sum(axis=1).clip(0, K - 1)
    mean = np.column_stack([0.1 + 0.2 * x, 0.2 + 0.2 * x, 0.3 + 0.4 * x])
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids if clusters is None else draw.integers(0, clusters, n), slot=np.zeros(n, dtype=int),
        offer_ids=("a", "b", "c"), action=action, eligible=np.ones((n, K), dtype=bool), probability=probability,
        outside=np.zeros(n), outcome={"outcome": (draw.random(n) < mean[ids, action]).astype(float)}, cluster=ids,
        decided_at=np.datetime64("2025-01-01") + ids // 20,
    )  # fmt: skip
    return logged, mean, fixed_choice("c", np.full(n, 2), K)


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dm", "dr"])
@pytest.mark.parametrize("clusters", [None, 400])
def test_influence_and_bootstrap_agree_in_width(estimator, clusters):
    logged, mean, policy = stream(clusters=clusters)
    widths = []
    for interval in ("influence", "bootstrap"):
        found = estimate(
            logged, policy, estimator=estimator, interval=interval, outcome_model=mean * 0.8, replicates=2000
        )
        assert found.method == f"{estimator}, {interval}"
        widths.append(found.high - found.low)
    assert widths[0] == pytest.approx(widths[1], rel=0.08)


def test_the_influence_interval_of_a_mean_is_students():
    from scipy import stats

    logged, _, _ = stream(n=200)
    everyone = fixed_choice("c", np.full(200, 2), K)
    found = estimate(logged, everyone, estimator="ipw", interval="influence")
    scores = np.where(logged.action == 2, logged.outcome["outcome"] / logged.probability[:, 2], 0.0)
    low, high = stats.t.interval(0.95, 199, scores.mean(), scores.std(ddof=1) / np.sqrt(200))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-7)


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dm", "dr"])
def test_the_gradient_is_that_of_its_formula(estimator):
    logged, mean, policy = stream(n=500)
    statistic = scored(logged, policy, policy.weights(logged), logged.outcome["outcome"], estimator, mean)
    totals = statistic.columns.sum(axis=0)
    if estimator == "snipw":
        wy, w, m, n = totals
        expected = [m / (w * n), -wy * m / (w**2 * n), wy / (w * n), -wy * m / (w * n**2)]
    else:
        expected = [1.0 / totals[1], -totals[0] / totals[1] ** 2]
    assert statistic.gradient() == pytest.approx(np.array(expected), rel=1e-7)


@pytest.mark.parametrize("interval", ["bootstrap", "influence", "asymptotic_sequence", "sequence"])
def test_a_difference_is_antisymmetric_and_narrower_than_its_parts(interval):
    logged, mean, policy = stream()
    other = fixed_choice("b", np.full(len(logged), 1), K)
    options = {"estimator": "dr", "interval": interval, "outcome_model": mean, "bounds": (0.0, 1.0)}
    there, back = compare(logged, policy, other, **options), compare(logged, other, policy, **options)
    assert (there.low, there.high) == pytest.approx(
        (-back.high, -back.low), abs=1e-9 if interval != "bootstrap" else 1e-2
    )
    assert there.low < 0.2 < there.high  # 0.5 less 0.3
    alone = compare(logged, policy, policy, **options)
    assert alone.value == 0.0


def loop(scores, alpha):
    """The definition of the sequence, row by row."""
    best, won, bets, seen, missed = 0.0, -np.log(1.0 / alpha), 0.0, [], []
    path = []
    for score in scores:
        z = (score + SLACK) / (1.0 + SLACK)
        t = len(seen) + 1
        mean = min((0.5 + sum(seen)) / t, 1.0)
        spread = (0.25 + sum(missed)) / t
        bet = min(np.sqrt(2.0 * np.log(1.0 / alpha) / (spread * t * np.log(t + 1.0))), LARGEST_BET)
        won += bet * z - (-np.log(1.0 - bet) - bet) * (z - mean) ** 2
        bets += bet
        seen.append(z)
        missed.append((z - mean) ** 2)
        best = max(best, (1.0 + SLACK) * won / bets - SLACK)
        path.append(best)
    return np.array(path)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1.0, 30.0), min_size=1, max_size=60), st.sampled_from([0.025, 0.1]))
def test_the_sequence_is_its_definition_and_looks_only_back(scores, alpha):
    found = lower_bounds(np.array(scores), alpha)
    assert found == pytest.approx(loop(scores, alpha), abs=1e-9)
    assert lower_bounds(np.array([*scores, 500.0]), alpha)[:-1] == pytest.approx(found, abs=1e-12)
    assert np.all(np.diff(found) >= 0.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.02, 0.98), st.floats(0.01, 1.0), st.booleans())
def test_a_score_never_falls_below_the_slack_whatever_the_weights(q, p, taken):
    from opportune.evaluation.sequence import _scores

    logged, _, policy = stream(n=1)
    probability = np.array([[1.0 - p, 0.0, p]])
    one = msgspec.structs.replace(
        logged, action=np.array([2 if taken else 0]), probability=probability, outcome={"outcome": np.zeros(1)}
    )
    for outcome in (0.0, 1.0):
        for turned in (False, True):
            score = _scores(one, policy, np.array([outcome]), np.full((1, 3), q), Bounds(0.0, 1.0), turned)
            assert score[0] >= -SLACK - 1e-12


def test_a_sequence_ends_near_the_truth_and_holds_at_every_look():
    logged, mean, policy = stream(n=20_000)
    path = path_of(logged, [policy], logged.outcome["outcome"], mean, Bounds(0.0, 1.0), 0.95)
    truth = 0.5
    assert np.all((path.low <= truth) & (truth <= path.high))
    assert path.high[-1] - path.low[-1] < 0.06
    found = estimate(logged, policy, interval="sequence", outcome_model=mean, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (path.low[-1], path.high[-1])
    usual = estimate(logged, policy, interval="influence", outcome_model=mean)
    assert found.low < usual.low < usual.high < found.high


def test_bounds_shift_and_scale_a_sequence():
    logged, mean, policy = stream()
    moved = msgspec.structs.replace(logged, outcome={"outcome": 100.0 * logged.outcome["outcome"]})
    one = estimate(logged, policy, interval="sequence", outcome_model=mean, bounds=(0.0, 1.0))
    hundred = estimate(moved, policy, interval="sequence", outcome_model=100.0 * mean, bounds=(0.0, 100.0))
    assert (hundred.low, hundred.high) == pytest.approx((100 * one.low, 100 * one.high))


@pytest.mark.parametrize(
    ("changes", "options", "match"),
    [
        ({}, {"bounds": None}, r"OP617.*bounds are missing"),
        ({}, {"bounds": (0.5, 1.0)}, r"OP617.*zero between"),
        ({}, {"bounds": (0.0, 0.5)}, r"OP617.*outcomes lie outside 0 to 0.5, such as of"),
        ({}, {"estimator": "snipw"}, r"OP619.*'snipw': expected 'ipw' or 'dr'"),
        (
            {"customer_id": np.zeros(3000, dtype=int) + np.arange(3000) // 2},
            {},
            r"OP619.*1500 values in 3000 decisions",
        ),
        ({"decided_at": None}, {}, r"OP618 *\] decided_at are not given"),
    ],
)
def test_a_sequence_that_would_not_hold_is_refused(changes, options, match):
    logged, mean, policy = stream()
    logged = msgspec.structs.replace(logged, **changes)
    with pytest.raises(BadInput, match=match):
        estimate(logged, policy, interval="sequence", **{"outcome_model": mean, "bounds": (0.0, 1.0), **options})


def test_repeated_customers_widen_what_repeats():
    """Every decision twice: the interval by decision is too narrow by root two, that by customer is right."""
    logged, mean, _ = stream(n=1000)
    twice = np.repeat(np.arange(1000), 2)
    double = LoggedDecisions(
        decision_id=np.arange(2000), customer_id=twice, slot=twice, offer_ids=logged.offer_ids, action=logged.action[twice],
        eligible=logged.eligible[twice], probability=logged.probability[twice], outside=np.zeros(2000),
        outcome={"outcome": logged.outcome["outcome"][twice]}, cluster=twice,
    )  # fmt: skip
    policy = fixed_choice("c", np.full(2000, 2), K)
    wide, narrow = (
        estimate(double, policy, interval="influence", cluster=cluster, outcome_model=mean[twice])
        for cluster in ("customer_id", "decision_id")
    )
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(np.sqrt(2.0), rel=2e-3)


def test_too_few_clusters_and_an_unknown_cluster_are_refused():
    logged, mean, policy = stream(n=100, clusters=5)
    with pytest.raises(BadInput, match=r"OP609.*has 5 clusters"):
        estimate(logged, policy, outcome_model=mean)
    with pytest.raises(ValueError, match="cluster is 'branch': expected one of 'customer_id'"):
        estimate(logged, policy, outcome_model=mean, cluster="branch")


def test_float32_arrays_give_the_same_estimate():
    logged, mean, policy = stream()
    small = msgspec.structs.replace(
        logged, probability=logged.probability.astype(np.float32), action=logged.action.astype(np.int8)
    )
    whole, half = (
        estimate(each, policy, interval="influence", outcome_model=mean.astype(each.probability.dtype))
        for each in (logged, small)
    )
    assert (half.value, half.low) == pytest.approx((whole.value, whole.low), rel=1e-5)


ONE_OUTCOME = {"estimator": "snipw", "outcome_model": np.zeros((30, K))}


@pytest.mark.parametrize("interval", ["bootstrap", "influence", "asymptotic_sequence"])
@pytest.mark.parametrize("outcome", [0.0, 7.0])
def test_thirty_outcomes_that_are_all_the_same_give_no_interval(interval, outcome):
    logged, _, policy = stream(n=30)
    logged = msgspec.structs.replace(logged, outcome={"outcome": np.full(30, outcome)})
    other = fixed_choice("b", np.ones(30, dtype=int), K)
    with pytest.raises(BadInput, match=rf"OP629\] policy 'c' is judged by \d+ outcomes that are all {outcome:g}:"):
        estimate(logged, policy, interval=interval, **ONE_OUTCOME)
    with pytest.raises(BadInput, match=r"OP629\] policy 'c' less policy 'b'"):
        compare(logged, policy, other, interval=interval, **ONE_OUTCOME)
    loss = rows_of([Limit(name="loss", uses="loss", at_most=5.0)], {})
    with pytest.raises(BadInput, match=r"OP629\] limit 'loss'"):
        limit_evidence(logged, policy, {"loss": np.zeros(30)}, loss, interval=interval)
    honest = {"interval": "sequence", "bounds": (0.0, 10.0), "estimator": "dr", "outcome_model": np.zeros((30, K))}
    found = estimate(logged, policy, **honest)
    assert found.low < found.high


@pytest.mark.parametrize("interval", ["bootstrap", "influence", "asymptotic_sequence"])
def test_what_does_not_rest_on_the_sample_is_known(interval):
    logged, _, policy = stream(n=30)
    logged = msgspec.structs.replace(logged, outcome={"outcome": np.zeros(30)})
    nobody = fixed_choice("nobody", np.full(30, -1), K)
    contacts = rows_of([Limit(name="contacts", uses="contacts", at_most=30.0)], {})
    assert estimate(logged, nobody, interval=interval, **ONE_OUTCOME).high == 0.0
    assert compare(logged, policy, policy, interval=interval, **ONE_OUTCOME).high == 0.0
    sent = {"contacts": np.ones(30)}
    (all_,) = limit_evidence(logged, policy, sent, contacts, interval=interval, certain=["contacts"])
    assert (round(all_.used.low, 6), round(all_.used.high, 6)) == (30.0, 30.0)
    with pytest.raises(
        BadInput, match=r"OP629\] limit 'contacts': contacts .* `certain` where the offer alone decides"
    ):
        limit_evidence(logged, policy, sent, contacts, interval=interval)


def test_an_offer_that_the_log_could_have_made_and_never_made_is_not_known():
    """Its weights are all zero, so that every sum over the log is zero too, and sure of it."""
    logged, mean, _ = stream(n=300)
    logged = msgspec.structs.replace(logged, action=np.where(logged.action == 2, 1, logged.action))
    never, often = fixed_choice("c", np.full(300, 2), K), np.zeros(300, dtype=int)
    once_more = fixed_choice("a, or c for one", np.where(np.arange(300) == 7, 2, often), K)
    loss = rows_of([Limit(name="loss", uses="loss", at_most=5.0)], {})
    says = r"OP629\] (policy 'c'|limit 'loss').* makes offers that the log could have drawn and never drew"
    for refused in (
        lambda: estimate(logged, never, outcome_model=mean),
        lambda: limit_evidence(logged, never, {"loss": logged.outcome["outcome"]}, loss),
        lambda: cvar(logged, never),
        lambda: estimate_slates(logged, never, np.arange(300)),
    ):
        with pytest.raises(BadInput, match=says):
            refused()
    unlike = msgspec.structs.replace(logged, action=np.where(np.arange(300) == 7, 1, logged.action))
    with pytest.raises(
        BadInput, match=r"OP629\] policy 'a, or c for one' less policy 'a' rests on what 'a, or c for one' .* makes"
    ):
        compare(unlike, once_more, fixed_choice("a", often, K), outcome_model=mean)
    with pytest.raises(BadInput, match="OP629"):  # the other side was seen, and says nothing of this one
        compare(logged, never, fixed_choice("a", often, K), outcome_model=mean, estimator="snipw")
    assert estimate(logged, never, estimator="dm", outcome_model=mean).value == pytest.approx(mean[:, 2].mean())


def shared(rates, n=3000):
    """Offer a is answered by one in five, b and c by nobody who was seen; two policies share nine tenths of a."""
    draw = np.random.default_rng(1)
    logged, _, _ = stream(n=n)
    action = draw.choice(3, n, p=rates)
    answered = np.where(action == 0, draw.random(n) < 0.2, 0.0)
    logged = msgspec.structs.replace(
        logged, action=action, probability=np.tile(rates, (n, 1)), outcome={"outcome": answered}
    )
    first, second = (
        FixedOffers(name, np.tile(row, (n, 1))) for name, row in (("A", [0.9, 0.1, 0]), ("B", [0.9, 0, 0.1]))
    )
    return logged, first, second


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr"])
def test_an_offer_that_both_policies_make_alike_does_not_tell_how_they_differ(estimator):
    logged, first, second = shared([0.8, 0.1, 0.1])
    options = {"estimator": estimator, "outcome_model": np.zeros((len(logged), 3))}
    with pytest.raises(BadInput, match=r"OP629\] policy 'A' less policy 'B' rests on what 'A' does more .* all 0:"):
        compare(logged, first, second, **options)
    assert estimate(logged, first, **options).low > 0.0
    undrawn, _, _ = shared([1.0, 0.0, 0.0])
    undrawn = msgspec.structs.replace(undrawn, probability=logged.probability)
    with pytest.raises(BadInput, match=r"OP629\] .* 'A' does more often, which makes offers that .* never drew"):
        compare(undrawn, first, second, **options)


@pytest.mark.parametrize("hardly_any", [0.0, 1e-12, 1e-8])
def test_a_weight_of_nearly_nothing_does_not_tell_a_policy(hardly_any):
    logged, _, _ = shared([0.4, 0.3, 0.3])
    soft = FixedOffers("soft", np.tile([hardly_any, 1.0 - hardly_any, 0.0], (len(logged), 1)))
    with pytest.raises(BadInput, match=r"OP629\] policy 'soft' is judged by \d+ outcomes that are all 0"):
        estimate(logged, soft, estimator="snipw")


def test_offers_outside_the_catalogue_tell_a_policy_that_makes_them():
    n = 2000
    draw, inside = np.random.default_rng(2), np.arange(n) < 20
    logged, _, _ = stream(n=n)
    probability = np.where(inside[:, None], 1 / 3, 0.0) * np.ones((1, 3))
    answered = np.where(inside, 0.0, draw.random(n) < 0.2)
    logged = msgspec.structs.replace(
        logged, action=np.where(inside, logged.action, -1), probability=probability, outside=1.0 - inside,
        outcome={"outcome": answered},
    )  # fmt: skip
    everyone, nobody = AsLogged("all", np.ones(n), probability), FixedOffers("nobody", np.zeros((n, 3)))
    alone, apart = (
        found(logged, everyone, *others, estimator="ipw", seed=1)
        for found, others in ((estimate, ()), (compare, (nobody,)))
    )
    assert (apart.value, apart.low, apart.high) == (alone.value, alone.low, alone.high)
    assert alone.value == answered.mean()
    silent = msgspec.structs.replace(logged, outcome={"outcome": np.full(n, 5.0)})
    for found, others in ((estimate, ()), (compare, (nobody,))):
        with pytest.raises(BadInput, match="OP629"):
            found(silent, everyone, *others, estimator="ipw")


def test_clusters_that_are_all_alike_tell_nothing_though_their_rows_differ():
    logged, _, _ = stream(n=2000)
    once_each = np.tile([1.0] + [0.0] * 9, 200)
    customers = np.repeat(np.arange(200), 10)
    logged = msgspec.structs.replace(logged, customer_id=customers, cluster=customers, outcome={"outcome": once_each})
    everyone = AsLogged("all", np.ones(2000), logged.probability)
    with pytest.raises(
        BadInput, match=r"OP629\] policy 'all' has an interval that is a point, 0.1: expected outcomes that"
    ):
        estimate(logged, everyone, estimator="snipw")
    with pytest.raises(BadInput, match=r"OP629\] policy 'all' has an interval that is a point, 0.1"):
        estimate(logged, everyone, outcome_model=np.full((2000, K), 0.3))
    loss = rows_of([Limit(name="loss", uses="outcome", at_most=300.0)], {})
    with pytest.raises(BadInput, match=r"OP629\] limit 'loss' has an interval that is a point, 200"):
        limit_evidence(logged, everyone, logged.outcome, loss)
    with pytest.raises(BadInput, match=r"OP629\] policy 'all', who is reached has an interval that is a point, 0.1"):
        estimate_staged(
            logged, everyone, reached=once_each, given=np.where(once_each == 1, customers % 7, np.nan), among="takers"
        )
    alone = estimate(logged, everyone, estimator="snipw", cluster="decision_id")
    assert alone.low < 0.1 < alone.high


@pytest.mark.parametrize("interval", ["bootstrap", "influence"])
def test_policies_that_are_the_same_but_for_rounding_do_not_differ(interval):
    logged, _, _ = stream(n=300)
    one, other = (
        FixedOffers(name, np.tile([share, 0.3, 0.4], (300, 1))) for name, share in (("a", 0.3), ("b", 0.1 + 0.2))
    )
    found = compare(logged, one, other, estimator="ipw", interval=interval)
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def losses(logged):
    """Losses of those who were offered a or b, and none of the few who were offered c."""
    return {"loss": np.where(logged.action == 2, 0.0, logged.outcome["outcome"])}


@pytest.mark.parametrize("per", [None, "lent"])
def test_losses_of_other_offers_do_not_make_a_limit_sure(per):
    logged, _, policy = stream(n=300)
    loss = rows_of([Limit(name="loss", uses="loss", per=per, at_most=1.0)], {})
    with pytest.raises(BadInput, match=r"OP629\] limit 'loss': loss is judged by \d+ outcomes that are all 0"):
        limit_evidence(logged, policy, losses(logged) | {"lent": np.full(300, 100.0)}, loss)


def test_whoever_leaves_everybody_alone_uses_nothing_and_that_is_known():
    logged, _, _ = stream(n=300)
    logged = msgspec.structs.replace(logged, offer_ids=("a", "b", "NO_OFFER"))
    nobody = fixed_choice("nobody", np.full(300, 2), K)
    loss = rows_of([Limit(name="loss", uses="loss", at_most=1.0)], {})
    (found,) = limit_evidence(logged, nobody, losses(logged), loss)
    assert (found.used.low, found.used.high, found.holds) == (0.0, 0.0, 1.0)


def test_worst_outcomes_that_are_all_alike_do_not_show_that_none_is_worse():
    logged, _, policy = stream(n=300)
    with pytest.raises(BadInput, match=r"OP629\] policy 'c' is worth 0 in each of its worst 5% .* Next: take a larger"):
        cvar(logged, policy)


def test_an_asymptotic_sequence_begins_when_it_has_seen_enough():
    draw = np.random.default_rng(3)
    logged, _, _ = stream(n=4000)
    everyone = fixed_choice("as drawn", logged.action, K)
    logged = msgspec.structs.replace(logged, outcome={"outcome": (draw.random(4000) < 0.01).astype(float)})
    options = {"estimator": "snipw", "interval": "asymptotic_sequence", "cluster": "decision_id"}
    certain = msgspec.structs.replace(logged, probability=np.eye(K)[logged.action])
    events = int(logged.outcome["outcome"].sum())
    assert events > FEWEST_EVENTS + 5
    assert estimate(certain, everyone, **options).low < 0.01
    rare = np.where(np.cumsum(logged.outcome["outcome"]) <= FEWEST_EVENTS - 5, logged.outcome["outcome"], 0.0)
    with pytest.raises(BadInput, match=r"OP629\] interval='asymptotic_sequence' has seen 2\d.\d effective events"):
        estimate(msgspec.structs.replace(certain, outcome={"outcome": rare}), everyone, **options)
