"""Outcomes not yet known, and outcomes that exist only for some: what dropping does, and what completing does."""

import msgspec
import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.evaluation import (
    EventCompletion,
    HazardCompletion,
    LoggedDecisions,
    ProxyCompletion,
    StagedModel,
    compare,
    cvar,
    estimate,
    estimate_staged,
    fixed_choice,
    swap_set,
    total_of,
)

HORIZON = 6


def watched_loans(n, seed):
    """Loans watched for 0 to 12 months; a default shows in its month, no default only after the horizon.

    The monthly hazard is 2 % under offer a and 6 % under offer b, so P(default by month 6 | b) is 1 - 0.94^6.
    """
    draw = np.random.default_rng(seed)
    action, watched = draw.integers(0, 2, n), draw.integers(0, 13, n)
    event = draw.geometric(np.array([0.02, 0.06])[action])
    event_at = np.where(event <= np.minimum(watched, HORIZON), event, 0)
    known = (event_at > 0) | (watched >= HORIZON)
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids // 2, slot=ids, offer_ids=("a", "b"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=np.full((n, 2), 0.5), outside=np.zeros(n),
        outcome={"default": np.where(known, (event_at > 0).astype(float), np.nan)}, cluster=ids,
    )  # fmt: skip
    completion = HazardCompletion(
        watched=watched, event_at=event_at, stratum=action, horizon=HORIZON, if_event=np.ones(n), if_none=np.zeros(n)
    )
    return logged, completion, fixed_choice("b", np.ones(n, dtype=int), 2)


TRUTH = 1.0 - 0.94**HORIZON


def only_known(logged):
    rows = np.flatnonzero(np.isfinite(logged.outcome["default"]))
    arrays = {
        name: getattr(logged, name)[rows]
        for name in ("decision_id", "customer_id", "slot", "action", "eligible", "probability", "outside", "cluster")
    }
    return msgspec.structs.replace(logged, **arrays, outcome={"default": logged.outcome["default"][rows]})


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr"])
@pytest.mark.parametrize("interval", ["influence", "bootstrap"])
def test_dropping_immature_loans_is_biased_and_completing_them_covers(estimator, interval):
    covered, dropped = 0, 0
    for seed in range(60):
        logged, completion, policy = watched_loans(1500, seed)
        options = {"measure": "default", "estimator": estimator, "interval": interval, "replicates": 200}
        q = np.full((1500, 2), 0.2)
        found = estimate(logged, policy, completion=completion, outcome_model=q, **options)
        covered += found.low <= TRUTH <= found.high
        naive = only_known(logged)
        there = estimate(naive, fixed_choice("b", np.ones(len(naive), dtype=int), 2), outcome_model=q[: len(naive)], **options)  # fmt: skip
        dropped += there.low <= TRUTH <= there.high
    assert covered >= 51, "95 % intervals: fewer than 51 of 60 has probability 0.07 %"
    assert dropped <= 20, "an estimate from those that are known is too high"


def test_the_completion_is_kaplan_and_meiers():
    logged, completion, policy = watched_loans(4000, 1)
    survival = 1.0
    for period in range(1, HORIZON + 1):
        b = (logged.action == 1) & (completion.watched >= period)
        at_risk = b & ((completion.event_at == 0) | (completion.event_at >= period))
        survival *= 1.0 - np.sum(at_risk & (completion.event_at == period)) / np.sum(at_risk)
    everyone = estimate(logged, policy, measure="default", estimator="snipw", completion=completion)
    assert everyone.value == pytest.approx(1.0 - survival, rel=1e-9)


def test_completing_what_is_known_changes_nothing():
    logged, completion, policy = watched_loans(2000, 2)
    rows = np.flatnonzero(completion.watched >= HORIZON)
    arrays = ("decision_id", "customer_id", "slot", "action", "eligible", "probability", "outside", "cluster")
    known = msgspec.structs.replace(
        logged, **{name: getattr(logged, name)[rows] for name in arrays}, outcome={"default": logged.outcome["default"][rows]}
    )  # fmt: skip
    done = HazardCompletion(
        watched=completion.watched[rows], event_at=completion.event_at[rows], stratum=completion.stratum[rows],
        horizon=HORIZON, if_event=np.ones(len(rows)), if_none=np.zeros(len(rows)),
    )  # fmt: skip
    policy = fixed_choice("b", np.ones(len(rows), dtype=int), 2)
    options = {"measure": "default", "estimator": "ipw", "interval": "influence"}
    with_it, without = (estimate(known, policy, completion=each, **options) for each in (done, None))
    assert (with_it.value, with_it.low) == pytest.approx((without.value, without.low), rel=1e-6)


def test_amounts_of_event_and_none_are_weighed():
    logged, completion, policy = watched_loans(3000, 3)
    money = msgspec.structs.replace(completion, if_event=np.full(3000, -100.0), if_none=np.full(3000, 20.0))
    options = {"measure": "default", "estimator": "snipw"}
    p = estimate(logged, policy, completion=completion, **options).value
    assert estimate(logged, policy, completion=money, **options).value == pytest.approx(20.0 - 120.0 * p)


def proxied(n, seed, known=0.4):
    """An early sign in three levels tells most of the outcome; the newest rows have the sign alone, and more bad signs."""
    draw = np.random.default_rng(seed)
    action = draw.integers(0, 2, n)
    new = draw.random(n) > known
    shares = np.where(new[:, None], [0.2, 0.3, 0.5], [0.5, 0.3, 0.2])
    sign = (draw.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1).clip(0, 2)
    mean = np.array([10.0, 4.0, -6.0])[sign] + 2.0 * action
    y = mean + draw.normal(0.0, 3.0, n)
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=np.full((n, 2), 0.5), outside=np.zeros(n),
        outcome={"worth": np.where(new, np.nan, y)}, cluster=ids,
    )  # fmt: skip
    truth = known * (5.0 + 1.2 - 1.2) + (1 - known) * (2.0 + 1.2 - 3.0) + 2.0
    return logged, ProxyCompletion(cell=sign * 10 + action), fixed_choice("b", np.ones(n, dtype=int), 2), truth


def test_a_total_is_that_of_the_log_with_open_rows_at_the_mean_of_their_cell():
    logged, completion, _, _ = proxied(400, 5)
    y = logged.outcome["worth"]
    filled = y.copy()
    for cell in np.unique(completion.cell):
        rows = completion.cell == cell
        filled[rows & np.isnan(y)] = np.nanmean(y[rows])
    assert total_of(y, completion).whole() == pytest.approx(filled.sum())
    assert total_of(filled, None).whole() == filled.sum()


def test_a_proxy_covers_where_dropping_is_far_off():
    covered = 0
    for seed in range(60):
        logged, completion, policy, truth = proxied(800, seed)
        found = estimate(
            logged, policy, measure="worth", estimator="snipw", completion=completion, interval="influence"
        )
        covered += found.low <= truth <= found.high
    assert covered >= 51
    rows = np.isfinite(logged.outcome["worth"]) & (logged.action == 1)
    assert logged.outcome["worth"][rows].mean() > truth + 2.0


def test_a_proxy_carries_its_own_error():
    """With fewer known rows the same number of decisions tells less, and the interval says so."""
    widths = []
    for known in (0.5, 0.05):
        logged, completion, policy, _ = proxied(4000, 4, known)
        found = estimate(
            logged, policy, measure="worth", estimator="snipw", completion=completion, interval="influence"
        )
        widths.append(found.high - found.low)
    assert widths[1] > 1.4 * widths[0]


def test_differences_are_completed_too():
    logged, completion, policy, _ = proxied(6000, 5)
    other = fixed_choice("a", np.zeros(6000, dtype=int), 2)
    found = compare(
        logged, policy, other, measure="worth", estimator="snipw", completion=completion, interval="influence"
    )
    assert found.low < 2.0 < found.high


def test_a_cell_without_a_known_row_is_refused():
    logged, _, policy, _ = proxied(800, 6)
    cell = np.where(np.isnan(logged.outcome["worth"]), "new", "old")
    with pytest.raises(BadInput, match=r"OP620\] cell 1 values of cell \(new\) hold open outcomes"):
        estimate(logged, policy, measure="worth", estimator="ipw", completion=ProxyCompletion(cell=cell))
    short, completion, b = watched_loans(800, 7)
    cut = msgspec.structs.replace(completion, watched=np.minimum(completion.watched, 3))
    cut = msgspec.structs.replace(cut, event_at=np.where(cut.event_at > 3, 0, cut.event_at))
    with pytest.raises(BadInput, match=r"OP620\] stratum .* at risk in all 6 periods"):
        estimate(short, b, measure="default", estimator="ipw", completion=cut)


def test_unknown_outcomes_without_a_completion_are_refused():
    logged, _, policy, _ = proxied(800, 8)
    with pytest.raises(BadInput, match=r"OP606.*worth is not known"):
        estimate(logged, policy, measure="worth", estimator="ipw")


def takers(n=4000, seed=0):
    draw = np.random.default_rng(seed)
    action = draw.integers(0, 2, n)
    taken = (draw.random(n) < np.array([0.2, 0.4])[action]).astype(float)
    arrears = np.where(taken == 1, (draw.random(n) < np.array([0.1, 0.3])[action]).astype(float), np.nan)
    ids = np.arange(n)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a", "b"), action=action,
        eligible=np.ones((n, 2), dtype=bool), probability=np.full((n, 2), 0.5), outside=np.zeros(n), outcome={}, cluster=ids,
    )  # fmt: skip
    return logged, taken, arrears


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dr", "dm"])
def test_arrears_of_takers_are_a_product(estimator):
    logged, taken, arrears = takers()
    model = StagedModel(np.tile([0.2, 0.4], (4000, 1)), np.tile([0.1, 0.3], (4000, 1)))
    found = estimate_staged(
        logged, fixed_choice("b", np.ones(4000, dtype=int), 2), reached=taken, given=arrears, among="takers",
        estimator=estimator, model=model, interval="influence",
    )  # fmt: skip
    assert found.product.value == pytest.approx(found.reached.value * found.given.value)
    assert found.product.value == pytest.approx(0.12, abs=0.03)
    assert found.given.value == pytest.approx(0.3, abs=0.05)
    if estimator != "dm":
        assert found.given.low < 0.3 < found.given.high
    assert f"takers only: {int(taken.sum())} of 4000" in found.selection


def test_takers_given_are_the_plain_mean_of_takers_under_snipw():
    logged, taken, arrears = takers()
    found = estimate_staged(
        logged, fixed_choice("b", np.ones(4000, dtype=int), 2), reached=taken, given=arrears, among="takers"
    )
    assert found.given.value == pytest.approx(np.nanmean(arrears[logged.action == 1]))


def test_who_is_reached_and_what_is_known_must_fit():
    logged, taken, arrears = takers()
    policy = fixed_choice("b", np.ones(4000, dtype=int), 2)
    with pytest.raises(BadInput, match=r"OP621\] given \d+ rows have an outcome and are not among takers"):
        estimate_staged(logged, policy, reached=taken, given=np.nan_to_num(arrears), among="takers")
    with pytest.raises(BadInput, match=r"OP621\] reached 4000 rows are neither 0 nor 1"):
        estimate_staged(logged, policy, reached=taken + 0.5, given=np.full(4000, np.nan), among="takers")
    unknown = arrears.copy()
    unknown[np.flatnonzero(taken)[:3]] = np.nan
    with pytest.raises(BadInput, match=r"OP606\] given 3 rows are among takers"):
        estimate_staged(logged, policy, reached=taken, given=unknown, among="takers")
    found = estimate_staged(
        logged, policy, reached=taken, given=unknown, among="takers", completion=ProxyCompletion(cell=logged.action)
    )
    assert found.given.value == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("everybody", "defaults", "says"),
    [(1.0, None, "who is reached is judged by .* all 1"), (0.0, None, "who is reached is judged by .* all 0"),
     (None, 0.0, "the outcome is judged by .* all 0")],
)  # fmt: skip
def test_what_all_or_none_did_tells_no_interval(everybody, defaults, says):
    logged, taken, arrears = takers(400)
    taken = taken if everybody is None else np.full(400, everybody)
    arrears = np.where(taken == 1, np.nan_to_num(arrears) if defaults is None else defaults, np.nan)
    policy = fixed_choice("b", np.ones(400, dtype=int), 2)
    with pytest.raises(BadInput, match=rf"OP629\] policy 'b', {says}"):
        estimate_staged(logged, policy, reached=taken, given=arrears, among="takers")
    model = StagedModel(np.full((400, 2), 0.3), np.full((400, 2), 0.2))
    direct = estimate_staged(
        logged, policy, reached=taken, given=arrears, among="takers", estimator="dm", model=model, interval="influence"
    )
    assert direct.given.value == pytest.approx(0.2)


def test_one_fee_for_all_who_take_tells_what_is_paid_and_not_how_fees_vary():
    logged, taken, _ = takers(400)
    policy = fixed_choice("b", np.ones(400, dtype=int), 2)
    found = estimate_staged(logged, policy, reached=taken, given=np.where(taken == 1, 500.0, np.nan), among="takers")
    assert found.given is None
    assert found.product.value == pytest.approx(500.0 * found.reached.value)
    assert found.product.low < 200.0 < found.product.high


@pytest.mark.parametrize("logged_as", [0.0, np.nan])
def test_whether_outcomes_tell_anything_is_asked_of_completed_ones(logged_as):
    """The log's own outcome is not read by hazards: events that were seen tell, and without any nothing does."""
    logged, completion, policy = watched_loans(1_500, 11)
    logged = msgspec.structs.replace(logged, outcome={"default": np.full(1_500, logged_as)})
    options = {"measure": "default", "estimator": "snipw", "interval": "influence"}
    found = estimate(logged, policy, completion=completion, **options)
    assert found.low < TRUTH < found.high
    none_seen = msgspec.structs.replace(completion, event_at=np.zeros(1_500, dtype=int))
    with pytest.raises(BadInput, match=r"OP629\] policy 'b' is judged by \d+ outcomes that are all 0"):
        estimate(logged, policy, completion=none_seen, **options)


def test_open_rows_are_told_by_the_known_ones_of_their_cell():
    draw = np.random.default_rng(4)
    logged, _, _ = takers(400)
    open_ = (logged.action == 1) & (np.arange(400) % 5 > 0)
    outcome = np.where(logged.action == 1, 0.0, draw.normal(3.0, 1.0, 400))
    logged = msgspec.structs.replace(logged, outcome={"y": np.where(open_, np.nan, outcome)})
    policy, options = fixed_choice("b", np.ones(400, dtype=int), 2), {"measure": "y", "estimator": "snipw"}
    found = estimate(logged, policy, completion=ProxyCompletion(cell=np.zeros(400)), **options)
    assert found.low < found.high
    with pytest.raises(BadInput, match=r"OP629\] policy 'b' is judged by \d+ outcomes that are all 0"):
        estimate(logged, policy, completion=ProxyCompletion(cell=logged.action), **options)


def paid_loans(n, seed):
    """Loans of ``watched_loans`` whose worth is known with their fate: 20 on average, or -100 after a default."""
    logged, given, policy = watched_loans(n, seed)
    default = logged.outcome["default"]
    noise = np.random.default_rng(seed + 1_000).normal(0.0, 5.0, n)
    worth = np.where(default == 1, -100.0, 20.0) + noise + 0.0 * default  # open stays open
    fields = ("watched", "event_at", "stratum", "horizon")
    completion = EventCompletion(**{name: getattr(given, name) for name in fields})
    return msgspec.structs.replace(logged, outcome={**logged.outcome, "worth": worth}), completion, policy


def test_learnt_amounts_of_a_yes_or_no_are_those_that_are_given():
    logged, given, policy = watched_loans(1500, 4)
    learnt = paid_loans(1500, 4)[1]
    options = {"measure": "default", "estimator": "snipw", "interval": "influence"}
    first, second = (estimate(logged, policy, completion=each, **options) for each in (given, learnt))
    assert (first.value, first.low) == pytest.approx((second.value, second.low), rel=1e-6)


def test_an_event_that_may_still_come_covers_where_dropping_is_far_off():
    truth, covered = 20.0 - 120.0 * TRUTH, 0
    for seed in range(60):
        logged, completion, policy = paid_loans(1500, seed)
        found = estimate(
            logged, policy, measure="worth", estimator="snipw", completion=completion, interval="influence"
        )
        covered += found.low <= truth <= found.high
    assert covered >= 51
    rows = np.isfinite(logged.outcome["worth"]) & (logged.action == 1)
    assert logged.outcome["worth"][rows].mean() < truth - 5.0


def test_open_rows_whose_event_came_are_worth_what_others_with_it_are():
    """The event is seen at once, what it costs later: an open row with the event waits for no hazard."""
    logged, completion, policy = paid_loans(1500, 5)
    worth = logged.outcome["worth"].copy()
    came = np.flatnonzero((completion.event_at > 0) & (logged.action == 1))
    hidden, shown = came[::2], came[1::2]
    worth[hidden] = np.nan
    worth[shown] = -80.0
    late = msgspec.structs.replace(logged, outcome={"worth": worth})
    whole = worth.copy()
    whole[hidden] = -80.0
    early = msgspec.structs.replace(logged, outcome={"worth": whole})
    options = {"measure": "worth", "estimator": "snipw", "completion": completion}
    assert estimate(late, policy, **options).value == pytest.approx(estimate(early, policy, **options).value)


@pytest.mark.parametrize(
    ("hide", "says"),
    [
        (lambda loans: loans.event_at > 0, "known with the event"),
        (lambda loans: loans.event_at == 0, "known without the event"),
    ],
)
def test_a_stratum_that_cannot_tell_is_refused(hide, says):
    logged, completion, policy = paid_loans(1500, 6)
    worth = np.where(hide(completion) & (logged.action == 1), np.nan, logged.outcome["worth"])
    late = msgspec.structs.replace(logged, outcome={"worth": worth})
    with pytest.raises(BadInput, match=rf"OP620\] stratum 1 values of stratum \(1\) .* none that was {says}"):
        estimate(late, policy, measure="worth", estimator="ipw", completion=completion)


def test_the_tail_of_completed_outcomes_is_that_of_known_ones_of_the_cell():
    logged, completion, policy, _ = proxied(800, 7)
    outcome, share = logged.outcome["worth"], 0.1
    weights, is_open = policy.weights(logged), np.isnan(outcome)
    spread = np.where(is_open, 0.0, weights)
    for cell in np.unique(completion.cell):
        inside = completion.cell == cell
        known = inside & ~is_open
        spread[known] += weights[inside & is_open].sum() / known.sum()
    known = np.flatnonzero(~is_open)
    short = np.maximum(outcome[known, None] - outcome[known], 0.0) @ spread[known] / spread.sum()
    found = cvar(logged, policy, measure="worth", share=share, completion=completion, replicates=200)
    best = np.max(outcome[known] - short / share)
    assert found.low < best < found.high
    assert best - 0.02 * abs(best) <= found.value <= best


def test_the_tail_of_an_event_is_its_amount_and_changes_nothing_when_all_is_known():
    logged, given, policy = watched_loans(3000, 8)
    money = msgspec.structs.replace(given, if_event=np.full(3000, -100.0), if_none=np.full(3000, 20.0))
    default = estimate(logged, policy, measure="default", estimator="snipw", completion=given).value
    found = cvar(logged, policy, measure="default", share=0.5, completion=money, replicates=200)
    assert found.value == pytest.approx((-100.0 * default + 20.0 * (0.5 - default)) / 0.5)
    logged, completion, policy, _ = proxied(800, 9)
    known = msgspec.structs.replace(logged, outcome={"worth": np.nan_to_num(logged.outcome["worth"])})
    options = {"measure": "worth", "share": 0.1, "interval": "influence"}
    with_it, without = (cvar(known, policy, completion=each, **options) for each in (completion, None))
    assert with_it.value == pytest.approx(without.value, rel=0.02)


def test_the_swap_set_of_completed_outcomes_adds_up_to_the_difference():
    logged, completion, policy, _ = proxied(800, 10)
    nobody = fixed_choice("nobody", np.where(np.arange(800) % 3, -1, 0), 2)
    model = np.full((800, 2), 2.0)
    cells = swap_set(
        logged, nobody, policy, measures={"worth": logged.outcome["worth"]}, outcome_models={"worth": model},
        segment=np.where(np.arange(800) % 2, "odd", "even"), completion=completion,
    )  # fmt: skip
    total = sum(cell.customers * cell.change["worth"].value for cell in cells if cell.segment != "all")
    whole = compare(logged, policy, nobody, measure="worth", outcome_model=model, completion=completion)
    assert total / 800 == pytest.approx(whole.value)
    assert all(cell.change["worth"].low < cell.change["worth"].high for cell in cells)


def cohorts(old, new=(2, 0)):
    """200 old rows that were watched for 6 periods with the events of ``old``, and 200 new ones (watched, event)."""
    n, first = 400, np.arange(400) < 200
    event_at = np.where(first, np.resize(old, n), new[1])
    fields = {
        "watched": np.where(first, 6, new[0]),
        "event_at": event_at,
        "stratum": np.zeros(n, dtype=int),
        "horizon": 6,
    }
    logged = watched_loans(n, 0)[0]
    logged = msgspec.structs.replace(
        logged, outcome={"default": np.where(event_at > 0, 1.0, np.where(first, 0.0, np.nan))}
    )
    return logged, fields, {"if_event": np.ones(n), "if_none": np.zeros(n)}


def completed_rate(logged, completion):
    policy = fixed_choice("as drawn", logged.action, 2)
    return estimate(logged, policy, measure="default", estimator="snipw", completion=completion).value


@pytest.mark.parametrize("kind", ["given", "learnt"])
def test_periods_in_which_nobody_was_at_risk_are_refused_however_long_rows_were_watched(kind):
    def rate(old, new=(2, 0)):
        logged, fields, amounts = cohorts(old, new)
        made = HazardCompletion(**fields, **amounts) if kind == "given" else EventCompletion(**fields)
        return completed_rate(logged, made)

    with pytest.raises(BadInput, match=r"OP620\] stratum 1 values of stratum \(0\) .* at risk in all 6 periods"):
        rate((1, 2))
    assert rate((1, 2, 0, 0)) == pytest.approx(100 / 400)
    with pytest.raises(BadInput, match=r"OP625\] event_at lies below 0 or after all that was watched in 200 rows"):
        rate((1, 2, 0, 0), new=(2, 5))


def test_an_event_that_came_to_everybody_at_risk_comes_to_the_open_ones():
    logged, fields, amounts = cohorts((3,), new=(2, 0))
    total = total_of(logged.outcome["default"], HazardCompletion(**fields, **amounts))
    assert total.whole() == pytest.approx(400.0)


@pytest.mark.parametrize("kind", ["hazards", "event", "proxy"])
def test_who_was_not_reached_is_not_completed_and_thins_no_hazard(kind):
    """Non-takers as a stratum of their own and in that of the takers: the same figure, which is near the truth."""
    n, draw = 20_000, np.random.default_rng(5)
    logged = watched_loans(n, 5)[0]
    taken = (draw.random(n) < np.array([0.3, 0.6])[logged.action]).astype(float)
    came, watched = draw.geometric(0.05, n), draw.integers(0, 13, n)
    event_at = np.where((came <= np.minimum(watched, HORIZON)) & (taken == 1), came, 0)
    known = (event_at > 0) | (watched >= HORIZON)
    given = np.where((taken == 1) & known, np.where(event_at > 0, 1000.0, 0.0), np.nan)

    def product(stratum):
        fields = {"watched": watched, "event_at": event_at, "stratum": stratum, "horizon": HORIZON}
        completion = {
            "hazards": lambda: HazardCompletion(**fields, if_event=1000.0 * taken, if_none=np.zeros(n)),
            "event": lambda: EventCompletion(**fields),
            "proxy": lambda: ProxyCompletion(cell=stratum),
        }[kind]()
        policy = fixed_choice("b", np.ones(n, dtype=int), 2)
        options = {"among": "takers", "completion": completion, "interval": "influence"}
        return estimate_staged(logged, policy, reached=taken, given=given, **options)

    mixed, apart = product(logged.action), product(logged.action * 2 + taken.astype(int))
    assert mixed.product.value == pytest.approx(apart.product.value)
    if kind != "proxy":
        assert mixed.product.low < 600.0 * (1.0 - 0.95**HORIZON) < mixed.product.high
