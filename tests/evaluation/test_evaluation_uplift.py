"""Uplift: published figures of each convention, paths against a linear programme, scores whose truth is known."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from opportune.allocation import allocate
from opportune.domain import BadInput, Limit
from opportune.evaluation import (
    RankedTrial,
    auuc,
    doubly_robust_scores,
    gain_path,
    hull_walk,
    one_for_all,
    policy_curve,
    policy_gain,
    qini,
    qini_path,
    uplift_at,
)
from opportune.evaluation.uplift_measures import causalml_qini_curve

NOBODY = np.array([], dtype=str)


def trial(outcome, treated, score):
    ids = np.arange(len(outcome)).astype(str)
    return RankedTrial(row_id=ids, outcome=outcome, treated=treated, score=score, used_for_choosing=NOBODY)


@pytest.fixture(scope="module")
def published():
    """The vector on which scikit-uplift 0.5.1 was run; the order of the draws is part of it."""
    draw = np.random.RandomState(0)
    score = draw.rand(2000)
    treated = (draw.rand(2000) < 0.5).astype(int)
    outcome = (draw.rand(2000) < 0.2 + 0.2 * score * treated).astype(int)
    return trial(outcome, treated, score)


def test_scikit_uplifts_figures(published):
    assert qini(published, convention="sklift") == pytest.approx(0.062442867920, abs=1e-12)
    assert auuc(published, convention="sklift") == pytest.approx(0.048242176520, abs=1e-12)
    assert uplift_at(published, 0.3, convention="sklift_overall") == pytest.approx(0.138181818, abs=1e-9)
    assert uplift_at(published, 0.3, convention="sklift_by_group") == pytest.approx(0.128612878, abs=1e-9)


def test_scikit_uplifts_perfect_order_is_of_a_yes_or_no(published):
    amounts = trial(published.outcome * 12.5, published.treated, published.score)
    with pytest.raises(BadInput, match=r"OP662\] outcome is neither 0 nor 1 in \d+ of 2000 rows \(12.5, "):
        auuc(amounts, convention="sklift")
    assert qini(amounts, convention="sklift") == pytest.approx(qini(published, convention="sklift"))


def test_a_curve_that_ends_at_nothing_has_no_shares():
    same = trial(np.tile([1, 0, 0, 1, 0], 2), np.repeat([0, 1], 5), np.arange(10.0))
    for measure in (qini, auuc):
        with pytest.raises(BadInput, match=r"OP663\] the curve ends at 0"):
            measure(same, convention="causalml")


TEN = trial(np.array([0, 0, 0, 0, 1, 0, 0, 1, 1, 1]), np.repeat([0, 1], 5), np.tile(np.arange(5) / 10, 2))


def test_causalmls_figures():
    path = [0, 0, 0, 0.5, 1, 4 / 3, 2, 2.25, 2, 2.2, 2]
    assert causalml_qini_curve(TEN, TEN.score) == pytest.approx(path)
    assert qini(TEN, convention="causalml_random_orders") == pytest.approx(0.088636, abs=5e-7)
    assert qini(TEN, convention="causalml") == pytest.approx((sum(path) / 2 - 5.5) / 11)


def test_the_conventions_do_not_agree(published):
    """The reason for naming them: the same ranking, four numbers."""
    found = {qini(published, convention=name) for name in ("sklift", "causalml", "causalml_random_orders")}
    assert len({round(each, 3) for each in found}) == 3
    assert auuc(published, convention="causalml") > 0.5 > auuc(published, convention="sklift") > 0


def test_the_perfect_order_has_a_qini_of_one_and_its_reverse_is_worse_than_chance(published):
    perfect = published.outcome * published.treated - published.outcome * (1 - published.treated)
    assert qini(msgspec.structs.replace(published, score=perfect), convention="sklift") == pytest.approx(1.0)
    assert qini(msgspec.structs.replace(published, score=-perfect), convention="sklift") < 0


def test_a_score_without_differences_gains_nothing(published):
    flat = msgspec.structs.replace(published, score=np.zeros(2000))
    assert abs(auuc(flat, convention="sklift")) < 1e-9
    everyone = published.outcome[published.treated == 1].mean() - published.outcome[published.treated == 0].mean()
    for convention in ("sklift_overall", "sklift_by_group"):
        assert uplift_at(published, 1.0, convention=convention) == pytest.approx(everyone)


def test_rows_that_chose_must_not_judge():
    ids = np.array(["a", "b", "c"])
    with pytest.raises(BadInput, match=r"OP651.*b, c were used for choosing: 2 of 3 rows"):
        RankedTrial(
            row_id=ids, outcome=ids, treated=np.array([0, 1, 1]), score=ids, used_for_choosing=np.array(["c", "b", "z"])
        )
    with pytest.raises(TypeError, match="used_for_choosing"):
        RankedTrial(row_id=ids, outcome=ids, treated=np.array([0, 1, 1]), score=ids)


def test_one_arm_is_no_trial():
    with pytest.raises(BadInput, match=r"OP655.*holds 1: expected 0 and 1"):
        trial(np.ones(3), np.ones(3, dtype=int), np.ones(3))


@pytest.mark.parametrize("column", ["score", "outcome"])
def test_a_trial_with_values_that_are_no_numbers_is_refused(published, column):
    spoilt = np.where(np.arange(2000) % 1000 == 3, np.nan, getattr(published, column))
    with pytest.raises(BadInput, match=rf"OP661.*{column}, row 3, 1003 2 values are no finite numbers"):
        msgspec.structs.replace(published, **{column: spoilt})


@pytest.mark.parametrize(
    ("measure", "convention"),
    [(qini, "sklfit"), (auuc, "causalml_random_orders"), (lambda t, **k: uplift_at(t, 0.3, **k), "overall")],
)
def test_a_convention_that_does_not_exist_is_told_with_those_that_do(published, measure, convention):
    with pytest.raises(ValueError, match=f"convention is '{convention}': expected one of 'sklift"):
        measure(published, convention=convention)


@pytest.mark.parametrize("share", [30, -0.3, float("nan")])
def test_a_share_outside_zero_to_one_is_refused(published, share):
    with pytest.raises(ValueError, match=r"expected 0 to 1, such as 0\.3"):
        uplift_at(published, share, convention="sklift_overall")


def test_a_share_that_holds_one_arm_only_is_refused(published):
    with pytest.raises(BadInput, match=r"OP655.*has 0 treated and 0 control rows in the best share"):
        uplift_at(published, 0.0, convention="sklift_by_group")


# One budget, many offers ------------------------------------------------------------------------------------------


def programme(values, costs, budget):
    """The optimum of the linear programme: at most one offer per customer, one budget."""
    n, offers = values.shape
    rows = np.kron(np.eye(n), np.ones(offers))
    done = linprog(-values.ravel(), A_ub=np.vstack([rows, costs.ravel()]), b_ub=[1.0] * n + [budget], bounds=(0, 1))
    return -done.fun


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 4), st.floats(0.0, 1.2), st.booleans())
def test_the_path_is_the_optimum_of_the_linear_programme(seed, n, offers, share, coarse):
    draw = np.random.default_rng(seed)
    values, costs = draw.normal(0.5, 1.0, (n, offers)), draw.uniform(0.1, 2.0, (n, offers))
    if coarse:  # many ties of value, cost and ratio
        values, costs = np.round(values * 2) / 2, np.ceil(costs)
    walk = hull_walk(values, costs, values)
    budget = share * float(costs.max(axis=1).sum())
    assert walk.gain_at(np.array([budget]))[0] == pytest.approx(programme(values, costs, budget), abs=1e-7)
    policy = walk.probabilities_at(budget)
    assert float((policy * costs).sum()) <= budget + 1e-9
    assert np.all(policy.sum(axis=1) <= 1 + 1e-9)
    assert float((policy * values).sum()) == pytest.approx(walk.gain_at(np.array([budget]))[0], abs=1e-9)


def test_the_path_is_concave_and_ends_with_everyones_best_offer():
    draw = np.random.default_rng(3)
    values, costs = draw.normal(size=(500, 4)), draw.uniform(0.1, 1.0, (500, 4))
    spent, gained = hull_walk(values, costs, values).corners()
    slopes = np.diff(gained) / np.diff(spent)
    assert np.all(np.diff(slopes) <= 1e-9 * slopes[:-1])
    assert gained[-1] == pytest.approx(np.maximum(values.max(axis=1), 0).sum())


def test_a_free_offer_is_refused():
    with pytest.raises(BadInput, match=r"OP654.*row 1.*not above zero"):
        hull_walk(np.ones((2, 2)), np.array([[1.0, 1.0], [1.0, 0.0]]), np.ones((2, 2)))


def test_the_order_of_customers_changes_no_path():
    draw = np.random.default_rng(6)
    values, costs = np.round(draw.normal(size=(60, 2)), 1), np.ones(2)
    gains, turned = draw.normal(size=(60, 2)), np.arange(60)[::-1]
    budgets = np.linspace(0.0, 40.0, 9)
    one = hull_walk(values, costs, gains).gain_at(budgets)
    assert hull_walk(values[turned], costs, gains[turned]).gain_at(budgets) == pytest.approx(one)


# Scores -----------------------------------------------------------------------------------------------------------


def simulated(n=6000, seed=0, wrong_model=False, wrong_probability=False):
    """Three arms whose gains are x and 1 - x: the truth of every policy is known."""
    draw = np.random.default_rng(seed)
    x = draw.random(n)
    probability = np.column_stack([0.5 - 0.2 * x, 0.25 + 0.2 * x, np.full(n, 0.25)])
    action = (draw.random(n)[:, None] > np.cumsum(probability, axis=1)).sum(axis=1)
    mean = np.column_stack([2.0 * x, 2.0 * x + x, 2.0 * x + 1.0 - x])
    outcome = mean[np.arange(n), action] + draw.normal(0.0, 1.0, n)
    scores = doubly_robust_scores(
        row_id=np.arange(n).astype(str), cluster=np.arange(n), arms=("none", "a", "b"), control="none", action=action,
        probability=np.full((n, 3), 1 / 3) if wrong_probability else probability, outcome=outcome,
        predicted=np.zeros((n, 3)) if wrong_model else mean,
    )  # fmt: skip
    return scores, x


@pytest.mark.parametrize("wrong", [{}, {"wrong_model": True}, {"wrong_probability": True}])
def test_scores_are_right_when_probabilities_or_predictions_are(wrong):
    scores, x = simulated(60_000, **wrong)
    truth = np.column_stack([x, 1.0 - x])
    assert scores.score.mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.06)
    high = x > 0.5
    assert scores.score[high].mean(axis=0) == pytest.approx(truth[high].mean(axis=0), abs=0.08)
    policy = np.column_stack([high, ~high]).astype(float)
    found = policy_gain(scores, policy, used_for_choosing=NOBODY)
    assert found.low < 0.75 < found.high


def test_an_allocator_plans_on_predicted_gains_and_scores_judge_its_plan():
    """With room for half of 4,000 the best half by max(x, 1 - x) is chosen; gains of theirs have mean 7/8."""
    scores, _ = simulated(4_000)
    scores = msgspec.structs.replace(scores, supported=scores.supported & (np.arange(4_000) > 0)[:, None])
    rows = {"customer_id": scores.row_id, "slot": np.full(4_000, "1")}
    candidates = scores.candidates({"contacts": np.ones(2)}, **rows, currency="USD")
    assert candidates.uses["contacts"].sum() == candidates.eligible.sum() == 2 * 3_999
    plan = allocate(candidates, [Limit(name="half", uses="contacts", at_most=2_000)])
    best = np.sort(scores.predicted.max(axis=1)[1:])[-2_000:]
    assert plan.certificate.value == pytest.approx(best.sum(), rel=1e-4)
    policy = np.eye(3)[plan.choice][:, :2]
    found = policy_gain(scores, policy, used_for_choosing=NOBODY)
    assert found.low < best.sum() / 4_000 < found.high


def test_both_wrong_is_wrong():
    scores, _ = simulated(60_000, wrong_model=True, wrong_probability=True)
    assert scores.score[:, 0].mean() == pytest.approx(0.5 + 0.125, abs=0.06)  # E[3 p_a y_a - 3 p_none y_none]


def test_intervals_of_a_path_cover_the_truth_about_as_often_as_they_say():
    """150 streams: the true gain at a budget lies inside 95 % intervals in 90 to 99 % of them."""
    covered = 0
    for seed in range(150):
        scores, _ = simulated(600, seed=seed + 100)
        found = qini_path(
            scores, np.ones(2), np.array([0.4]), used_for_choosing=NOBODY, replicates=120, seed=seed
        ).estimates()[0]
        covered += found.low <= 0.36 <= found.high  # the best 40 %: x above 0.8 or below 0.2, gains of 0.8 to 1
    assert 0.90 <= covered / 150 <= 0.99


def test_the_best_of_both_offers_beats_one_for_all_and_the_difference_is_paired():
    scores, _ = simulated(4000)
    settings = {"used_for_choosing": NOBODY, "replicates": 100, "seed": 1}
    budgets = np.array([0.2, 0.5, 1.0])
    both = qini_path(scores, np.ones(2), budgets, **settings)
    blind = qini_path(one_for_all(scores, np.array([0.5, 0.4])), np.ones(2), budgets, **settings)
    ahead = both.less(blind)
    assert all(each.low > 0 for each in ahead.estimates())
    assert ahead.mean_gain().low > 0
    assert both.less(both).standard_error == pytest.approx(np.zeros(3))
    assert np.all(ahead.standard_error < both.standard_error + blind.standard_error)
    assert both.per_unit_of_budget()[2].value == pytest.approx(both.gain[2])


def test_the_curve_at_everyone_is_the_average_effect():
    scores, x = simulated(3000)
    curve = policy_curve(scores, "a", x, np.array([0.0, 0.5, 1.0]), used_for_choosing=NOBODY, replicates=50, seed=1)
    assert curve.gain[[0, 2]] == pytest.approx([0.0, scores.score[:, 0].mean()])
    top = np.argsort(-x)[:1500]
    assert curve.gain[1] == pytest.approx(scores.score[top, 0].sum() / 3000)
    flat = policy_curve(scores, "a", np.ones(3000), np.array([0.3]), used_for_choosing=NOBODY, replicates=50, seed=1)
    assert flat.gain[0] == pytest.approx(0.3 * scores.score[:, 0].mean())


def test_the_area_of_a_straight_path_is_half_its_end():
    gains = np.where(np.arange(50) % 2, 0.5, 1.5)[:, None]
    walk = hull_walk(np.ones((50, 1)), np.ones(1), gains)
    found = gain_path(walk, np.arange(50), np.array([0.5, 1.0]), replicates=40, seed=1)
    assert found.area == pytest.approx(0.5)
    assert found.area_replicates == pytest.approx(found.replicates[:, 1] / 2.0)
    for budgets, replicates in (([0.0], 40), ([np.inf], 40), ([1.0], 2)):
        with pytest.raises(ValueError, match=r"expected (finite numbers, one of them above 0|at least 40)"):
            gain_path(walk, np.arange(50), np.array(budgets), replicates=replicates, seed=1)
    with pytest.raises(ValueError, match=r"at least 200 for an interval of level 0\.99"):
        found.estimates(level=0.99)
    alike = hull_walk(np.ones((50, 1)), np.ones(1), np.ones((50, 1)))
    with pytest.raises(BadInput, match=r"OP629\] gains along the path are 1 at each step"):
        gain_path(alike, np.arange(50), np.array([1.0]), replicates=40, seed=1)


def test_an_offer_without_support_has_no_score_and_is_never_chosen():
    n = 40
    probability = np.column_stack([np.full(n, 0.5), np.full(n, 0.5), np.zeros(n)])
    scores = doubly_robust_scores(
        row_id=np.arange(n), cluster=np.arange(n), arms=("none", "a", "b"), control="none", action=np.arange(n) % 2,
        probability=probability, outcome=np.arange(n) % 3.0, predicted=np.tile([0.0, 1.0, 9.0], (n, 1)),
    )  # fmt: skip
    assert not scores.supported[:, 1].any()
    assert np.all(scores.score[:, 1] == 0)
    assert set(hull_walk(scores.predicted, np.ones(2), scores.score).offer) == {0}
    given_on = scores.candidates({"cost": np.ones(2)}, customer_id=scores.row_id, slot=scores.row_id, currency="USD")
    assert given_on.uses["cost"].tolist() == [[1.0, 0.0]] * n


def test_an_arm_that_was_never_drawn_and_outcomes_all_alike_give_no_scores():
    n = 40
    given = {
        "row_id": np.arange(n), "cluster": np.arange(n), "arms": ("none", "a", "b"), "control": "none",
        "action": np.arange(n) % 2, "probability": np.tile([0.5, 0.48, 0.02], (n, 1)),
        "outcome": np.arange(n) % 3.0, "predicted": np.full((n, 3), 0.9),
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"OP629\] arm 'b' could have been drawn and never was"):
        doubly_robust_scores(**given)
    without = {"probability": np.tile([0.5, 0.5, 0.0], (n, 1)), "outcome": np.zeros(n)}
    with pytest.raises(BadInput, match=r"OP629\] outcome is 0 in all rows"):
        doubly_robust_scores(**(given | without))
    with pytest.raises(BadInput, match=r"OP629\] outcome is 0 in all 10 rows"):
        trial(np.zeros(10), np.repeat([0, 1], 5), np.arange(10.0))


def half_supported(n=200):
    """The first half never had the offer, whose effect is 1 for all, known to half a unit."""
    draw = np.random.default_rng(0)
    first = (np.arange(n) < n / 2)[:, None]
    action = np.where(first[:, 0], 0, draw.integers(0, 2, n))
    return doubly_robust_scores(
        row_id=np.arange(n), cluster=np.arange(n), arms=("none", "a"), control="none", action=action,
        probability=np.where(first, [1.0, 0.0], 0.5), outcome=action + np.where(np.arange(n) % 2, 0.25, -0.25),
        predicted=np.tile([0.0, 1.0], (n, 1)),
    )  # fmt: skip


CURVE = {"used_for_choosing": NOBODY, "replicates": 20, "seed": 1}


def test_a_policy_that_reaches_customers_without_support_is_refused():
    scores = half_supported()
    everyone, rank = np.ones((200, 1)), np.arange(200.0)
    with pytest.raises(BadInput, match=r"OP610\] 0, 1, 2 100 of 200 customers \(50.0%\) would get an offer"):
        policy_gain(scores, everyone, used_for_choosing=NOBODY)
    with pytest.raises(BadInput, match=r"OP610.*100 of 200 customers"):
        policy_curve(scores, "a", rank, np.array([0.5]), **CURVE)
    known = scores.take(scores.supported[:, 0])
    among = policy_gain(known, everyone[:100], used_for_choosing=NOBODY)
    assert among.low < 1.0 < among.high
    later = policy_gain(scores, (rank >= 100)[:, None].astype(float), used_for_choosing=NOBODY)
    assert later.value == pytest.approx(among.value / 2.0)


def test_scores_that_are_all_alike_tell_no_gain():
    """Nobody was seen to answer the letter or nothing; that some were to calls says nothing of it."""
    draw = np.random.default_rng(2)
    action = draw.integers(0, 3, 900)
    scores = doubly_robust_scores(
        row_id=np.arange(900), cluster=np.arange(900), arms=("none", "mail", "call"), control="none", action=action,
        probability=np.full((900, 3), 1 / 3), outcome=np.where(action == 2, draw.random(900) < 0.3, 0.0),
        predicted=np.zeros((900, 3)),
    )  # fmt: skip
    mail, call = (np.tile(row, (900, 1)) for row in ([1.0, 0.0], [0.0, 1.0]))
    with pytest.raises(BadInput, match=r"OP629\] policy to be judged is judged by scores that are all 0"):
        policy_gain(scores, mail, used_for_choosing=NOBODY)
    with pytest.raises(BadInput, match=r"OP629\] gains along the path are 0"):
        policy_curve(scores, "mail", draw.random(900), np.array([0.5]), **CURVE | {"replicates": 40})
    assert policy_gain(scores, call, used_for_choosing=NOBODY).low > 0.0
    assert policy_gain(scores, 0.0 * mail, used_for_choosing=NOBODY).high == 0.0


def test_a_log_without_rows_gives_no_scores():
    with pytest.raises(BadInput, match=r"OP652\] outcome has no rows"):
        doubly_robust_scores(
            row_id=np.arange(0), cluster=np.arange(0), arms=("none", "a"), control="none",
            action=np.zeros(0, dtype=int), probability=np.zeros((0, 2)), outcome=np.zeros(0), predicted=np.zeros((0, 2)),
        )  # fmt: skip


def test_a_perfect_order_that_is_no_better_than_chance_has_no_area_to_share():
    treated = np.arange(1000) % 2
    trial = RankedTrial(
        row_id=np.arange(1000), outcome=treated * 1.0, treated=treated, score=np.random.default_rng(0).random(1000),
        used_for_choosing=NOBODY,
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"OP663\] the perfect order encloses no area"):
        auuc(trial, convention="sklift")


@pytest.mark.parametrize("policy", [np.full((200, 2), 1.5), np.full((200, 2), 0.6), np.full((200, 2), np.nan)])
def test_a_row_that_is_no_policy_and_no_difference_of_two_is_refused(policy):
    scores, _ = simulated(200)
    with pytest.raises(BadInput, match=r"OP616\] 0, 1, 2 200 rows are no policy"):
        policy_gain(scores, policy, used_for_choosing=NOBODY)
    swap = policy_gain(scores, np.tile([1.0, -1.0], (200, 1)), used_for_choosing=NOBODY)
    assert swap.value == pytest.approx(np.mean(scores.score[:, 0] - scores.score[:, 1]))


def test_gains_of_too_few_clusters_are_refused():
    scores, x = simulated(200)
    few = msgspec.structs.replace(scores, cluster=np.arange(200) % 9)
    for judge in (
        lambda: policy_gain(few, np.ones((200, 2)) / 2, used_for_choosing=NOBODY),
        lambda: policy_curve(few, "a", x, np.array([0.5]), **CURVE),
        lambda: qini_path(few, np.ones(2), np.array([0.5]), **CURVE),
    ):
        with pytest.raises(BadInput, match=r"OP609.*has 9 clusters"):
            judge()


def test_a_ranking_that_is_no_number_and_a_share_beyond_one_are_refused():
    scores, x = simulated(200)
    with pytest.raises(BadInput, match=r"OP661.*rank_by, row 7 1 values"):
        policy_curve(scores, "a", np.where(np.arange(200) == 7, np.nan, x), np.array([0.5]), **CURVE)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        policy_curve(scores, "a", x, np.array([30.0]), **CURVE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"control": "nobody"}, r"OP652.*expected one of the arms none, a"),
        ({"predicted": np.zeros((4, 3))}, r"OP652.*expected \(4, 2\)"),
        ({"action": np.array([0, 1, 2, 1])}, r"OP653.*row 2.*1 rows have an arm outside"),
        (
            {"probability": np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5], [0.6, 0.6]])},
            r"(?s)probability zero.*sum to 1",
        ),
        ({"probability": np.full((4, 2), 1 / 3)}, r"OP653.*row 0, 1, 2 4 rows.*do not sum to 1.*divide the others"),
        ({"probability": np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [-0.5, 1.5]])}, r"OP653.*outside 0 to 1"),
        ({"outcome": np.array([1.0, np.nan, 0.0, 1.0])}, r"OP653.*row 1.*not known"),
    ],
)
def test_a_log_that_cannot_give_scores_is_refused(changes, says):
    given_log = {
        "row_id": np.arange(4), "cluster": np.arange(4), "arms": ("none", "a"), "control": "none",
        "action": np.array([0, 1, 0, 1]), "probability": np.full((4, 2), 0.5), "outcome": np.ones(4),
        "predicted": np.zeros((4, 2)),
    }  # fmt: skip
    with pytest.raises(BadInput, match=says):
        doubly_robust_scores(**(given_log | changes))


def test_scores_of_some_rows_are_those_rows():
    scores, _ = simulated(100)
    part = scores.take(np.arange(10))
    assert len(part) == 10
    assert np.array_equal(part.score, scores.score[:10])
    assert msgspec.structs.asdict(part)["offer_ids"] == ("a", "b")
