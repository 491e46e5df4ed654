"""What limits came out at: whom they are about, what is known of a use, and what no outcome tells."""

import msgspec
import numpy as np
import pytest

from opportune.domain import BadInput, Limit, rows_of
from opportune.evaluation import (
    AsLogged,
    HazardCompletion,
    LoggedDecisions,
    ProxyCompletion,
    fixed_choice,
    limit_evidence,
)

N = 900


def lent():
    """Loans of one offer that was made to everybody, and their losses."""
    draw, ids = np.random.default_rng(0), np.arange(N)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=ids, offer_ids=("a",), action=np.zeros(N, dtype=int),
        eligible=np.ones((N, 1), dtype=bool), probability=np.ones((N, 1)), outside=np.zeros(N),
        outcome={"outcome": draw.normal(10.0, 5.0, N)}, cluster=ids,
    )  # fmt: skip
    return logged, AsLogged("logged", np.ones(N), logged.probability)


def test_a_limit_that_is_not_about_whom_a_policy_offers_something_uses_nothing_of_it():
    """That nothing was lost in the north is known of a policy of the south; that nobody there was seen to lose, is not."""
    logged, _ = lent()
    north = np.arange(N) < 400
    south = AsLogged("south", (~north).astype(float), logged.probability)
    loss = rows_of([Limit(name="loss", uses="loss", at_most=1.0)], {})
    uses = {"loss": np.where(north, logged.outcome["outcome"], 0.0)}
    (found,) = limit_evidence(logged, south, uses, loss, about=north)
    assert (found.used.low, found.used.high, found.holds) == (0.0, 0.0, 1.0)
    with pytest.raises(BadInput, match=r"OP629\] limit 'loss': loss is judged by 500 outcomes that are all 0"):
        limit_evidence(logged, south, uses, loss, about=~north)
    (whole,) = limit_evidence(logged, AsLogged("all", np.ones(N), logged.probability), uses, loss, about=north)
    assert whole.used.value == pytest.approx(logged.outcome["outcome"][north].sum())


def test_an_open_use_elsewhere_is_no_use_of_a_limit():
    """Rows are completed by what is known of their cell, and then multiplied by what the limit counts them for."""
    logged, policy = lent()
    north = np.arange(N) < 400
    used = np.where(np.arange(N) % 3 == 0, np.nan, logged.outcome["outcome"])
    loss = rows_of([Limit(name="loss", uses="loss", at_most=1.0)], {})
    completion = ProxyCompletion(cell=np.zeros(N))
    (found,) = limit_evidence(logged, policy, {"loss": used}, loss, about=north, completion=completion)
    known = np.where(np.isnan(used), np.nanmean(used), used)
    assert found.used.value == pytest.approx(known[north].sum())


def test_one_loss_does_not_say_how_losses_vary():
    logged, policy = lent()
    lost = np.full(N, 0.5)
    loss = rows_of([Limit(name="loss", uses="loss", at_most=1000.0)], {})
    only = AsLogged("one", (np.arange(N) == 3).astype(float), logged.probability)
    with pytest.raises(BadInput, match=r"OP629\] limit 'loss': loss is judged by one outcome, 0.5"):
        limit_evidence(logged, only, {"loss": lost}, loss)
    rate = rows_of([Limit(name="rate", uses="loss", per="lent", at_most=0.5)], {})
    with pytest.raises(BadInput, match=r"OP629\] limit 'rate': lent is judged by 900 outcomes that are all 0"):
        limit_evidence(logged, policy, {"loss": logged.outcome["outcome"], "lent": np.zeros(N)}, rate)


def test_a_certain_use_is_known_wherever_its_offers_were_drawn():
    logged, policy = lent()
    contacts = rows_of([Limit(name="contacts", uses="contacts", at_most=N)], {})
    half = AsLogged("half", (np.arange(N) % 2).astype(float), logged.probability)
    (found,) = limit_evidence(logged, half, {"contacts": np.ones(N)}, contacts, certain=["contacts"])
    assert (found.used.value, found.holds) == (pytest.approx(N / 2), 1.0)
    (none,) = limit_evidence(logged, policy, {"contacts": np.zeros(N)}, contacts, certain=["contacts"])
    assert (none.used.low, none.used.high, none.holds) == (0.0, 0.0, 1.0)


def test_a_signed_about_is_a_difference_and_asked_on_both_its_sides():
    """The north's mean loss less that of all: the offer was drawn in the south only, or nobody lost in the north."""
    logged, _ = lent()
    north = np.arange(N) < 100
    apart = north / 100 - 1.0 / N
    loss = rows_of([Limit(name="parity", uses="loss", at_most=0.0)], {})
    offered = msgspec.structs.replace(
        logged, offer_ids=("a", "b"), eligible=np.ones((N, 2), dtype=bool), probability=np.full((N, 2), 0.5),
        action=np.where(north, 0, np.arange(N) % 2),
    )  # fmt: skip
    uses, policy = {"loss": logged.outcome["outcome"]}, fixed_choice("b", np.ones(N, dtype=int), 2)
    for certain in ((), ("loss",)):
        with pytest.raises(BadInput, match=r"OP629\] limit 'parity': loss makes offers that .* never drew"):
            limit_evidence(offered, policy, uses, loss, about=apart, certain=certain)
    seen = msgspec.structs.replace(offered, action=np.arange(N) % 2)
    none = {"loss": np.where(north, 0.0, logged.outcome["outcome"])}
    with pytest.raises(BadInput, match=r"OP629\] limit 'parity': loss is judged by 50 outcomes that are all 0"):
        limit_evidence(seen, policy, none, loss, about=apart)
    (found,) = limit_evidence(seen, policy, uses, loss, about=apart)
    assert found.used.low < 0.0 < found.used.high


def test_a_bound_that_is_reached_but_for_rounding_is_kept():
    logged, policy = lent()
    spend = rows_of([Limit(name="spend", uses="spend", at_most=0.65 * N, at_least=0.65 * N)], {})
    for interval in ("bootstrap", "influence"):
        for found in limit_evidence(
            logged, policy, {"spend": np.full(N, 0.65)}, spend, interval=interval, certain=["spend"]
        ):
            assert (found.used.value, found.holds) == (pytest.approx(0.65 * N), 1.0)


def test_what_is_not_known_elsewhere_is_not_asked():
    logged, policy = lent()
    north = np.arange(N) < 400
    loss = rows_of([Limit(name="loss", uses="loss", at_most=1.0)], {})
    used = np.where(north, logged.outcome["outcome"], np.nan)
    (found,) = limit_evidence(logged, policy, {"loss": used}, loss, about=north)
    assert found.used.value == pytest.approx(logged.outcome["outcome"][north].sum())
    for wrong in (north[1:], np.where(north, np.nan, 1.0)):
        with pytest.raises(ValueError, match=r"about has shape \(\d+,\): expected 900 finite numbers"):
            limit_evidence(logged, policy, {"loss": used}, loss, about=wrong)
    with pytest.raises(ValueError, match="uses lack 'contact'"):
        limit_evidence(logged, policy, {"loss": logged.outcome["outcome"]}, loss, certain=["contact"])


def test_hazards_complete_one_outcome():
    """They hold the amounts of one event: asked for several, each would become the same."""
    logged, policy = lent()
    hazards = HazardCompletion(
        watched=np.full(N, 6), event_at=(np.arange(N) % 5 == 0) * 3, stratum=np.zeros(N), horizon=6,
        if_event=np.full(N, 100.0), if_none=np.zeros(N),
    )  # fmt: skip
    uses = {"loss": np.full(N, np.nan), "lent": np.full(N, 1000.0), "contacts": np.ones(N)}
    rate, each = (rows_of([Limit(name="rate", uses="loss", per=per, at_most=1.0)], {}) for per in ("lent", "contacts"))
    with pytest.raises(ValueError, match="HazardCompletion tells one outcome, and 'lent', 'loss' are several"):
        limit_evidence(logged, policy, uses, rate, completion=hazards)
    (found,) = limit_evidence(logged, policy, uses, each, completion=hazards, certain=["contacts"])
    assert found.used.value == pytest.approx(100.0 / 5)
