"""Identities of competing risks: nothing is lost between hazards, incidences and survival."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from opportune.numerics.hazards import conditional, hazards_of, incidences, open_at_end, open_at_start, unconditional

SHARES = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 60)), elements=st.floats(0.0, 0.5, width=32))


@settings(max_examples=100, deadline=None)
@given(SHARES, st.floats(0.0, 1.0))
def test_survival_and_cumulative_incidences_sum_to_one(default, part):
    prepay = part * (1.0 - default)
    marginal = incidences(default, prepay)
    total = np.cumsum(sum(marginal), axis=1) + open_at_end(default, prepay)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(SHARES)
def test_incidences_give_their_hazards_back(default):
    prepay = 0.3 * default[:, ::-1]
    back = hazards_of(*incidences(default, prepay))
    opened = open_at_start(default, prepay)
    for hazard, found in zip((default, prepay), back, strict=True):
        np.testing.assert_allclose((found * opened)[opened > 1e-6], (hazard * opened)[opened > 1e-6], atol=1e-9)


def test_a_constant_hazard_survives_geometrically():
    hazard = np.full((1, 12), 0.02)
    np.testing.assert_allclose(open_at_end(hazard)[0], 0.98 ** np.arange(1, 13))
    np.testing.assert_allclose(open_at_start(hazard)[0], 0.98 ** np.arange(12))


def test_what_nobody_can_reach_has_no_hazard():
    (found,) = hazards_of(np.array([[0.4, 0.6, 0.0]]))
    np.testing.assert_allclose(found[0, :2], [0.4, 1.0])
    assert np.isnan(found[0, 2])


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_conditional_and_unconditional_are_inverse_and_never_sum_above_one(first, share):
    first_hazard = np.array([first])
    second = unconditional(first_hazard, np.array([share]))
    assert first_hazard + second <= 1.0 + 1e-12
    if first < 0.999:
        assert conditional(first_hazard, second)[0] == pytest.approx(share, abs=1e-9)
