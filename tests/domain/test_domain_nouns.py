"""The nouns: what they refuse, and their JSON."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from opportune.domain import (
    NO_OFFER,
    AsOf,
    BadInput,
    BrokenPromise,
    Candidates,
    Certificate,
    Decision,
    Estimate,
    Finding,
    Limit,
    Money,
    Opportunities,
    Opportunity,
    Outcome,
    RowReport,
    Value,
)

AT = AsOf(datetime(2025, 1, 1, tzinfo=UTC))
ROW = RowReport(name="m", used=1.0, limit=2.0, price=0.5, slack=1.0)
NOUNS = [
    Limit(name="m", uses="contacts", at_most=3.0),
    Estimate(value=1.0, low=0.0, high=2.0, n=9, method="dr", effective_n=4.5),
    Finding(code="OP001", source="a.toml", subject="k", message="is missing", next_step="write it"),
    Certificate(
        status="optimal", value=1.0, bound=1.0, gap=0.0, gap_asked=1e-4, rows=(ROW,), opportunities=3, offered=1,
        repaired=0, data_hash="h", seed=1,
    ),
    Decision(
        decision_id="d", opportunity_id="o", customer_id="c", decided_at=AT, offer=NO_OFFER, probability=1.0, value=0.0,
        eligible=("a",), reasons=("r",), expires_at=None, release="h",
    ),
    Outcome(decision_id="d", observed_until=AT, values={"took_up": None}),
    Opportunity(opportunity_id="o", customer_id="c", at=AT, surface="mail", stage="marketing", context={"band": "A"}),
]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_comes_back_from_its_json(noun):
    assert msgspec.json.decode(msgspec.json.encode(noun), type=type(noun)) == noun


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_is_frozen(noun):
    with pytest.raises(AttributeError):
        setattr(noun, noun.__struct_fields__[0], None)


def test_the_json_of_a_limit_and_of_a_finding_never_changes():
    assert msgspec.json.encode(NOUNS[0]) == b'{"name":"m","uses":"contacts","at_most":3.0}'
    assert NOUNS[2].text() == "a.toml [OP001] k is missing Next: write it"
    assert set(msgspec.to_builtins(NOUNS[2])) == {
        "code",
        "source",
        "subject",
        "message",
        "next_step",
        "severity",
        "line",
        "column",
    }
    placed = msgspec.structs.replace(NOUNS[2], subject="time.plan_at", line=5, column=1)
    assert placed.text() == "a.toml:5:1 [OP001] plan_at is missing Next: write it"
    assert set(msgspec.to_builtins(NOUNS[1])) >= {"value", "low", "high", "n", "method"}


@pytest.mark.parametrize("fields", [{}, {"at_most": float("nan")}, {"at_most": 1.0, "soft_price": -1.0}])
def test_a_limit_refuses_what_cannot_be(fields):
    with pytest.raises(ValueError, match="expected"):
        Limit(name="m", uses="x", **fields)


def test_an_instant_is_in_utc():
    assert AsOf.parse("2003-10-01") == AsOf(datetime(2003, 10, 1, tzinfo=UTC))
    assert str(AsOf.parse("2003-10-01T02:00:00+02:00")) == "2003-10-01T00:00:00Z"
    with pytest.raises(ValueError, match="UTC"):
        AsOf(datetime(2003, 10, 1))
    assert AT.knows(AT.at, AT.at)
    assert not AT.knows(AT.at, datetime(2025, 1, 2, tzinfo=UTC))


def test_currencies_do_not_mix():
    assert Money(Decimal("1.10"), "ZAR") + Money(Decimal("2.20"), "ZAR") == Money(Decimal("3.30"), "ZAR")
    assert Money(Decimal(1), "ZAR") - Money(Decimal(1), "ZAR") == -Money(Decimal(0), "ZAR")
    with pytest.raises(ValueError, match="ZAR with USD"):
        Money(Decimal(1), "ZAR") + Money(Decimal(1), "USD")
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(Decimal(1), "rand")
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal("NaN"), "ZAR")


def test_candidates_refuse_arrays_of_another_shape():
    names = np.array(["o"], dtype=object)
    with pytest.raises(ValueError, match=r"value has shape \(2, 1\): expected \(1, 1\)"):
        Candidates(
            opportunity_id=names, customer_id=names, slot=names, offer_ids=("k",), eligible=np.ones((1, 1), dtype=bool),
            value=np.ones((2, 1)), uses={}, currency="USD",
        )  # fmt: skip


def test_a_total_is_the_sum_of_its_lines_and_leaves_them_alone():
    lines = {"a": np.array([1.0, 2.0]), "b": np.array([0.5, -5.0])}
    value = Value(lines=lines, uses={}, basis="lifetime", currency="USD")
    assert value.total().tolist() == [1.5, -3.0]
    assert lines["a"].tolist() == [1.0, 2.0]


def test_one_opportunity_is_a_batch_of_one():
    batch = Opportunities.of(NOUNS[-1])
    assert len(batch) == 1
    assert batch.context["band"].tolist() == ["A"]
    assert batch.take(np.array([True])).customer_id.tolist() == ["c"]


def test_exit_statuses_and_messages_of_errors():
    finding = NOUNS[2]
    assert (BadInput([finding]).exit_status, BrokenPromise([finding]).exit_status) == (2, 1)
    assert str(BadInput([finding, finding])).count("OP001") == 2


def test_an_outcome_is_known_once_it_was_observed():
    assert NOUNS[5].known_at(AT)
    assert not NOUNS[5].known_at(AsOf.parse("2024-12-31"))
