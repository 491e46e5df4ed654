"""Numerics: golden draws, oracles and identities."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from opportune.numerics import (
    auc,
    bootstrap_totals,
    cluster_codes,
    cluster_sums,
    expit,
    generator,
    keyed_folds,
    keyed_uniform,
    log_loss,
    logit,
    percentile_interval,
)


def test_golden_draws_never_change():
    """These values are part of the product: assignment of customers depends on them in Python, SQL and Spark."""
    drawn = keyed_uniform(1, "holdout", ["c1", "c2", "é", ""])
    assert drawn.tolist() == [GOLDEN[each] for each in ("c1", "c2", "é", "")]


GOLDEN = {
    "c1": 0.026317716725202223,
    "c2": 0.06490770039694738,
    "é": 0.21940733510765775,
    "": 0.673349111741318,
}


@given(st.integers(), st.text(), st.text())
def test_a_draw_is_what_the_definition_says(seed, purpose, each):
    digest = hashlib.md5(f"{seed}|{purpose}|{each}".encode()).hexdigest()
    drawn = keyed_uniform(seed, purpose, [each])[0]
    assert drawn == int(digest[:13], 16) / 2**52
    assert 0.0 <= drawn < 1.0


def test_draws_are_uniform_and_differ_by_purpose():
    ids = [str(i) for i in range(20_000)]
    first, second = keyed_uniform(1, "a", ids), keyed_uniform(1, "b", ids)
    assert np.histogram(first, 20, (0, 1))[0] == pytest.approx(np.full(20, 1000), abs=150)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_a_generator_is_its_key():
    assert generator(1, "x").random(3).tolist() == generator(1, "x").random(3).tolist()
    assert generator(1, "x").random() != generator(1, "y").random()


@given(st.integers(0, 2**31), st.integers(2, 6))
def test_folds_keep_clusters_whole_and_even(seed, folds):
    clusters = np.array([str(i % 23) for i in range(230)])
    fold = keyed_folds(seed, "f", clusters, folds)
    assert all(len(set(fold[clusters == name])) == 1 for name in set(clusters))
    sizes = np.bincount([fold[clusters == name][0] for name in sorted(set(clusters))], minlength=folds)
    assert sizes.max() - sizes.min() <= 1


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=4, max_size=60))
def test_auc_is_sklearns_with_ties(pairs):
    y, score = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    if len(set(y)) < 2:
        with pytest.raises(ValueError, match="both classes"):
            auc(y, score)
    else:
        assert auc(y, score) == pytest.approx(roc_auc_score(y, score))


def test_log_loss_is_sklearns():
    draw = np.random.default_rng(1)
    y, p = draw.integers(0, 2, 500), draw.uniform(0.01, 0.99, 500)
    assert log_loss(y, p) == pytest.approx(sklearn_log_loss(y, p))


@given(st.floats(-30, 30))
def test_the_link_and_its_inverse(eta):
    assert logit(expit(np.array([eta])))[0] == pytest.approx(eta, abs=1e-2 if abs(eta) > 20 else 1e-6)


def test_the_inverse_link_never_overflows():
    assert expit(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]


def test_cluster_sums_and_paired_draws():
    columns = np.arange(12.0).reshape(6, 2)
    clusters = np.array(["b", "a", "b", "c", "a", "c"])
    sums = cluster_sums(columns, clusters)
    assert sums.tolist() == [[10.0, 12.0], [4.0, 6.0], [16.0, 18.0]]
    totals = bootstrap_totals(sums, 50, 1, "p")
    assert totals.tolist() == bootstrap_totals(sums, 50, 1, "p").tolist()
    counts = bootstrap_totals(np.ones((3, 1)), 50, 1, "p")
    assert set(counts[:, 0]) == {3.0}


def test_many_clusters_are_drawn_by_a_compiled_loop_with_the_same_law():
    columns = np.random.default_rng(0).random((5000, 2))
    totals = bootstrap_totals(np.column_stack([columns, np.ones(5000)]), 4000, 1, "p")
    assert set(totals[:, 2]) == {5000.0}
    assert totals[:, :2].mean(axis=0) == pytest.approx(columns.sum(axis=0), rel=1e-3)
    assert totals[:, :2].std(axis=0) == pytest.approx(columns.std(axis=0) * np.sqrt(5000), rel=0.05)
    again = bootstrap_totals(columns, 4000, 1, "p")
    assert np.array_equal(totals[:, :2], again)
    assert not np.array_equal(bootstrap_totals(columns, 4000, 2, "p"), again)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60))
def test_clusters_are_numbered_in_the_order_of_their_names(numbers):
    named = np.array(numbers)
    names, codes = np.unique(named, return_inverse=True)
    for each, expected in (
        (named, codes),
        (named * 10**9, codes),
        (named.astype(str), np.unique(named.astype(str), return_inverse=True)[1]),
    ):
        count, found = cluster_codes(each)
        assert (count, found.tolist()) == (len(names), expected.tolist())


def test_the_percentile_interval():
    assert percentile_interval(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))
