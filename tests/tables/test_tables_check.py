"""Checked tables: tiny projects next to the reasons expected of them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportune.numerics import keyed_uniform
from opportune.tables import Engine, check_tables, keyed_uniform_sql, money_sum_sql

OPPORTUNITIES = """SELECT * FROM (VALUES ('o1', 'c1', '1', TIMESTAMPTZ '2025-01-01 00:00:00Z', 'mail', 'marketing'),
    ('o2', 'c2', '1', TIMESTAMPTZ '2025-01-01 00:00:00Z', 'mail', 'marketing'))
    AS t(opportunity_id, customer_id, slot, "at", surface, stage)"""
DECISIONS = f"""SELECT 'd' || right(opportunity_id, 1) AS decision_id, opportunity_id, customer_id, slot, "at" AS decided_at
    FROM ({OPPORTUNITIES})"""
OUTCOMES = f"SELECT decision_id, decided_at + INTERVAL 1 DAY AS observed_until, 1.0 AS took_up FROM ({DECISIONS})"
EVENT = """SELECT 'e' AS event_id, 'c1' AS customer_id, TIMESTAMPTZ '2025-01-02' AS event_time,
    TIMESTAMPTZ '2025-01-03' AS arrived_at"""
GOOD = {"opportunities": OPPORTUNITIES, "decisions": DECISIONS, "outcomes": OUTCOMES}


def checked(tmp_path, **tables):
    (tmp_path / "tables").mkdir(exist_ok=True)
    for name, sql in {**GOOD, **tables}.items():
        (tmp_path / "tables" / f"{name}.sql").write_text(sql)
    engine = Engine(tmp_path)
    return check_tables(tmp_path, engine, tmp_path / "out", "USD"), engine


def test_good_tables_have_no_findings(tmp_path):
    found, engine = checked(tmp_path)
    assert found.findings == ()
    assert {name: (c.good, c.quarantined) for name, c in found.tables.items()} == dict.fromkeys(GOOD, (2, 0))
    assert engine.tables()[-3:] == ["decisions", "opportunities", "outcomes"]


def replaced(sql, old, new):
    assert old in sql
    return sql.replace(old, new)


BROKEN = {
    "OP005 did you mean decisions": {"decision": DECISIONS},
    "OP006 no rows": {"decisions": DECISIONS + " WHERE false"},
    "OP007 decided_at": {"decisions": replaced(DECISIONS, " AS decided_at", " AS decided")},
    "OP008 took_up": {"opportunities": f"SELECT *, 1.0 AS took_up FROM ({OPPORTUNITIES})"},
    "OP008 Took_Up": {"opportunities": f"SELECT *, 1.0 AS Took_Up FROM ({OPPORTUNITIES})"},
    "OP006 keeps no row: all 2 are in quarantine": {
        "opportunities": OPPORTUNITIES.replace("'marketing'", "'markting'")
    },
    "OP020 tables/decisions.sql": {"decisions": "SELEC 1"},
    "OP021 tables/decisions.sql": {"decisions": "SELECT nothing FROM (SELECT 1 AS x)"},
    "OP022 tables/decisions.sql": {"decisions": "SELECT * FROM read_csv('data/missing.csv')"},
    "OP030 decision_id must be unique": {"decisions": replaced(DECISIONS, "'d' || right(opportunity_id, 1)", "'d1'")},
    "OP032 customer_id must be given": {
        "decisions": f"SELECT * REPLACE (CAST(NULL AS VARCHAR) AS customer_id) FROM ({DECISIONS})"
    },
    "OP034 stage must be one of": {"opportunities": replaced(OPPORTUNITIES, "'marketing')", "'markting')")},
    "OP035 probability must be above 0": {"decisions": replaced(DECISIONS, "SELECT ", "SELECT 1.5 AS probability, ")},
    "OP040 must belong to a decision": {
        "outcomes": replaced(OUTCOMES, "SELECT decision_id", "SELECT decision_id || 'x' AS decision_id")
    },
    "OP041 must not be before decided_at": {"outcomes": replaced(OUTCOMES, "+ INTERVAL", "- INTERVAL")},
    "OP042 must belong to an opportunity": {
        "decisions": replaced(
            DECISIONS, "1) AS decision_id, opportunity_id", "1) AS decision_id, 'x' || opportunity_id AS opportunity_id"
        )
    },
    "OP043 must not be before the opportunity": {
        "decisions": replaced(DECISIONS, '"at" AS', '"at" - INTERVAL 1 HOUR AS')
    },
    "OP048 must be about the customer and slot": {
        "decisions": replaced(DECISIONS, 'slot, "at" AS', "'7' AS slot, \"at\" AS")
    },
    "OP030 customer_id, slot and at must be unique together": {
        "opportunities": replaced(OPPORTUNITIES, "('o2', 'c2'", "('o2', 'c1'")
    },
    "OP038 probability must be a fraction where it is given": {
        "decisions": replaced(DECISIONS, "SELECT ", "SELECT 'half' AS probability, ")
    },
    "OP032 arrived_at must be given": {"events": EVENT.replace("TIMESTAMPTZ '2025-01-03'", "NULL")},
    "OP032 arrived_at must be given, as an instant": {
        "events": EVENT.replace("TIMESTAMPTZ '2025-01-03'", "'31.12.2025'")
    },
    "OP031 arrived_at must not be before": {
        "events": "SELECT 'e' AS event_id, 'c1' AS customer_id, TIMESTAMPTZ '2025-01-02' AS event_time, TIMESTAMPTZ '2025-01-01' AS arrived_at"
    },
    "OP036 currency must be USD": {"outcomes": replaced(OUTCOMES, "1.0 AS", "'EUR' AS currency, 1.0 AS")},
    "OP037 must sum to 1": {
        "probabilities": f"SELECT decision_id, unnest(['a', 'b']) AS offer_id, 0.4 AS probability FROM ({DECISIONS})"
    },
    "OP044 must belong to a decision": {
        "probabilities": "SELECT 'd9' AS decision_id, 'a' AS offer_id, 1.0 AS probability"
    },
    "OP033 amount must be zero or more": {
        "loans": "SELECT 'l' AS loan_id, 'c1' AS customer_id, TIMESTAMPTZ '2025-01-02' AS originated_at, -5.0 AS principal"
    },
}


@pytest.mark.parametrize("expected", BROKEN)
def test_a_broken_table_is_found_and_told(expected, tmp_path):
    code, words = expected.split(" ", 1)
    if code == "OP033":
        words = words.replace("amount", "principal")
    found, _ = checked(tmp_path, **BROKEN[expected])
    lines = [finding.text() for finding in found.findings if finding.code == code]
    assert lines, [finding.text() for finding in found.findings]
    assert words.lower() in lines[0].lower()
    assert "Next:" in lines[0]


def test_a_null_is_no_value_that_cannot_be_read(tmp_path):
    halves = "CASE opportunity_id WHEN 'o1' THEN 0.5 END AS probability, "
    found, engine = checked(tmp_path, decisions=replaced(DECISIONS, "SELECT ", f"SELECT {halves}"), events=EVENT)
    assert found.findings == ()
    assert engine.query("SELECT probability FROM decisions")["probability"].to_pylist() == [0.5, None]
    assert engine.columns("decisions")[0] == "probability"
    assert not [
        name for table in engine.tables() for name in engine.columns(table) if name == "__unread" and table in GOOD
    ]


def test_all_findings_come_at_once(tmp_path):
    found, _ = checked(tmp_path, decisions="SELEC 1", events="SELECT nothing", loans="SELECT 1 AS loan_id WHERE false")
    assert {"OP020", "OP021", "OP006"} <= {finding.code for finding in found.findings}


def test_a_file_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "events.sql").write_bytes(b"SELECT '\xff'")
    assert "OP002" in {finding.code for finding in checked(tmp_path)[0].findings}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["e1", "e2", "e3", None]), st.integers(-5, 5)), min_size=1, max_size=8))
def test_no_row_is_lost_between_good_and_quarantine(tmp_path_factory, events):
    directory = tmp_path_factory.mktemp("rows")
    values = ", ".join(
        f"({'NULL' if key is None else repr(key)}, 'c1', TIMESTAMPTZ '2025-01-10', TIMESTAMPTZ '2025-01-10' + INTERVAL ({shift}) DAY)"
        for key, shift in events
    )
    found, engine = checked(
        directory, events=f"SELECT * FROM (VALUES {values}) AS t(event_id, customer_id, event_time, arrived_at)"
    )
    counts = found.tables["events"]
    assert counts.good + counts.quarantined == len(events)
    keys = [key for key, _ in events]
    expected = sum(key is not None and keys.count(key) == 1 and shift >= 0 for key, shift in events)
    assert counts.good == expected
    assert engine.query("SELECT count(*) AS n FROM events")["n"][0].as_py() == expected


def test_the_keyed_draw_is_the_same_in_sql_bit_for_bit(tmp_path):
    ids = [f"customer-{i}" for i in range(5_000)] + ["", "é", "a|b"]
    engine = Engine(tmp_path)
    engine.register("t", pa.table({"id": ids}))
    drawn = engine.query(f"SELECT {keyed_uniform_sql(7, 'hold out', 'id')} AS u FROM t")["u"].to_numpy()
    assert drawn.tobytes() == keyed_uniform(7, "hold out", ids).tobytes()


def test_money_summed_as_decimal_does_not_depend_on_order(tmp_path):
    draw = np.random.default_rng(1)
    amounts = np.concatenate([np.round(draw.normal(0, 1e8, 20_000), 2), [0.1] * 1000])
    engine = Engine(tmp_path)
    sums, floats = set(), set()
    for _ in range(5):
        draw.shuffle(amounts)
        engine.register("t", pa.table({"x": amounts}))
        row = engine.query(f"SELECT {money_sum_sql('x')} AS d, sum(x) AS f FROM t").to_pylist()[0]
        sums.add(row["d"])
        floats.add(row["f"])
    assert len(sums) == 1
    assert len(floats) > 1


def test_an_empty_file_and_columns_of_text_are_met_with_what_helps(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    empty = "SELECT letter_id AS decision_id FROM read_csv('empty.csv')"
    found, _ = checked(tmp_path, decisions=empty, outcomes="SELECT 'a'::VARCHAR * 'b'::VARCHAR AS decision_id")
    step = {finding.source: finding.next_step for finding in found.findings if finding.code == "OP021"}
    assert "whether the file is empty" in step["tables/decisions.sql"]
    assert "amount::DOUBLE" in step["tables/outcomes.sql"]


@pytest.mark.parametrize(
    ("rows", "words"), [(1, "breaks a rule: "), (2, "as does 1 more row: "), (3, "as do 2 more rows: ")]
)
def test_rows_of_one_fault_are_counted_in_english(rows, words, tmp_path):
    events = " UNION ALL ".join([EVENT.replace("'c1'", "NULL::VARCHAR").replace("'e'", f"'e{i}'") for i in range(rows)])
    found, _ = checked(tmp_path, events=f"{EVENT} UNION ALL {events}")
    assert [words in finding.message for finding in found.findings] == [True]


APPLICATIONS = """SELECT * FROM (VALUES ('a1', 'c1', 'o1', TIMESTAMPTZ '2025-01-02', 100.0, 'declined', 'income', 1),
    ('a2', 'c2', 'o2', TIMESTAMPTZ '2025-01-02', -1.0, 'approved', '', 7)) AS t(application_id, customer_id, opportunity_id,
    applied_at, requested_amount, status, reasons, "row")"""


def test_columns_called_reasons_and_row_are_the_lenders(tmp_path):
    found, engine = checked(tmp_path, applications=APPLICATIONS)
    assert [(f.code, f.severity) for f in found.findings] == [("OP033", "warning")]
    kept = engine.query("SELECT * FROM applications").to_pylist()
    assert [(row["application_id"], row["reasons"], row["row"]) for row in kept] == [("a1", "income", 1)]
    (bad,) = pq.read_table(tmp_path / "out/quarantine/applications.parquet").to_pylist()
    assert (bad["application_id"], bad["reasons"], bad["row"], bad["__row"]) == ("a2", "", 7, 2)
    assert bad["__reasons"] == "[OP033] requested_amount must be zero or more"


def test_names_that_the_check_keeps_are_refused(tmp_path):
    found, _ = checked(tmp_path, outcomes=replaced(OUTCOMES, "1.0 AS took_up", '1.0 AS "__Reasons"'))
    assert [(f.code, f.subject) for f in found.findings] == [("OP009", "__Reasons")]


@pytest.mark.parametrize(
    ("table", "sql", "codes", "left"),
    [
        (
            "decisions",
            DECISIONS.replace("SELECT ", "SELECT CASE WHEN slot = '1' AND opportunity_id = 'o1' THEN 1.5 END AS probability, ", 1),
            ["OP035", "OP049"],
            [2, 1, 1],
        ),
        ("opportunities", OPPORTUNITIES.replace("'marketing'", "'marketting'", 1), ["OP034", "OP049", "OP049"], [1, 1, 1]),
    ],
)  # fmt: skip
def test_what_follows_from_a_row_in_quarantine_goes_with_it(table, sql, codes, left, tmp_path):
    found, _ = checked(tmp_path, **{table: sql})
    assert [f.code for f in found.findings] == codes
    assert {f.severity for f in found.findings} == {"warning"}
    assert [found.tables[name].good for name in ("opportunities", "decisions", "outcomes")] == left


@pytest.mark.parametrize(
    ("value", "kept"), [("-100.0", 1), ("'inf'::DOUBLE", 1), ("'nan'::DOUBLE", 2), ("NULL", 2), ("0", 2)]
)
@pytest.mark.parametrize("column", ["amount_lent", "term_months", "interest", "arrears", "balance_years"])
def test_booked_amounts_below_zero_go_to_quarantine_and_unknown_ones_stay(column, value, kept, tmp_path):
    booked = f"1.0 AS took_up, CASE decision_id WHEN 'd1' THEN {value} ELSE 1 END AS {column}"
    found, _ = checked(tmp_path, outcomes=replaced(OUTCOMES, "1.0 AS took_up", booked))
    assert found.tables["outcomes"].good == kept
    assert [f.message for f in found.findings] == (2 - kept) * [f"breaks a rule: {column} must be zero or more"]
