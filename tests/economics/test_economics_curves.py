"""Curves: known hazards come back from a censored book, and every doubt about a book is said."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.economics import Curves, Exposure, Prior, Strength, check_curves, count_exposure, fit_curves, fit_hazards
from opportune.economics.segments import segment_codes
from opportune.numerics import generator, open_at_end


def curves(**changes):
    base = Curves(
        segments=("A", "B"), default=np.full((2, 3), 0.01), prepay=np.full((2, 3), 0.02),
        recovery=np.full((2, 4), 0.05), charge_off_lag=4,
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def loans(*rows):
    names = ("loan_id", "grade", "term_months", "observed_months")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def payments(*rows):
    names = {"loan_id": pa.string(), "month": pa.float64(), "kind": pa.string(), "amount": pa.float64()}
    return pa.table({name: pa.array([row[i] for row in rows], kind) for i, (name, kind) in enumerate(names.items())})


def simulated(count, default, prepay, term, seed, observed=None):
    """A book drawn from hazards (T,): each month one uniform decides; loans are observed for different times."""
    rng = generator(seed, "book")
    seen = rng.integers(1, term + 12, count) if observed is None else np.full(count, observed)
    draws = rng.random((count, term))
    defaulted, prepaid = draws < default, (draws >= default) & (draws < default + prepay)
    prepaid[:, term - 1] = False
    ends = defaulted | prepaid
    month = np.where(ends.any(axis=1), ends.argmax(axis=1) + 1, term + 1)
    known = (month <= term) & (month <= seen)
    bad = defaulted[np.arange(count), np.minimum(month, term) - 1]
    ids = np.arange(count) + 1_000_000 * seed
    book = pa.table({"loan_id": ids, "term_months": np.full(count, term), "observed_months": seen})
    rows = pa.table(
        {
            "loan_id": ids[known],
            "month": month[known],
            "kind": np.where(bad, "default", "prepayment")[known],
            "amount": np.full(int(known.sum()), 100.0),
        }
    )
    return book, rows


def test_counts_of_a_book_by_hand():
    """a defaults in month 2, b is prepaid in month 2, c was seen for one month only, d ran to its term."""
    book = loans(("a", "A", 3, 9), ("b", "A", 3, 9), ("c", "A", 3, 1), ("d", "A", 3, 9))
    events = payments(("a", 2, "default", 70.0), ("b", 2, "prepayment", 70.0), ("d", 3, "payment", 35.0))
    counts = count_exposure(book, events, by=("grade",))
    assert counts.segments == ("A",)
    assert counts.at_risk.tolist() == [[4, 3, 1]]
    assert counts.defaults.tolist() == [[0, 1, 0]]
    assert counts.prepayments.tolist() == [[0, 1, 0]]


def test_a_loan_still_open_is_exposure_only():
    book = loans(("a", "A", 4, 4), ("b", "A", 4, 2))
    events = payments(("a", 3, "default", 50.0))
    with_open = count_exposure(book, events, by=())
    without = count_exposure(loans(("a", "A", 4, 4)), events, by=())
    assert (with_open.at_risk - without.at_risk).tolist() == [[1, 1, 0, 0]]
    assert with_open.defaults.tolist() == without.defaults.tolist() == [[0, 0, 1, 0]]


def test_known_hazards_come_back_from_a_censored_book():
    """Months vary, half of the loans are still open; at 95 % some two of 48 intervals may miss."""
    month = np.arange(24)
    default, prepay = 0.01 + 0.012 * np.exp(-(((month - 9) / 5.0) ** 2)), np.full(24, 0.025)
    fitted = fit_hazards(count_exposure(*simulated(60_000, default, prepay, 24, seed=1), by=()))
    inside = (fitted.default.low[0] <= default) & (default <= fitted.default.high[0])
    early = (fitted.prepay.low[0] <= prepay) & (prepay <= fitted.prepay.high[0])
    assert inside.sum() + early[:23].sum() >= 42
    np.testing.assert_allclose(fitted.default.mean[0], default, rtol=0.35)
    # Prepayment in the last month is the last payment, and many loans without one say so.
    assert fitted.prepay.mean[0, 23] == 0.0


def test_loans_that_are_counted_good_when_open_would_bias_the_curve():
    """What censoring costs when it is forgotten: the open loans taken as paid to term halve the hazard."""
    default, prepay = np.full(12, 0.02), np.full(12, 0.0)
    book, events = simulated(20_000, default, prepay, 12, seed=2)
    fitted = fit_hazards(count_exposure(book, events, by=()))
    pretended = book.set_column(2, "observed_months", pa.array(np.full(20_000, 24)))
    naive = fit_hazards(count_exposure(pretended, events, by=()))
    assert fitted.default.mean.mean() == pytest.approx(0.02, rel=0.05)
    assert naive.default.mean.mean() < 0.015


def hierarchy(segments, seed, size):
    """Counts drawn from the model itself: levels Gamma(20), months Beta with strength 800 around level x course."""
    rng = generator(seed, "hierarchy")
    course = 0.02 + 0.01 * np.sin(np.arange(24) / 4.0)
    theta = rng.gamma(20.0, 1.0 / 20.0, segments)
    mean = theta[:, None] * course
    truth = rng.beta(800.0 * mean, 800.0 * (1.0 - mean))
    n = np.maximum(np.round(np.asarray(size)[:, None] * 0.97 ** np.arange(24)), 1).astype(int)
    keys = np.array([[f"s{i:03}"] for i in range(segments)])
    d = rng.binomial(n, truth)
    return Exposure(by=("s",), keys=keys, at_risk=n, defaults=d, prepayments=np.zeros_like(d)), truth


def test_intervals_of_segments_cover_what_they_say():
    exposed, truth = hierarchy(80, 3, np.geomspace(50, 20_000, 80))
    fitted = fit_hazards(exposed).default
    covered = np.mean((fitted.low <= truth) & (truth <= fitted.high))
    assert 0.93 <= covered <= 0.975
    assert fitted.strengths[0].level == pytest.approx(20.0, rel=0.5)
    assert fitted.strengths[0].month == pytest.approx(800.0, rel=0.5)


def test_shrunk_hazards_are_nearer_the_truth_than_counts_and_than_the_book():
    exposed, truth = hierarchy(80, 4, np.geomspace(50, 20_000, 80))
    error = lambda guess: float(np.mean((guess - truth) ** 2))  # noqa: E731
    fitted = fit_hazards(exposed).default.mean
    assert error(fitted) < 0.6 * error(exposed.defaults / exposed.at_risk)
    assert error(fitted) < 0.6 * error(exposed.defaults.sum(axis=0) / exposed.at_risk.sum(axis=0))


def test_thin_segments_move_to_the_parent_and_thick_ones_stay():
    sizes = np.array([30_000, 30_000, 30_000, 20])
    exposed, _ = hierarchy(4, 5, sizes)
    defaults = exposed.defaults.copy()
    defaults[3, :3] = [4, 3, 2]
    exposed = msgspec.structs.replace(exposed, defaults=defaults)
    fitted = fit_hazards(exposed).default.mean
    own, book = defaults / exposed.at_risk, defaults.sum(axis=0) / exposed.at_risk.sum(axis=0)
    np.testing.assert_allclose(fitted[:3].sum(axis=1), own[:3].sum(axis=1), rtol=0.01)
    noise = np.sqrt(own[:3] / exposed.at_risk[:3])
    assert (np.abs(fitted[:3] - own[:3]) < noise).mean() > 0.95
    assert abs(fitted[3, 0] - book[0]) < 0.1 * abs(own[3, 0] - book[0])


def test_given_strengths_are_kept_and_their_limits_are_the_counts_and_the_parent():
    exposed, _ = hierarchy(5, 6, np.full(5, 2_000))
    free = fit_hazards(exposed, prior=Prior(default=Strength(level=0.0, month=0.0), enough_events=0.0))
    np.testing.assert_allclose(free.default.mean, exposed.defaults / exposed.at_risk)
    bound = fit_hazards(exposed, prior=Prior(default=Strength(level=np.inf, month=np.inf), enough_events=0.0))
    book = exposed.defaults.sum(axis=0) / exposed.at_risk.sum(axis=0)
    np.testing.assert_allclose(bound.default.mean, np.tile(book, (5, 1)))
    assert bound.default.strengths == (Strength(level=np.inf, month=np.inf),)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12))
def test_whatever_the_counts_hazards_are_probabilities(seed, segments, months):
    rng = np.random.default_rng(seed)
    at_risk = np.sort(rng.integers(0, 60, (segments, months)), axis=1)[:, ::-1] + 1
    defaults = rng.integers(0, at_risk + 1)
    prepayments = rng.integers(0, at_risk - defaults + 1)
    keys = np.array([[f"{i % 2}", f"{i}"] for i in range(segments)])
    fitted = fit_hazards(
        Exposure(by=("a", "b"), keys=keys, at_risk=at_risk, defaults=defaults, prepayments=prepayments)
    )
    for each in (fitted.default, fitted.prepay):
        assert ((each.low <= each.mean + 1e-12) & (each.mean <= each.high + 1e-12)).all()
        assert ((each.low >= 0.0) & (each.high <= 1.0)).all()
    assert (fitted.default.mean + fitted.prepay.mean <= 1.0 + 1e-12).all()


def test_months_that_nobody_was_seen_in_are_refused_or_held():
    book, events = simulated(3_000, np.full(12, 0.02), np.full(12, 0.02), 12, seed=7, observed=8)
    counts = count_exposure(book, events, by=())
    with pytest.raises(BadInput, match=r"OP437.*months 9 to 12"):
        fit_hazards(counts)
    held = fit_hazards(counts, prior=Prior(unseen="hold"))
    assert held.unseen == (9, 10, 11, 12)
    assert set(held.default.mean[0, 8:]) == {held.default.mean[0, 7]}


HOLD = Prior(unseen="hold")


def recovering(count, seed, observed):
    """Loans that default in month 2 and give back 30 % (segment x) or 10 % (y), 3/5, 1/5 and 1/5 of it by month."""
    rng = generator(seed, "recoveries")
    seen = rng.integers(4, 14, count) if observed is None else np.full(count, observed)
    grade = np.where(np.arange(count) % 2, "x", "y")
    book = pa.table({"loan_id": np.arange(count), "grade": grade, "term_months": [6] * count, "observed_months": seen})
    defaults = payments(*((str(i), 2, "default", 100.0) for i in range(count)))
    share = np.where(grade == "x", 0.3, 0.1)
    rows = [
        (str(i), 5 + r, "recovery", 100.0 * share[i] * part * rng.uniform(0.5, 1.5))
        for i in range(count) for r, part in enumerate((0.6, 0.2, 0.2)) if 5 + r <= seen[i]
    ]  # fmt: skip
    table = pa.concat_tables([defaults, payments(*rows)])
    return book, table.set_column(0, "loan_id", table["loan_id"].cast("int64"))


def test_recoveries_that_are_not_yet_in_are_not_taken_for_losses():
    fitted = fit_curves(*recovering(4_000, 1, None), by=("grade",), charge_off_lag=3, prior=HOLD)
    np.testing.assert_allclose(fitted.curves.lgd, [0.7, 0.9], atol=0.01)
    np.testing.assert_allclose(fitted.recoveries.timing, [0.6, 0.2, 0.2], atol=0.01)
    assert (fitted.recoveries.low < [0.3, 0.1]).all()
    assert (fitted.recoveries.high > [0.3, 0.1]).all()
    assert check_curves(fitted.curves) == []


def test_the_timing_is_of_loans_that_were_seen_to_their_charge_off():
    """Ten loans give back 10 in months 0 and 1 after it; ten whose charge-off is to come have paid 40 before."""
    old, young = [str(i) for i in range(10)], [str(i) for i in range(10, 20)]
    book = loans(*((name, "A", 12, 12) for name in old), *((name, "A", 12, 4) for name in young))
    events = payments(
        *((name, 2, "default", 100.0) for name in old + young), *((name, 3, "recovery", 40.0) for name in young),
        *((name, month, "recovery", 10.0) for name in old for month in (6, 7)),
    )  # fmt: skip
    fitted = fit_curves(book, events, by=(), charge_off_lag=4, prior=HOLD).recoveries
    np.testing.assert_allclose(fitted.timing, [0.5, 0.5])
    np.testing.assert_allclose(fitted.share, [[0.1, 0.1]])


def test_recoveries_above_the_balances_of_a_segment_are_told():
    """One loan may bring interest and fees beside its balance; a segment that loses less than nothing is no segment."""
    lost = [(name, 2, "default", 100.0) for name in ("0", "1", "2")]
    book = loans(*((name, "A", 12, 12) for name in ("0", "1", "2")))
    above = payments(*lost, *((name, 7, "recovery", 120.0) for name in ("0", "1", "2")))
    with pytest.raises(BadInput, match=r"OP434\] recoveries of segment A are 120% of its balances"):
        fit_curves(book, above, by=("grade",), charge_off_lag=4, prior=HOLD)
    fitted = fit_curves(book, payments(*lost, ("0", 7, "recovery", 120.0)), by=("grade",), charge_off_lag=4, prior=HOLD)
    np.testing.assert_allclose(fitted.curves.lgd, [0.6])


def test_timing_is_stated_where_months_are_not_known():
    book, events = recovering(200, 2, 20)
    months = np.where(np.array(events["kind"]) == "recovery", np.nan, np.array(events["month"], dtype=float))
    unknown = events.set_column(1, "month", pa.array(months, from_pandas=True))
    stated = np.array([0.5, 0.5])
    fitted = fit_curves(book, unknown, by=("grade",), charge_off_lag=3, recovery_timing=stated, prior=HOLD)
    np.testing.assert_allclose(fitted.curves.recovery[:, 0], fitted.curves.recovery[:, 1])
    assert fitted.recoveries.timing_stated
    with pytest.raises(BadInput, match="OP436"):
        fit_curves(book, unknown, by=("grade",), charge_off_lag=3, prior=HOLD)
    with pytest.raises(BadInput, match=r"sums to 0\.9"):
        fit_curves(book, unknown, by=("grade",), charge_off_lag=3, recovery_timing=np.array([0.5, 0.4]), prior=HOLD)


def test_draws_spread_as_wide_as_the_intervals_and_are_keyed():
    exposed_book = simulated(4_000, np.full(12, 0.02), np.full(12, 0.03), 12, seed=8)
    fitted = fit_curves(*exposed_book, by=(), charge_off_lag=0, prior=Prior(enough_events=1e9))
    drawn = list(fitted.draws(400, seed=1))
    paths = np.array([1.0 - open_at_end(each.default, each.prepay)[0, -1] for each in drawn])
    assert paths.mean() == pytest.approx(
        1.0 - open_at_end(fitted.curves.default, fitted.curves.prepay)[0, -1], abs=0.01
    )
    first = np.array([each.default[0, 0] for each in drawn])
    low, high = np.quantile(first, [0.025, 0.975])
    assert low == pytest.approx(fitted.hazards.default.low[0, 0], rel=0.05)
    assert high == pytest.approx(fitted.hazards.default.high[0, 0], rel=0.05)
    np.testing.assert_array_equal(drawn[0].default, next(fitted.draws(1, seed=1)).default)


def test_a_good_curve_has_no_findings_and_its_rows_are_curves_too():
    assert check_curves(curves()) == []
    rows = curves().of(np.array([1, 1, 0]))
    assert rows.segments == ("B", "B", "A")
    assert rows.default.shape == (3, 3)
    np.testing.assert_allclose(rows.lgd, 0.8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"default": np.array([[0.01] * 3, [0.01, -0.2, 0.01]])}, "[OP430] default of B, month 2 is -0.2"),
        ({"prepay": np.array([[0.01, 0.01, np.nan], [0.01] * 3])}, "[OP430] prepay of A, month 3 is nan"),
        ({"default": np.full((2, 3), 0.99)}, "[OP431] default + prepay of A, month 1 is 1.01"),
        ({"recovery": np.array([[0.1, 1.2], [0.1, 0.1]])}, "[OP430] recovery of A, month 1 is 1.2"),
        ({"recovery": np.full((2, 4), 0.3)}, "[OP430] recovery, summed of A, month 1 is 1.2"),
        ({"prepay": np.full((2, 4), 0.01)}, "[OP432] prepay has shape (2, 4): expected (2, 3)"),
        ({"default": np.full(3, 0.01)}, "[OP432] default has shape (3,): expected (2, T)"),
        ({"recovery": np.full((3, 4), 0.01)}, "[OP432] recovery has shape (3, 4): expected (2, R)"),
        ({"charge_off_lag": -1}, "[OP432] charge_off_lag is -1"),
        ({"segments": ("A", "A")}, "[OP432] segments hold a name twice"),
    ],
)
def test_curves_that_cannot_be_are_told(change, words):
    assert words in "\n".join(finding.text() for finding in check_curves(curves(**change)))


def test_segments_are_found_by_their_columns_and_unknown_ones_are_told():
    table = pa.table({"grade": ["B", "A", "B"]})
    assert segment_codes(curves(), table, by=("grade",)).tolist() == [1, 0, 1]
    with pytest.raises(BadInput, match=r"OP433.*C is no segment"):
        segment_codes(curves(), pa.table({"grade": ["C", "A"]}), by=("grade",))


GOOD = (("a", "A", 12, 12), ("b", "A", 12, 6))


@pytest.mark.parametrize(
    ("rows", "events", "words"),
    [
        ((*GOOD, ("a", "A", 12, 1)), (), "loan_id of loan a stands twice"),
        ((("a", "A", 0, 1),), (), "term_months of loan a is 0"),
        ((("a", "A", 12, -1),), (), "observed_months of loan a is -1"),
        (GOOD, (("z", 1, "default", 9.0),), "loan_id of loan z is no loan of the book"),
        (GOOD, (("a", 1, "late", 9.0),), "kind of loan a is another word: expected one of payment, prepayment"),
        (GOOD, (("b", 7, "prepayment", 9.0),), "month of loan b is 7: expected a month that was observed"),
        (GOOD, (("a", 0, "payment", 9.0),), "month of loan a is 0: expected months of age from 1"),
        (GOOD, (("a", None, "default", 9.0),), "month of loan a is null"),
        (GOOD, (("a", 12, "prepayment", 9.0),), "month of loan a is 12: expected a prepayment before the last month"),
        (GOOD, (("a", 1, "default", None),), "amount of loan a is nan: expected the balance at default"),
        (GOOD, (("a", 1, "default", 9.0), ("a", 2, "prepayment", 9.0)), "kind of loan a ends the loan twice"),
        (GOOD, (("a", 5, "recovery", 9.0),), "kind of loan a is recovery of a loan without default"),
        (GOOD, (("a", 2, "recovery", 9.0), ("a", 8, "default", 9.0)), "month of loan a is 2: expected a recovery in"),
        (GOOD, (("a", 2, "default", 9.0), *(("a", 8, "recovery", 9.1),) * 2), "amount of loan a is 18.2: expected rec"),
        (GOOD, (("a", 2.9, "default", 9.0),), "month of loan a is 2.9: expected a whole number of months"),
        ((("a", "A", 2.5, 2),), (), "term_months of loan a is 2.5: expected a whole number"),
        ((("a", "A", 12, 1.9),), (), "observed_months of loan a is 1.9: expected a whole number"),
        ((("a", "A", 12, float("inf")),), (), "observed_months of loan a is inf: expected a whole number"),
        ((("a", None, 12, 1),), (), "[OP435] grade is null in 1 rows"),
        ((), (), "loan_id has no rows"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other_are_told(rows, events, words):
    with pytest.raises(BadInput) as told:
        count_exposure(loans(*rows), payments(*events), by=("grade",))
    assert words in str(told.value)


def test_every_finding_is_told_at_once_and_columns_come_first():
    with pytest.raises(BadInput) as told:
        count_exposure(loans(("a", "A", 0, -1)), payments(("z", 1, "late", 1.0)), by=("grade",))
    assert len(told.value.findings) == 4
    with pytest.raises(BadInput, match="observed_months is missing"):
        count_exposure(loans(*GOOD).drop(["observed_months"]), payments(), by=("grade",))


def test_counts_that_cannot_be_are_told():
    exposed = Exposure(
        by=("s",), keys=np.array([["A"]]), at_risk=np.array([[5, 3]]), defaults=np.array([[1, 2]]),
        prepayments=np.array([[1, 2]]),
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"OP434.*A, month 2 has 3 loans at risk"):
        fit_hazards(exposed)


def known_at_charge_off(lag, cut):
    """A book of steady hazards in which a default is written down ``lag`` months later; ``cut`` ends what counts."""
    book, rows = simulated(20_000, np.full(24, 0.02), np.zeros(24), 24, seed=3)
    seen = dict(zip(book["loan_id"].to_pylist(), book["observed_months"].to_pylist(), strict=True))
    written = [
        month + lag <= seen[loan]
        for loan, month in zip(*(rows[c].to_pylist() for c in ("loan_id", "month")), strict=True)
    ]
    months = pa.array([max(each - cut, 0) for each in seen.values()])
    return book.set_column(2, "observed_months", months), rows.filter(pa.array(written))


def test_defaults_that_are_known_at_charge_off_are_not_counted_as_good_loans_until_then():
    with pytest.raises(
        BadInput, match=r"OP439\] observed_months goes on for the 4 months before charge-off with no default in them"
    ):
        fit_curves(*known_at_charge_off(4, cut=0), by=(), charge_off_lag=4, recovery_timing=np.ones(1))
    fitted = fit_curves(*known_at_charge_off(4, cut=4), by=(), charge_off_lag=4, recovery_timing=np.ones(1))
    assert fitted.hazards.default.mean == pytest.approx(0.02, abs=0.006)


def test_a_book_that_knows_defaults_at_once_is_not_suspected():
    book, rows = simulated(20_000, np.full(24, 0.02), np.zeros(24), 24, seed=3)
    fitted = fit_curves(book, rows, by=(), charge_off_lag=4, recovery_timing=np.ones(1))
    assert fitted.hazards.default.mean == pytest.approx(0.02, abs=0.006)
