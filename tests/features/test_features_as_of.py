"""Features see what was known and nothing else: by event time, by arrival and by delay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.domain import BadInput
from opportune.features import Feature, check_features, compute_features, feature_column
from opportune.tables import CONTRACTS, Engine

AT = datetime(2025, 6, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")
FEATURES = {
    f"{aggregate}_{look_back}_{delay}": Feature(
        table="events", aggregate=aggregate, column=None if aggregate in ("count", "days_since_latest") else "amount",
        look_back_days=look_back, delay_days=delay, missing="none",
    )
    for aggregate in ("count", "sum", "mean", "min", "max", "latest", "days_since_latest")
    for look_back, delay in ((30, 0), (90, 7))
}  # fmt: skip


def engine(events, at=AT):
    made = Engine(Path())
    made.register(
        "opportunities",
        pa.table({"opportunity_id": ["o1"], "customer_id": ["c1"], "at": pa.array([at], INSTANT), "band": ["A"]}),
    )
    made.register(
        "events",
        pa.table(
            {
                "event_id": pa.array([f"e{i:03d}" for i in range(len(events))], pa.string()),
                "customer_id": pa.array(["c1"] * len(events), pa.string()),
                "event_time": pa.array([event[0] for event in events], INSTANT),
                "arrived_at": pa.array([event[1] for event in events], INSTANT),
                "amount": pa.array([event[2] for event in events], pa.float64()),
            }
        ),
    )
    return made


def computed(events, features=FEATURES):
    row = compute_features(engine(events), features).to_pylist()[0]
    return {name: row[name] for name in features}


hours = st.integers(-24 * 120, 24 * 20)
event = st.tuples(hours, st.integers(0, 24 * 30), st.one_of(st.none(), st.integers(-500, 500).map(float))).map(
    lambda drawn: (
        AT + timedelta(hours=drawn[0]),
        AT + timedelta(hours=drawn[0] + drawn[1]),
        drawn[2],
    )
)


def known(event, delay):
    return max(event[1], event[0] + timedelta(days=delay)) <= AT


def by_hand(events, feature):
    """The declared aggregate in plain Python."""
    start = AT - timedelta(days=feature.look_back_days)
    seen = [(e[0], i, e[2]) for i, e in enumerate(events) if start < e[0] and known(e, feature.delay_days)]
    amounts = [amount for _, _, amount in seen if amount is not None]
    match feature.aggregate:
        case "count":
            return len(seen)
        case "latest":
            return max(seen)[2] if seen else None
        case "days_since_latest":
            return (AT.date() - max(seen)[0].date()).days if seen else None
        case "sum":
            return sum(amounts) if amounts else None
        case "mean":
            return pytest.approx(sum(amounts) / len(amounts)) if amounts else None
        case name:
            return {"min": min, "max": max}[name](amounts) if amounts else None


@settings(max_examples=60, deadline=None)
@given(st.lists(event, max_size=8))
def test_aggregates_equal_plain_python(events):
    found = computed(events)
    for name, feature in FEATURES.items():
        assert found[name] == by_hand(events, feature), name


@settings(max_examples=60, deadline=None)
@given(st.lists(event, max_size=8), st.lists(event, max_size=4))
def test_what_was_not_known_changes_nothing(events, others):
    unknown = [each for each in others if each[1] > AT]
    assert computed([*events, *unknown]) == computed(events)


def test_the_edges_of_look_back_delay_and_arrival():
    feature = {"n": Feature(table="events", aggregate="count", look_back_days=30, delay_days=2, missing="none")}
    second = timedelta(seconds=1)
    cases = {
        (AT - timedelta(days=30), AT): 0,  # exactly as old as the look-back: out
        (AT - timedelta(days=30) + second, AT): 1,
        (AT - timedelta(days=2), AT - timedelta(days=2)): 1,  # known exactly now
        (AT - timedelta(days=2) + second, AT - timedelta(days=2) + second): 0,
        (AT - timedelta(days=9), AT): 1,
        (AT - timedelta(days=9), AT + second): 0,  # happened long ago, arrives too late
    }
    for (happened, arrived), expected in cases.items():
        assert computed([(happened, arrived, 1.0)], feature)["n"] == expected, (happened, arrived)


def test_a_feature_does_not_depend_on_the_other_features_of_its_table():
    old = [(AT - timedelta(days=60), AT - timedelta(days=60), 5.0)]
    for name, feature in FEATURES.items():
        assert computed(old, {name: feature})[name] == computed(old)[name], name


def counted(where, events):
    feature = Feature(table="events", aggregate="count", where=where, look_back_days=30, delay_days=7, missing="none")
    return computed(events, {"n": feature})["n"]


def test_a_condition_picks_rows_and_nothing_else():
    events = [(AT - timedelta(days=days), AT - timedelta(days=days), float(days)) for days in (3, 8, 20, 40)]
    assert counted("amount > 3", events) == 2
    assert counted("e.AMOUNT > 10 OR amount < 0 -- a comment", events) == 1
    assert counted("amount IN (3, 40)", events) == 0  # too late to be known, and too long ago
    assert counted("NOT amount BETWEEN 7 AND 9", events) == 1
    assert counted("CASE WHEN abs(round(amount)) IN (8, 20) THEN true ELSE false END", events) == 2
    assert counted("date_trunc('month', event_time) = DATE '2025-05-01' AND customer_id ILIKE 'C%'", events) == 2
    assert counted("event_time + INTERVAL 9 DAY < arrived_at + INTERVAL 5 DAY", events) == 0


@pytest.mark.parametrize(
    "where",
    [
        "true) OR (true",
        "true) FILTER (WHERE true",
        "amount > (SELECT max(arrears) FROM outcomes)",
        "EXISTS (FROM outcomes)",
        "event_time < now()",
        "event_time < current_date",
        "event_time < get_current_timestamp()",
        "event_time < localtimestamp",
        "event_time < current_localtimestamp()",
        "event_time::TIME < localtime",
        "COLUMNS('^amount$') >= 40",
        "COLUMNS(*) IS NOT NULL",
        "age(event_time) < INTERVAL 5 DAY",
        "current_setting('x') = 'a'",
        "random() < 0.5",
        "sum(amount) > 1",
        "row_number() OVER () = 1",
        "s.at > event_time",
        "arrears > 0",
        "amount > 1; DROP TABLE events",
        "amount amount",
        "",
    ],
)
def test_a_condition_that_is_more_than_one_is_refused(where):
    feature = Feature(table="events", aggregate="count", where=where, look_back_days=9, delay_days=0, missing="none")
    assert [finding.code for finding in check_features({"f": feature}, COLUMNS, [])] == ["OP109"]


@pytest.mark.parametrize("where", ["sex = 1", "SEX = 1", '"Sex" = 1', "coalesce(e.sEx, 0) = 1"])
def test_a_protected_column_is_found_however_it_is_spelt(where):
    feature = Feature(table="events", aggregate="count", where=where, look_back_days=9, delay_days=0, missing="none")
    columns = {**COLUMNS, "events": [*COLUMNS["events"], "Sex"]}
    assert [finding.code for finding in check_features({"f": feature}, columns, ["sex"])] == ["OP106"]


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"aggregate": "latest", "column": "Arrears"}, "Arrears"),
        ({"aggregate": "count", "where": "arrears > 0"}, "Arrears"),
    ],
)
def test_a_column_with_the_name_of_an_outcome_is_refused(fields, column):
    columns = {**COLUMNS, "customers": ["customer_id", "known_from", "Arrears"]}
    feature = Feature(table="customers", look_back_days=9, delay_days=0, missing="none", **fields)
    (finding,) = check_features({"f": feature}, columns, [])
    assert finding.code == "OP103"
    assert f"'{column}' of customers" in finding.message


def test_an_event_without_its_arrival_is_never_known():
    event = (AT - timedelta(days=9), None, 5.0)
    assert computed([event])["count_30_0"] == 0


def test_an_application_does_not_count_at_its_own_opportunity():
    made = engine([])
    rows = {"application_id": ["a1", "a2"], "customer_id": ["c1", "c1"], "opportunity_id": ["o1", None]}
    made.register("applications", pa.table({**rows, "applied_at": pa.array([AT, AT], INSTANT)}))
    feature = Feature(table="applications", aggregate="count", look_back_days=9, delay_days=0, missing="none")
    assert compute_features(made, {"n": feature})["n"].to_pylist() == [1]


def test_a_date_is_no_feature_and_is_named():
    with pytest.raises(BadInput, match=r"OP110\] since is of type timestamp"):
        feature_column(pa.table({"since": pa.array([AT], INSTANT)}), "since")
    assert feature_column(pa.table({"yes": [True, None]}), "yes")[0] == 1.0


def test_applications_are_counted_by_customer():
    made = engine([])
    rows = {"application_id": ["a1"], "customer_id": ["c1"], "opportunity_id": ["o0"], "requested_amount": [5.0]}
    made.register("applications", pa.table({**rows, "applied_at": pa.array([AT - timedelta(days=2)], INSTANT)}))
    feature = Feature(table="applications", aggregate="count", look_back_days=9, delay_days=0, missing="none")
    assert compute_features(made, {"n": feature})["n"].to_pylist() == [1]
    assert "customer_id" in {column.name for column in CONTRACTS["applications"].columns}


COLUMNS = {
    "opportunities": ["opportunity_id", "band"],
    "events": ["event_id", "event_time", "amount"],
    "outcomes": ["decision_id", "arrears"],
}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"context": "arrears"}, "OP103"),
        ({"context": "bnad"}, "OP107"),
        ({"table": "events", "aggregate": "count", "look_back_days": 9, "delay_days": -1}, "OP103"),
        ({"table": "outcomes", "aggregate": "count", "look_back_days": 9, "delay_days": 0}, "OP103"),
        ({"table": "evens", "aggregate": "count", "look_back_days": 9, "delay_days": 0}, "OP107"),
        ({"table": "events", "aggregate": "sum", "look_back_days": 9, "delay_days": 0}, "OP105"),
        ({"table": "events", "aggregate": "sum", "column": "amuont", "look_back_days": 9, "delay_days": 0}, "OP107"),
        ({"table": "events", "aggregate": "count", "look_back_days": 0, "delay_days": 0}, "OP104"),
        ({"table": "events", "aggregate": "count"}, "OP102"),
        ({"context": "band", "table": "events", "aggregate": "count"}, "OP101"),
        ({"context": "sex"}, "OP106"),
    ],
)
def test_a_declaration_that_cannot_stand_is_found(fields, code):
    found = check_features({"f": Feature(missing="none", **fields)}, COLUMNS, ["sex"])
    assert code in {finding.code for finding in found}
    assert all(finding.subject.startswith("f") and finding.next_step for finding in found)


def test_a_good_declaration_has_no_findings():
    good = Feature(table="events", aggregate="sum", column="amount", look_back_days=9, delay_days=0, missing="none")
    assert check_features({"f": good, "b": Feature(context="band", missing="never")}, COLUMNS, []) == []
