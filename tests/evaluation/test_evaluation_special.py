"""Continuous terms, several loggers, slates, the tail and limits: identities and streams whose truth is known."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    AsLogged,
    FixedOffers,
    LoggedDecisions,
    LoggedTerms,
    TermModel,
    balanced_log,
    cvar,
    estimate,
    estimate_slates,
    estimate_terms,
    fixed_choice,
    limit_evidence,
)
from opportune.evaluation.terms import kernel_weights


def priced(n=6000, seed=0):
    """Prices drawn evenly from 2 to 10; the outcome bends with the price."""
    draw = np.random.default_rng(seed)
    term = draw.uniform(2.0, 10.0, n)
    logged = LoggedTerms(
        term=term, density=np.full(n, 1.0 / 8.0), outcome=5.0 - 0.2 * (term - 6.0) ** 2 + draw.normal(0.0, 1.0, n),
        cluster=np.arange(n), between=(2.0, 10.0),
    )  # fmt: skip
    return logged, np.full(n, 5.0), 4.8


@settings(max_examples=60, deadline=None)
@given(st.floats(2.0, 10.0), st.floats(0.2, 6.0))
def test_kernel_weights_have_mass_one_and_no_first_moment_up_to_the_edge(target, bandwidth):
    grid = np.linspace(2.0, 10.0, 20_001)
    logged = LoggedTerms(
        term=grid, density=np.full(len(grid), 1.0 / 8.0), outcome=grid, cluster=grid, between=(2.0, 10.0)
    )
    weights, moment = kernel_weights(logged, np.full(len(grid), target), bandwidth)
    apart = (grid - target) / bandwidth
    for each, expected in ((weights, 1.0), (weights * apart, 0.0), (np.abs(weights) * apart**2, moment[0])):
        assert np.trapezoid(each / 8.0, grid) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("at", [5.0, 2.2, 10.0])
def test_terms_are_found_and_covered_at_the_edges_too(at):
    covered = dict.fromkeys(("ipw", "snipw", "dr"), 0)
    for seed in range(40):
        logged, _, _ = priced(n=1000, seed=seed)
        target, truth = np.full(1000, at), 5.0 - 0.2 * (at - 6.0) ** 2
        model = TermModel(np.full(1000, 4.0), np.full(1000, 4.0))
        for estimator in covered:
            found = estimate_terms(logged, target, estimator=estimator, model=model, bend=0.4).estimate
            covered[estimator] += found.low <= truth <= found.high
    assert all(count >= 34 for count in covered.values()), covered


def test_the_bend_is_fitted_where_none_is_stated_and_sets_the_bandwidth():
    logged, target, truth = priced()
    fitted = estimate_terms(logged, target)
    assert fitted.bend == pytest.approx(0.4, abs=0.2)
    assert fitted.estimate.low < truth < fitted.estimate.high
    assert "fitted bend" in fitted.estimate.method
    straight, bent = (estimate_terms(logged, target, bend=bend).bandwidth for bend in (0.001, 5.0))
    assert straight > fitted.bandwidth > bent
    assert [each.bandwidth for each in fitted.tried] == sorted(each.bandwidth for each in fitted.tried)


def rare_terms(rate, seed=0, n=3000):
    draw = np.random.default_rng(seed)
    outcome = (draw.random(n) < rate).astype(float)
    return LoggedTerms(
        term=draw.random(n), density=np.ones(n), outcome=outcome, cluster=np.arange(n), between=(0.0, 1.0)
    )


def test_a_window_without_a_rare_event_is_not_the_narrowest():
    """Chosen by its estimated error, it held the truth in a third of such streams: without an event the error is 0."""
    found = [estimate_terms(rare_terms(0.02, seed), np.full(3000, 0.5), bend=0.1).estimate for seed in range(60)]
    assert sum(each.low < 0.02 < each.high for each in found) >= 54  # 57 are expected of 95 %
    with pytest.raises(BadInput, match=r"OP629\] outcomes near the targets are \d.\d effective events at most"):
        estimate_terms(rare_terms(0.001), np.full(3000, 0.5), bend=0.1)


@pytest.mark.parametrize("estimator", ["ipw", "snipw"])
def test_rare_failures_are_as_rare_as_rare_events(estimator):
    for rate, target in ((0.001, 0.5), (0.0, 0.5)):
        events = rare_terms(rate)
        repaid = msgspec.structs.replace(events, outcome=1.0 - events.outcome)
        for logged in (events, repaid) if estimator == "snipw" or rate == 0.0 else (events,):
            with pytest.raises(BadInput, match=r"OP629\] outcomes near the targets are \d.\d effective events"):
                estimate_terms(logged, np.full(3000, target), estimator=estimator, bend=0.1)
    repaid = msgspec.structs.replace(rare_terms(0.02), outcome=1.0 - rare_terms(0.02).outcome)
    found = estimate_terms(repaid, np.full(3000, 0.5), estimator=estimator, bend=0.1).estimate
    assert found.low < 0.98 < found.high


def test_a_bias_far_above_the_noise_is_still_a_number():
    logged = msgspec.structs.replace(priced()[0], outcome=priced()[0].term ** 2)
    found = estimate_terms(logged, np.full(6000, 5.0), bend=1e6)
    assert all(np.isfinite([each.expected, each.estimate.low, each.estimate.high]).all() for each in found.tried)
    widths = [each.estimate.high - each.estimate.value for each in found.tried]
    assert widths == pytest.approx([each.largest_bias for each in found.tried], rel=1e-3)


def test_so_few_terms_that_they_are_offers_are_refused():
    logged, target, _ = priced(600)
    with pytest.raises(BadInput, match=r"OP624\] term has 3 different values: .* as offers"):
        estimate_terms(msgspec.structs.replace(logged, term=np.arange(600) % 3 + 3.0), target, bend=0.1)
    with pytest.raises(BadInput, match=r"OP624\] target names no term: .* worth 0 by definition"):
        estimate_terms(logged, np.full(600, np.nan))
    with pytest.raises(ValueError, match="between is 3 to 3"):
        estimate_terms(msgspec.structs.replace(logged, between=(3, 3)), target)


def test_no_offer_is_worth_nothing_and_far_terms_are_refused():
    logged, target, truth = priced()
    half = np.where(np.arange(len(target)) % 2 == 0, np.nan, target)
    assert estimate_terms(logged, half).estimate.value == pytest.approx(truth / 2.0, abs=0.15)
    with pytest.raises(BadInput, match=r"OP624\] target lies outside 2 to 10, .* in 6000 rows"):
        estimate_terms(logged, target + 9.0)
    with pytest.raises(BadInput, match=r"OP624\] density is not above zero in 1 rows"):
        estimate_terms(msgspec.structs.replace(logged, density=np.append(0.0, logged.density[1:])), target)
    apart = msgspec.structs.replace(logged, term=np.where(logged.term < 8, 10.0, logged.term))
    with pytest.raises(BadInput, match=r"OP624\] target has fewer than 30 effective rows"):
        estimate_terms(apart, np.full(len(target), 2.0))


def test_a_target_for_each_decision_is_asked_for():
    logged, target, _ = priced(600)
    with pytest.raises(ValueError, match=r"target has shape \(599,\): expected \(600,\)"):
        estimate_terms(logged, target[1:])


def test_what_any_logger_could_offer_is_eligible_in_the_mixture():
    """The first logger offers a or b, the second b or c, and each row names as eligible what its own could."""
    n, draw = 3000, np.random.default_rng(4)
    logger = draw.integers(0, 2, n)
    own = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    action, ids = logger + draw.integers(0, 2, n), np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b", "c"), action=action, eligible=own[logger] > 0.0,
        probability=own[logger], outside=np.zeros(n), outcome={"outcome": action + draw.normal(size=n)}, cluster=ids,
    )  # fmt: skip
    names = np.array(["first", "second"])[logger]
    mixed = balanced_log(logged, names, {"first": np.tile(own[0], (n, 1)), "second": np.tile(own[1], (n, 1))})
    for offer in range(3):
        found = estimate(mixed, fixed_choice("one", np.full(n, offer), 3), estimator="ipw", interval="influence")
        assert found.low - 0.1 < offer < found.high + 0.1


def two_loggers(n=4000, seed=0):
    """Half of the decisions were made by each of two policies; only the second ever offers "c"."""
    draw = np.random.default_rng(seed)
    logger = np.where(draw.random(n) < 0.5, "old", "new")
    own = {"old": np.tile([0.9, 0.1, 0.0], (n, 1)), "new": np.tile([0.1, 0.3, 0.6], (n, 1))}
    mine = np.where((logger == "old")[:, None], own["old"], own["new"])
    action = (draw.random(n)[:, None] > np.cumsum(mine, axis=1)).sum(axis=1).clip(0, 2)
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b", "c"), action=action,
        eligible=np.ones((n, 3), dtype=bool), probability=mine, outside=np.zeros(n),
        outcome={"outcome": 1.0 + action + draw.normal(0.0, 1.0, n)}, cluster=ids,
    )  # fmt: skip
    return logged, logger, own


def test_the_balance_heuristic_is_unbiased_narrower_and_supports_what_any_logger_did():
    logged, logger, own = two_loggers()
    mixed = balanced_log(logged, logger, own)
    b, c = (fixed_choice(str(k), np.full(len(logged), k), 3) for k in (1, 2))
    alone, together = (estimate(each, b, estimator="ipw", interval="influence") for each in (logged, mixed))
    assert together.low < 2.0 < together.high
    assert together.high - together.low < 0.9 * (alone.high - alone.low)
    with pytest.raises(BadInput, match="OP610"):
        estimate(logged, c, estimator="ipw")
    found = estimate(mixed, c, estimator="ipw", interval="influence")
    assert found.low < 3.0 < found.high


def test_the_mixture_is_shares_within_strata():
    logged, logger, own = two_loggers(n=6)
    logger, stratum = np.array(["old", "old", "new", "new", "new", "new"]), np.array(["s", "s", "s", "s", "t", "t"])
    logged = msgspec.structs.replace(logged, probability=np.where((logger == "old")[:, None], own["old"], own["new"]))
    mixed = balanced_log(logged, logger, own, stratum)
    assert mixed.probability[0] == pytest.approx([0.5, 0.2, 0.3])
    assert mixed.probability[4] == pytest.approx([0.1, 0.3, 0.6])
    with pytest.raises(BadInput, match=r"OP622\] new made decisions and has no probabilities"):
        balanced_log(logged, logger, {"old": own["old"]})


def test_loggers_whose_names_are_swapped_are_refused():
    logged, logger, own = two_loggers()
    swapped = {"old": own["new"], "new": own["old"]}
    with pytest.raises(BadInput, match=r"(?s)OP614\] old has another .*OP614\] new has another .* names .* swapped"):
        balanced_log(logged, logger, swapped)
    numbered = balanced_log(logged, (logger == "new").astype(int), {"0": own["old"], "1": own["new"]})
    assert np.array_equal(numbered.probability, balanced_log(logged, logger, own).probability)


def pages(n=3000, seed=0):
    """Three slots a page; each slot's outcome depends on its own offer alone: 0.1, 0.2 or 0.3."""
    draw = np.random.default_rng(seed)
    page, slot = np.repeat(np.arange(n), 3), np.tile(["1", "2", "3"], n)
    probability = np.tile([0.5, 0.3, 0.2], (3 * n, 1))
    action = (draw.random(3 * n)[:, None] > np.cumsum(probability, axis=1)).sum(axis=1).clip(0, 2)
    ids = np.arange(3 * n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=page, slot=slot, offer_ids=("a", "b", "c"), action=action,
        eligible=np.ones((3 * n, 3), dtype=bool), probability=probability, outside=np.zeros(3 * n),
        outcome={"outcome": (draw.random(3 * n) < 0.1 * (1 + action)).astype(float)}, cluster=page,
    )  # fmt: skip
    return logged, page, fixed_choice("b", np.ones(3 * n, dtype=int), 3)


@pytest.mark.parametrize("interaction", ["independent", "cascade", "whole"])
def test_slates_add_up_over_positions_and_cover(interaction):
    covered = 0
    for seed in range(40):
        logged, page, policy = pages(n=800, seed=seed)
        found = estimate_slates(logged, policy, page, interaction=interaction, interval="influence")
        covered += found.total.low < 0.6 < found.total.high
    assert found.total.value == pytest.approx(sum(each.value for each in found.positions.values()))
    assert (found.total.n, list(found.positions)) == (800, ["1", "2", "3"])
    assert covered >= 34, "95 % intervals: fewer than 34 of 40 has probability 0.3 %"


def test_less_assumed_is_wider_and_the_first_slot_is_the_same_for_a_cascade():
    logged, page, policy = pages()
    free, cascade, whole = (
        estimate_slates(logged, policy, page, interaction=each, interval="influence")
        for each in ("independent", "cascade", "whole")
    )
    assert free.total.effective_n > cascade.total.effective_n > whole.total.effective_n
    assert free.positions["1"].value == cascade.positions["1"].value
    assert cascade.positions["3"].value == pytest.approx(whole.positions["3"].value)


def test_the_order_of_slate_rows_does_not_matter_and_doubles_are_refused():
    logged, page, policy = pages(n=200)
    turned = np.random.default_rng(3).permutation(600)
    arrays = ("decision_id", "customer_id", "slot", "action", "eligible", "probability", "outside", "cluster")
    mixed = msgspec.structs.replace(
        logged, **{name: getattr(logged, name)[turned] for name in arrays},
        outcome={"outcome": logged.outcome["outcome"][turned]},
    )  # fmt: skip
    first = estimate_slates(logged, policy, page, interaction="cascade", interval="influence").total
    second = estimate_slates(mixed, policy, page[turned], interaction="cascade", interval="influence").total
    assert (first.value, first.low) == pytest.approx((second.value, second.low))
    with pytest.raises(BadInput, match=r"OP623\] slot \d+ rows \(0, 1, 2\) share slate and slot"):
        estimate_slates(msgspec.structs.replace(logged, slot=np.full(600, "1")), policy, page)


def losses(n=5000, seed=0, contact=1.0):
    draw = np.random.default_rng(seed)
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a",), action=np.zeros(n, dtype=int),
        eligible=np.ones((n, 1), dtype=bool), probability=np.ones((n, 1)), outside=np.zeros(n),
        outcome={"outcome": draw.normal(10.0, 5.0, n)}, cluster=ids,
    )  # fmt: skip
    return logged, AsLogged("logged", np.full(n, contact), logged.probability)


def test_the_tail_is_the_mean_of_the_worst():
    logged, policy = losses()
    found = cvar(logged, policy, share=0.05)
    worst = np.sort(logged.outcome["outcome"])[:250]
    assert found.value == pytest.approx(worst.mean(), rel=1e-3)
    truth = 10.0 - 5.0 * 0.10313564 / 0.05  # normal density at its 5 % quantile
    assert found.low < truth < found.high
    assert cvar(logged, policy, share=1.0).value == pytest.approx(logged.outcome["outcome"].mean())


def test_the_tail_counts_decisions_without_an_offer_as_zero():
    logged, half = losses(contact=0.5)
    y = logged.outcome["outcome"]
    mixed = np.sort(np.concatenate([y, np.zeros(len(y))]))
    assert cvar(logged, half, share=0.3).value == pytest.approx(mixed[: int(0.3 * len(mixed))].mean(), abs=2e-3)
    _, nobody = losses(contact=0.0)
    assert cvar(logged, nobody, share=0.05).value == 0.0


@pytest.mark.parametrize("interval", ["bootstrap", "influence"])
def test_intervals_of_the_tail_cover(interval):
    covered = 0
    for seed in range(60):
        logged, policy = losses(n=1500, seed=seed)
        found = cvar(logged, policy, share=0.1, interval=interval, replicates=200, seed=seed)
        covered += found.low <= 10.0 - 5.0 * 0.17549833 / 0.1 <= found.high
    assert covered >= 51


def test_a_limit_holds_as_probably_as_its_interval_says():
    logged, policy = losses(n=900)
    uses = {"spend": logged.outcome["outcome"], "lent": np.full(900, 100.0)}
    spend = rows_of([Limit(name="spend", uses="spend", at_most=9000.0, at_least=9000.0)], {})
    for interval in ("bootstrap", "influence", "asymptotic_sequence"):
        most, least = limit_evidence(logged, policy, uses, spend, interval=interval)
        assert most.holds + least.holds == pytest.approx(1.0, abs=1e-9)
        assert (most.holds > 0.5) == (most.used.value <= 9000.0)
    middle = rows_of([Limit(name="spend", uses="spend", at_most=float(logged.outcome["outcome"].sum()))], {})
    assert limit_evidence(logged, policy, uses, middle, interval="influence")[0].holds == pytest.approx(0.5)
    (of_all,) = limit_evidence(logged, policy, uses, middle, interval="influence", decisions=1800)
    assert of_all.used.value == pytest.approx(2.0 * float(logged.outcome["outcome"].sum()))
    rate = rows_of([Limit(name="rate", uses="spend", per="lent", at_most=0.2)], {})
    (found,) = limit_evidence(logged, policy, uses, rate, certain=["lent"])
    assert found.used.value == pytest.approx(logged.outcome["outcome"].sum() / 90_000)
    assert found.holds == 1.0
    with pytest.raises(ValueError, match="uses lack 'lent': expected what each decision used of it"):
        limit_evidence(logged, policy, {"spend": uses["spend"]}, rate)


def pairs(n=600):
    """Pages of two slots, of two offers each, whose outcomes do not depend on anything."""
    draw, ids = np.random.default_rng(5), np.arange(2 * n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=np.tile([1, 2], n), offer_ids=("a", "b"), action=draw.integers(0, 2, 2 * n),
        eligible=np.ones((2 * n, 2), dtype=bool), probability=np.full((2 * n, 2), 0.5), outside=np.zeros(2 * n),
        outcome={"outcome": (draw.random(2 * n) < 0.3).astype(float)}, cluster=ids,
    )  # fmt: skip
    return logged, np.repeat(np.arange(n), 2)


@pytest.mark.parametrize(
    ("empty", "refused"),
    [
        ((0.5, 0.0), {"cascade", "whole"}),
        ((1.0, 0.0), {"cascade", "whole"}),
        ((0.0, 1.0), {"whole"}),
        ((1.0, 1.0), set()),
    ],
)
def test_a_slot_left_empty_beside_a_filled_one_was_never_logged(empty, refused):
    logged, slate = pairs()
    policy = FixedOffers("p", 0.5 * (1.0 - np.tile(empty, 600))[:, None] * np.ones((1, 2)))
    for interaction in ("independent", "cascade", "whole"):
        if interaction in refused:
            with pytest.raises(BadInput, match=r"OP610\] policy 'p' may leave one slot .* interaction='independent'"):
                estimate_slates(logged, policy, slate, interaction=interaction)
        else:
            found = estimate_slates(logged, policy, slate, interaction=interaction).total
            assert found.low - 1e-9 <= 0.3 * (2.0 - sum(empty)) <= found.high + 1e-9


def test_slots_that_earn_the_same_in_every_slate_tell_nothing():
    logged, slate = pairs()
    both = FixedOffers("p", np.full((1200, 2), 0.5))
    costs = msgspec.structs.replace(logged, outcome={"outcome": np.where(logged.slot == 1, -1.0, -0.5)})
    with pytest.raises(BadInput, match=r"OP629\] policy 'p' has an interval that is a point, -1.5"):
        estimate_slates(costs, both, slate)
    first = msgspec.structs.replace(
        logged, outcome={"outcome": np.where(logged.slot == 1, logged.outcome["outcome"], 0)}
    )
    found = estimate_slates(first, both, slate)
    assert found.positions["2"] is None
    assert found.positions["1"].high == found.total.high


def test_slots_may_be_named_by_anything_that_has_a_name():
    logged, slate = pairs()
    both = FixedOffers("p", np.full((1200, 2), 0.5))
    days = np.array(["2025-01-01", "2025-01-02"], dtype="datetime64[ns]")[logged.slot - 1]
    by_day = estimate_slates(msgspec.structs.replace(logged, slot=days), both, slate)
    assert list(by_day.positions.values()) == list(estimate_slates(logged, both, slate).positions.values())
    nameless = msgspec.structs.replace(logged, slot=np.where(np.arange(1200) == 3, np.nan, logged.slot))
    with pytest.raises(BadInput, match=r"OP623\] slot is not known in 1 rows \(3\)"):
        estimate_slates(nameless, both, slate)


@pytest.mark.parametrize(
    "name",
    [lambda slot: slot, lambda slot: slot.astype(str), lambda slot: np.array([f"row {each:02d}" for each in slot])],
)
def test_slots_are_ordered_as_numbers_where_they_are_numbers(name):
    """Slot s earns what slot s - 1 showed; the policy shows b in slot 9 alone, so slot 10 earns 1 and others a half."""
    slates, slots, draw = 500, 12, np.random.default_rng(0)
    n = slates * slots
    action, slot, ids = draw.integers(0, 2, n), np.tile(np.arange(1, slots + 1), slates), np.arange(n)
    above = np.append(0, action[:-1]) * (slot > 1)
    noise = draw.normal(0.0, 0.1, n)  # outcomes that are all 1 would tell nothing of how they vary
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=name(slot), offer_ids=("a", "b"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=np.full((n, 2), 0.5), outside=np.zeros(n),
        outcome={"outcome": above + noise}, cluster=ids,
    )  # fmt: skip
    policy = FixedOffers("b in nine", np.where((slot == 9)[:, None], [0.0, 1.0], 0.5))
    order = np.random.default_rng(1).permutation(n)
    arrays = ("decision_id", "customer_id", "slot", "action", "eligible", "probability", "outside", "cluster")
    shuffled = msgspec.structs.replace(
        logged, **{each: getattr(logged, each)[order] for each in arrays}, outcome={"outcome": (above + noise)[order]}
    )  # fmt: skip
    found = estimate_slates(
        shuffled, FixedOffers("b in nine", policy.probability[order]), ids[order] // slots, interaction="cascade",
        interval="influence",
    ).positions  # fmt: skip
    assert list(found) == [str(each) for each in name(np.arange(1, slots + 1))]
    tenth = list(found.values())[9]
    assert tenth.low < 1.0 < tenth.high
    assert all(abs(each.value - 0.5) < 0.15 for each in [*list(found.values())[1:9], *list(found.values())[10:]])


def test_a_cluster_that_splits_slates_and_an_interaction_that_is_none_are_refused():
    logged, policy = losses(n=300)
    slate = np.arange(300) // 3
    logged = msgspec.structs.replace(logged, slot=np.arange(300) % 3)
    estimate_slates(logged, policy, slate, cluster=slate // 2)
    with pytest.raises(BadInput, match=r"OP623\] cluster splits the slates of 300 rows"):
        estimate_slates(logged, policy, slate, cluster=np.arange(300))
    with pytest.raises(
        ValueError, match="interaction is 'cascades': expected one of 'independent', 'cascade', 'whole'"
    ):
        estimate_slates(logged, policy, slate, interaction="cascades")
