"""Experiments: golden arms in Python and SQL, layers that exclude and cross, and read-outs that keep their promise."""

import duckdb
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opportune.domain import BadInput
from opportune.evaluation import (
    Arm,
    Experiment,
    ExperimentDesign,
    Layer,
    adjusted_difference,
    arm_sql,
    assign,
    check_layers,
    cuped_prediction,
    first_decided,
    power,
    sample_ratio,
    sequential_readout,
)
from opportune.evaluation.difference_sums import running_sums, sums_of_counts
from opportune.numerics import asymptotic_radius


def arms(*shares, roles=("champion", "challenger", "shadow")):
    return tuple(Arm(name=role, buckets=share, role=role) for role, share in zip(roles, shares, strict=False))


PRICES = Layer(
    name="prices",
    experiments=(
        Experiment(name="deep discounts", first=0, buckets=4_000, arms=arms(5_000, 5_000)),
        Experiment(name="it's new", first=4_000, buckets=5_000, arms=arms(8_000, 1_000, 1_000)),
    ),
)
WORDS = Layer(
    name="words", experiments=(Experiment(name="shorter letter", first=0, buckets=10_000, arms=arms(5_000, 5_000)),)
)
CUSTOMERS = [f"c{i}" for i in range(40_000)]
CALL = {"seed": 7, "universal_holdout": 300}


def test_golden_arms_never_change():
    """These are part of the product: who is in which arm must not depend on version, language or engine."""
    found = assign(PRICES, [f"c{i}" for i in range(40)], **CALL)
    told = [f"{e[:4] or '-'}:{a[:4] or '-'}" for e, a in zip(found.experiment, found.arm, strict=True)]
    assert told == GOLDEN


GOLDEN = [
    "-:-",
    "deep:chal",
    "deep:chal",
    "deep:chal",
    "-:-",
    "deep:chal",
    "it's:cham",
    "deep:cham",
    "it's:cham",
    "deep:chal",
    "it's:shad",
    "it's:cham",
    "deep:chal",
    "it's:chal",
    "it's:cham",
    "it's:cham",
    "it's:cham",
    "deep:chal",
    "it's:cham",
    "-:-",
    "deep:chal",
    "it's:cham",
    "deep:chal",
    "deep:chal",
    "deep:cham",
    "deep:chal",
    "-:-",
    "deep:chal",
    "it's:cham",
    "it's:chal",
    "it's:cham",
    "-:-",
    "deep:chal",
    "-:-",
    "it's:shad",
    "deep:chal",
    "deep:chal",
    "deep:cham",
    "-:-",
    "it's:cham",
]


@pytest.mark.parametrize("layer", [PRICES, WORDS])
def test_sql_assigns_the_same_arms(layer):
    source = "SELECT 'c' || i AS customer_id FROM range(5_000) AS t(i) UNION ALL VALUES ('é'), (''), ('o''hara')"
    rows = duckdb.sql(f"SELECT customer_id, {arm_sql(layer, 'customer_id', **CALL)} FROM ({source})").fetchall()
    assert len(rows) == 5_003
    found = assign(layer, [each for each, _ in rows], **CALL)
    assert [arm for _, arm in rows] == found.arm.tolist()


def test_experiments_of_a_layer_exclude_each_other_and_hold_their_shares():
    found = assign(PRICES, CUSTOMERS, **CALL)
    share = {name: float(np.mean(found.experiment == name)) for name in ("deep discounts", "it's new")}
    assert share == pytest.approx({"deep discounts": 0.4 * 0.97, "it's new": 0.5 * 0.97}, abs=0.01)
    inside = found.experiment == "it's new"
    for arm in PRICES.experiments[1].arms:
        assert np.mean(found.arm[inside] == arm.name) == pytest.approx(arm.buckets / 10_000, abs=0.01)
        assert set(found.probability[inside & (found.arm == arm.name)]) == {arm.buckets / 10_000}
    assert np.all(found.arm[found.role == ""] == "")


def test_layers_cross_and_the_universal_holdout_is_the_same_in_all():
    prices, words = assign(PRICES, CUSTOMERS, **CALL), assign(WORDS, CUSTOMERS, **CALL)
    held = prices.arm == "universal holdout"
    assert np.array_equal(held, words.arm == "universal holdout")
    assert np.mean(held) == pytest.approx(0.03, abs=0.004)
    assert set(prices.role[held]) == {"holdout"}
    table = [
        [
            np.sum((prices.arm == a) & (words.arm == b) & (prices.experiment == "deep discounts"))
            for a in ("champion", "challenger")
        ]
        for b in ("champion", "challenger")
    ]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_moving_a_range_or_another_seed():
    moved = msgspec.structs.replace(
        PRICES, experiments=(msgspec.structs.replace(PRICES.experiments[0], buckets=2_000), PRICES.experiments[1])
    )
    before, after = assign(PRICES, CUSTOMERS, **CALL), assign(moved, CUSTOMERS, **CALL)
    still = after.experiment == "deep discounts"
    assert np.array_equal(before.arm[still], after.arm[still])
    assert still.sum() < np.sum(before.experiment == "deep discounts")
    other = assign(PRICES, CUSTOMERS, seed=8, universal_holdout=300)
    assert np.mean(other.arm == before.arm) < 0.7


@given(st.lists(st.integers(1, 4_000), min_size=1, max_size=4), st.integers(0, 2_000))
@settings(max_examples=20)
def test_every_customer_is_in_one_place(sizes, holdout):
    first, experiments = 0, []
    for i, size in enumerate(sizes):
        if first + size <= 10_000:
            experiments.append(Experiment(name=f"e{i}", first=first, buckets=size, arms=arms(5_000, 5_000)))
            first += size
    found = assign(Layer(name="l", experiments=tuple(experiments)), CUSTOMERS[:300], seed=1, universal_holdout=holdout)
    nowhere = (found.experiment == "") & (found.arm == "")
    assert np.all((found.role == "") == nowhere)
    assert np.all((found.probability > 0) & (found.probability <= 1))


def test_layers_that_cannot_be_assigned_are_found_all_at_once():
    wrong = Layer(
        name="prices",
        experiments=(
            Experiment(name="a", first=0, buckets=6_000, arms=arms(5_000, 4_000)),
            Experiment(name="a", first=5_000, buckets=4_000, arms=arms(5_000, 5_000)),
            Experiment(name="b", first=9_000, buckets=2_000, arms=arms(5_000, 5_000)),
        ),
    )
    said = " ".join(finding.text() for finding in check_layers([wrong], 10_000))
    for part in ("fill 9000 buckets", "share buckets (from 5000, 1000 in all)", "9000 to 11000", "'a' is there twice",
                 "expected 0 to 9999"):  # fmt: skip
        assert part in said
    with pytest.raises(BadInput, match="OP656"):
        assign(wrong, CUSTOMERS[:3], **CALL)


def test_two_arms_or_two_layers_of_one_name_are_found_and_sql_refuses_as_python_does():
    twins = Experiment(name="a", first=0, buckets=6_000, arms=arms(5_000, 3_000, 2_000, roles=("champion",) * 3))
    wrong = Layer(name="prices", experiments=(twins,))
    renamed = msgspec.structs.replace(WORDS, name="prices")
    said = " ".join(finding.text() for finding in check_layers([wrong, renamed], 0))
    assert "has arms of 'a' named 'champion', 'champion', 'champion': expected one name each" in said
    assert "layer 'prices' is there twice" in said
    for refusing in (lambda: assign(wrong, CUSTOMERS[:3], **CALL), lambda: arm_sql(wrong, "customer_id", **CALL)):
        with pytest.raises(BadInput, match="OP656"):
            refusing()
    held = Experiment(
        name="b", first=0, buckets=1, arms=(Arm(name="universal holdout", buckets=10_000, role="holdout"),)
    )
    assert len(check_layers([Layer(name="l", experiments=(held,))], 0)) == 1


# Read-out ---------------------------------------------------------------------------------------------------------


def test_the_radius_is_the_formula_and_is_tightest_where_it_was_tuned():
    rho2 = (-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 1_000
    by_hand = 2.0 * np.sqrt((500 * rho2 + 1) / (500**2 * rho2) * np.log((500 * rho2 + 1) / 0.05**2))
    assert asymptotic_radius(np.array(500.0), np.array(2.0), level=0.95, tuned_for=1_000) == pytest.approx(by_hand)
    n = np.array(1_000.0)
    widths = [float(asymptotic_radius(n, np.array(1.0), level=0.95, tuned_for=t)) for t in (100, 1_000, 10_000)]
    assert widths[1] == min(widths)
    assert 1.3 < widths[1] * np.sqrt(1_000) / 1.96 < 1.6  # the price of looking whenever one likes


def simulated(n, effect, seed, rate=0.2):
    draw = np.random.default_rng(seed)
    before = draw.normal(0, 1, n)
    treated = (draw.random(n) < 0.3).astype(int)
    outcome = 1.0 + 2.0 * before + effect * treated + draw.normal(0, 1, n)
    return outcome, treated, before


def read(outcome, treated, predicted, looks):
    return sequential_readout(
        outcome=outcome, treated=treated, probability=0.3, predicted=predicted, looks=looks, tuned_for=3_000
    )


def test_a_readout_finds_the_effect_and_a_covariate_narrows_it():
    outcome, treated, before = simulated(6_000, 0.5, 1)
    plain = read(outcome, treated, np.zeros(6_000), [1_000, 3_000, 6_000])
    predicted = cuped_prediction(outcome, before[:, None], np.arange(6_000), folds=5, seed=1)
    narrow = read(outcome, treated, predicted, [1_000, 3_000, 6_000])
    for before_it, after_it in zip(plain, narrow, strict=True):
        assert after_it.low < 0.5 < after_it.high
        assert (after_it.high - after_it.low) < 0.6 * (before_it.high - before_it.low)
    assert first_decided(narrow).n == 1_000
    assert first_decided(read(outcome - 0.5 * treated, treated, predicted, [1_000, 3_000])) is None


def test_looking_every_day_keeps_the_promise_that_a_plain_interval_breaks():
    """400 trials without effect, 30 looks each: the sequence alarms in at most 5 %, the plain interval in many."""
    sequence = plain = 0
    looks = np.arange(1, 31) * 100
    for seed in range(400):
        outcome, treated, _ = simulated(3_000, 0.0, seed + 1_000)
        sequence += first_decided(read(outcome, treated, np.zeros(3_000), looks)) is not None
        mean, deviation = running_sums(outcome, treated.astype(float), 0.3, np.zeros(3_000)).mean_and_deviation()
        plain += bool(np.any(np.abs(mean[looks - 1]) > 1.96 * deviation[looks - 1] / np.sqrt(looks)))
    assert sequence / 400 <= 0.05
    assert plain / 400 > 0.2


def rare(seed, n, treated_rate, control_rate):
    draw = np.random.default_rng(seed)
    treated = draw.integers(0, 2, n)
    return (draw.random(n) < np.where(treated == 1, treated_rate, control_rate)).astype(float), treated


def test_a_rare_outcome_looked_at_from_the_first_customers_on_is_held_at_every_look():
    """100 trials of 30,000 customers; before each arm had enough events the interval was a point, and held in 15 %."""
    looks, held, began = list(range(50, 30_001, 50)), 0, 0
    for seed in range(100):
        outcome, treated = rare(seed, 30_000, 0.005, 0.0025)
        told = sequential_readout(outcome=outcome, treated=treated, probability=0.5, predicted=np.zeros(30_000),
                                  looks=looks, tuned_for=20_000)  # fmt: skip
        held += all(each.low <= 0.0025 <= each.high for each in told)
        began += told[-1].high < 0.01
    assert held >= 95
    assert began >= 95


def test_a_look_before_enough_events_says_that_it_is_too_early():
    outcome, treated = np.zeros(400), np.arange(400) % 2
    outcome[:50] = 1.0  # 25 events in each arm
    first, second, third = sequential_readout(
        outcome=outcome, treated=treated, probability=0.5, predicted=np.zeros(400), looks=[50, 98, 400], tuned_for=400
    )
    assert (first.low, first.high, first.excludes_zero()) == (-np.inf, np.inf, False)
    assert first.method.endswith("too early: 0 of 25 rows of an arm are off its commonest outcome")
    assert second.method.endswith("too early: 24 of 25 rows of an arm are off its commonest outcome")
    assert third.method == "asymptotic confidence sequence"
    assert third.high < 1.0
    assert "inf" in repr(first)


def test_power_shows_nothing_before_enough_events():
    few = ExperimentDesign(per_day=20, days=365, treated=0.5, rate=0.0005, effect=0.0, mature_after=0)
    assert power(few, [100, 365], trials=200, seed=1, tuned_for=6_000).by_look == (0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"looks": [90, 35]}, r"OP657.*looks are \[90, 35\]: expected them in order"),
        ({"predicted": np.where(np.arange(100) == 3, np.nan, 0.0)}, r"OP657.*predicted is no finite number"),
        ({"level": 95}, "level is 95: expected above 0 and below 1"),
        ({"comparisons": 0}, "comparisons is 0"),
    ],
)
def test_a_readout_that_would_be_no_number_is_refused(options, says):
    outcome, treated = rare(1, 100, 0.5, 0.5)
    given_options = {"looks": [100], "predicted": np.zeros(100), "tuned_for": 100, **options}
    with pytest.raises((BadInput, ValueError), match=says):
        sequential_readout(outcome=outcome, treated=treated, probability=0.5, **given_options)


def test_several_challengers_share_the_level():
    outcome, treated, _ = simulated(2_000, 0.0, 3)
    one, three = (
        sequential_readout(outcome=outcome, treated=treated, probability=0.3, predicted=np.zeros(2_000), looks=[2_000],
                           tuned_for=2_000, comparisons=count)[0]
        for count in (1, 3)
    )  # fmt: skip
    assert three.level == pytest.approx(1 - 0.05 / 3)
    assert three.high - three.low > one.high - one.low


def test_sums_of_counts_are_the_sums_of_rows():
    draw = np.random.default_rng(2)
    treated, outcome = draw.integers(0, 2, 500).astype(float), (draw.random(500) < 0.1).astype(float)
    rows = running_sums(outcome, treated, 0.4, np.zeros(500))
    counts = sums_of_counts(
        np.array(treated.sum()), np.array((1 - treated).sum()), np.array((treated * outcome).sum()),
        np.array(((1 - treated) * outcome).sum()), 0.4,
    )  # fmt: skip
    for name in msgspec.structs.asdict(counts):
        assert float(getattr(counts, name)) == pytest.approx(getattr(rows, name)[-1]), name


def test_open_outcomes_and_looks_ahead_are_refused():
    with pytest.raises(BadInput, match=r"(?s)OP657.*outcome is not known.*looks are \[5\]"):
        read(np.array([1.0, np.nan]), np.array([0, 1]), np.zeros(2), [5])


# Adjustment, ratio and power --------------------------------------------------------------------------------------


def test_adjustment_is_lins_regression_and_saves_what_the_covariate_explains():
    outcome, treated, before = simulated(4_000, 0.5, 5)
    found = adjusted_difference(outcome, treated, before[:, None], np.arange(4_000))
    centred = before - before.mean()
    design = np.column_stack([np.ones(4_000), treated, centred, treated * centred])
    assert found.adjusted.value == pytest.approx(np.linalg.lstsq(design, outcome, rcond=None)[0][1])
    assert found.plain.value == pytest.approx(outcome[treated == 1].mean() - outcome[treated == 0].mean())
    assert found.adjusted.low < 0.5 < found.adjusted.high
    assert found.variance_saved == pytest.approx(0.8, abs=0.04)  # the covariate explains 4 of 5 parts of the variance


def test_a_useless_covariate_costs_next_to_nothing():
    outcome, treated, _ = simulated(4_000, 0.5, 6)
    noise = np.random.default_rng(9).normal(size=(4_000, 3))
    assert abs(adjusted_difference(outcome, treated, noise, np.arange(4_000)).variance_saved) < 0.01


def test_whole_clusters_assigned_together_widen_the_interval():
    draw = np.random.default_rng(7)
    branch = np.repeat(np.arange(60), 50)
    treated, luck = (np.arange(60) % 2)[branch], draw.normal(0, 1, 60)[branch]
    outcome = luck + draw.normal(0, 1, 3_000)
    by_branch, by_row = (
        adjusted_difference(outcome, treated, np.zeros((3_000, 0)), cluster).plain
        for cluster in (branch, np.arange(3_000))
    )
    assert (by_branch.high - by_branch.low) > 3 * (by_row.high - by_row.low)


def test_an_adjustment_with_unknown_covariates_or_too_few_rows_is_refused():
    with pytest.raises(BadInput, match=r"(?s)OP658.*arms of 1 and 2 rows.*1 covariates that are not known"):
        adjusted_difference(np.ones(3), np.array([1, 0, 0]), np.array([[1.0], [np.nan], [0.0]]), np.arange(3))


def test_an_adjustment_of_other_arms_open_outcomes_or_few_clusters_is_refused():
    outcome, treated, before = simulated(400, 0.0, 8)
    ids, nothing = np.arange(400), np.zeros((400, 0))
    with pytest.raises(
        BadInput, match=r"(?s)OP658\] treated is not 0 or 1 in 1 rows.*OP658\] outcome is not known of 1"
    ):
        adjusted_difference(np.where(ids == 5, np.nan, outcome), np.where(ids == 9, 2, treated), before[:, None], ids)
    with pytest.raises(BadInput, match=r"OP609.*has 1 clusters"):
        adjusted_difference(outcome, treated, nothing, treated)
    with pytest.raises(BadInput, match=r"OP609.*has 9 clusters"):
        adjusted_difference(outcome, treated, nothing, np.where(treated == 1, ids % 9, ids + 9))
    with pytest.raises(BadInput, match=r"OP658\] outcome is not known of 1 rows"):
        cuped_prediction(np.where(ids == 5, np.nan, outcome), before[:, None], ids, folds=2, seed=1)


SHARES = {"champion": 0.5, "challenger": 0.5}


def test_a_ratio_is_pearsons_at_one_look_and_sees_a_broken_assignment():
    found = sample_ratio([{"champion": 5_100, "challenger": 4_900}], SHARES)
    assert found.p_value == pytest.approx(stats.chisquare([5_100, 4_900]).pvalue)
    assert not found.mismatch
    broken = sample_ratio([{"champion": 50_000, "challenger": 48_000}], SHARES)
    assert broken.mismatch
    assert broken.p_any_time < 1e-4
    assert sample_ratio([{"champion": 3, "challenger": 1}], SHARES).p_value == 1.0


def test_a_right_assignment_looked_at_every_day_is_seldom_called_mismatched():
    draw = np.random.default_rng(8)
    plain = any_time = 0
    for _ in range(300):
        so_far = np.cumsum(draw.multinomial(500, [0.5, 0.5], 60), axis=0)
        history = [{"champion": int(a), "challenger": int(b)} for a, b in so_far]
        any_time += sample_ratio(history, SHARES, level=0.95).mismatch
        plain += bool(np.any((so_far[:, 0] - so_far[:, 1]) ** 2 / so_far.sum(axis=1) > 3.84))
    assert any_time / 300 <= 0.05
    assert plain / 300 > 0.2


def test_once_mismatched_stays_mismatched():
    broken = {"champion": 50_000, "challenger": 48_000}
    mended = {"champion": 500_000, "challenger": 500_000}
    assert sample_ratio([broken, mended], SHARES).mismatch
    assert not sample_ratio([mended], SHARES).mismatch


def test_an_experiment_without_an_event_has_no_difference_yet():
    n = 400
    with pytest.raises(BadInput, match=r"OP658\] outcome is the same in all rows of each arm"):
        adjusted_difference(np.zeros(n), np.arange(n) % 2, np.arange(n)[:, None] % 7.0, np.arange(n))


@pytest.mark.parametrize(("rows", "covariates"), [(60, 10), (200, 30), (400, 1)])
def test_an_adjusted_difference_knows_how_closely_it_fits(rows, covariates):
    """With the plain residuals and the normal curve the intervals of the first held the truth in 89 % of trials."""
    held = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        before, treated = draw.normal(size=(rows, covariates)), draw.permutation(rows) % 2
        found = adjusted_difference(draw.normal(size=rows) + before[:, 0], treated, before, np.arange(rows)).adjusted
        held += found.low <= 0.0 <= found.high
    assert held >= 184  # 190 are expected of 95 %
    with pytest.raises(BadInput, match=r"OP658\] covariates has arms of 30 and 30 rows: expected more than 52"):
        adjusted_difference(draw.normal(size=60), np.arange(60) % 2, draw.normal(size=(60, 25)), np.arange(60))
    branch, arm = np.arange(600) // 30, np.arange(600) // 30 % 2
    with pytest.raises(
        BadInput, match=r"OP658\] cluster has 20 values: .* more than 22, the coefficients of both arms"
    ):
        adjusted_difference(draw.normal(size=600), arm, draw.normal(size=(600, 10)), branch)


def test_choices_of_a_read_out_that_give_no_number_are_refused():
    outcome = {"outcome": np.arange(100.0), "treated": np.arange(100) % 2, "predicted": np.zeros(100)}
    design = ExperimentDesign(per_day=10, days=20, treated=0.5, rate=0.1, effect=0.0, mature_after=1)
    for wrong, says in (
        (lambda: sequential_readout(**outcome, probability=0.5, looks=[100], tuned_for=0), "tuned_for is 0"),
        (lambda: power(design, [10], trials=0, seed=1, tuned_for=100), "trials is 0"),
        (lambda: power(design, [10], trials=10, seed=1, tuned_for=-5), "tuned_for is -5"),
        (
            lambda: cuped_prediction(outcome["outcome"], np.ones((100, 1)), np.arange(100), folds=1, seed=1),
            "folds is 1",
        ),
    ):
        with pytest.raises(ValueError, match=says):
            wrong()


def test_a_difference_that_is_a_point_is_none():
    n, draw = 400, np.random.default_rng(0)
    before = draw.normal(size=(n, 1))
    alike = np.tile([1.0, 0.0, 1.0, 0.0], n // 4), np.tile([1, 1, 0, 0], n // 4), np.repeat(np.arange(n // 4), 4)
    with pytest.raises(BadInput, match=r"OP658\] outcome differs between arms by the same in every cluster"):
        adjusted_difference(alike[0], alike[1], before, alike[2])
    with pytest.raises(ValueError, match=r"covariates have shape \(400,\): expected \(400, p\)"):
        adjusted_difference(alike[0], alike[1], before[:, 0], alike[2])
    with pytest.raises(BadInput, match=r"OP658\] covariates tell every outcome"):
        adjusted_difference(3.0 * before[:, 0], draw.integers(0, 2, n), before, np.arange(n))


def test_counts_that_are_no_history_are_refused():
    with pytest.raises(BadInput, match=r"(?s)OP659.*other arms.*expected each above 0.*shrinks"):
        sample_ratio([{"a": 5, "b": 6}, {"a": 4, "b": 7}], {"a": 0.5, "c": 0.4})


def test_counts_below_zero_are_refused():
    with pytest.raises(BadInput, match=r"OP659\] history holds counts below 0"):
        sample_ratio([{"a": -5, "b": 6}], {"a": 0.5, "b": 0.5})


DESIGN = ExperimentDesign(per_day=1_000, days=40, treated=0.5, rate=0.04, effect=0.01, mature_after=10)


def test_power_grows_with_looks_and_waits_for_the_first_mature_outcome():
    found = power(DESIGN, [5, 20, 30, 50, 60], trials=400, seed=1, tuned_for=20_000)
    assert found.customers == (0, 10_000, 20_000, 40_000, 40_000)
    assert found.by_look[0] == found.once[0] == 0.0
    assert all(np.diff(found.by_look) >= 0)
    assert found.by_look[-1] > 0.9
    assert found.once[1] > found.by_look[1]


def test_power_of_one_look_is_the_textbooks():
    found = power(DESIGN, [18], trials=4_000, seed=2, tuned_for=8_000)
    error = np.sqrt(0.05 * 0.95 / 4_000 + 0.04 * 0.96 / 4_000)
    assert found.once[0] == pytest.approx(stats.norm.sf(1.96 - 0.01 / error), abs=0.03)


def test_without_effect_power_is_the_share_of_false_alarms():
    nothing = msgspec.structs.replace(DESIGN, effect=0.0)
    found = power(nothing, list(range(11, 51)), trials=1_000, seed=3, tuned_for=20_000)
    assert found.by_look[-1] <= 0.05
    assert found.once[-1] == pytest.approx(0.05, abs=0.025)
    assert power(nothing, [20, 50], trials=50, seed=3, tuned_for=9) == power(
        nothing, [20, 50], trials=50, seed=3, tuned_for=9
    )


def test_a_design_that_cannot_be_is_refused():
    with pytest.raises(BadInput, match=r"(?s)OP660.*treated is 1\.0.*rate with effect and without"):
        ExperimentDesign(per_day=10, days=5, treated=1.0, rate=0.9, effect=0.2, mature_after=0)
    with pytest.raises(BadInput, match=r"OP660.*expected one after day 10"):
        power(DESIGN, [3], trials=10, seed=1, tuned_for=10)
    with pytest.raises(BadInput, match=r"OP660.*looks are on days \[90, 35\]: expected days in order"):
        power(DESIGN, [90, 35], trials=10, seed=1, tuned_for=10)
    with pytest.raises(ValueError, match="level is 95"):
        power(DESIGN, [35, 90], trials=10, seed=1, tuned_for=10, level=95)
