"""Horizon: a plan that sees what checkout will need leaves room for it, and tells the list from the forecast."""

import json
import shutil
from collections import Counter

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.allocation import allocate
from opportune.cli.app import status_of
from opportune.decisioning import candidates
from opportune.domain import AsOf, BadInput, Limit
from opportune.project import Project
from opportune.tables import Engine
from opportune.workflow.forecast_rows import forecast_rows
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.horizon import see
from opportune.workflow.horizon_told import HorizonTold
from opportune.workflow.plan import read_rulebook

FORECAST = """
SELECT TIMESTAMPTZ '2025-03-03' + INTERVAL 7 DAY * i AS week, 'checkout' AS surface, band AS segment, n AS opportunities
FROM range(4) AS t(i), (VALUES ('A', 120.4), ('B', 80.3)) AS s(band, n)
"""
LETTERS = '[objective]\nmaximise = "value"\n\n[horizon]\nsegment = "band"\n\n[[limit]]\nname = "letters"\nuses = "contacts"\nat_most = 1000\n'


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def learned(small_run, tmp_path_factory):
    """The small project with a second surface, checkout, last seen in February and forecast for March, trained."""
    directory = tmp_path_factory.mktemp("ahead") / "project"
    shutil.copytree(small_run.settings.directory, directory, ignore=shutil.ignore_patterns("out"))
    surface = "CASE WHEN sent_at = DATE '2025-02-15' THEN 'checkout' ELSE 'mail' END AS surface"
    edit(directory / "tables/opportunities.sql", "'mail' AS surface", surface)
    edit(directory / "offers.toml", '["mail"]', '["mail", "checkout"]')
    (directory / "tables/forecast.sql").write_text(FORECAST)
    (directory / "limits.toml").write_text(LETTERS)
    Project.open(directory).train()
    return directory


@pytest.fixture
def ahead(learned, tmp_path):
    """A copy of it, free to be changed."""
    return shutil.copytree(learned, tmp_path / "ahead")


def add(directory, text):
    with (directory / "limits.toml").open("a") as file:
        file.write(text)


def total(told, resource):
    return told.listed.uses[resource] + sum(part.uses[resource] for part in told.forecast)


def seen(project):
    """What the plan of a project sees, with the list's own candidates."""
    settings, out = project.settings, project.out
    engine, rulebook = open_tables(out, settings.directory), read_rulebook(settings, out)
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    return see(settings, out, engine, rulebook, batch, facts), candidates(batch, facts, rulebook)


def test_the_list_leaves_what_the_forecast_needs_and_both_are_worth_more_than_one_after_the_other(ahead):
    alone = Project.open(ahead).plan()
    assert alone.certificate.rows[0].used == 1000
    assert alone.horizon is None
    assert not (ahead / "out/plan/horizon.json").exists()
    project = Project.open(ahead, horizon="4w")
    both = project.plan()
    assert both.certificate.ahead == 803
    assert both.certificate.opportunities == 2803
    assert "(803 of them forecast)" in both.certificate.title()
    assert both.horizon.listed.uses["contacts"] < 1000
    coming = seen(project)[0].everyone.rows(slice(2000, None))
    left = 1000 - alone.certificate.rows[0].used
    later = allocate(coming, [Limit(name="letters", uses="contacts", at_most=left)])
    assert both.certificate.value > alone.certificate.value + later.certificate.value
    # With the list fixed as it is planned with the forecast, checkout alone can do no better than was planned for it.
    rest = Limit(name="letters", uses="contacts", at_most=1000 - both.horizon.listed.uses["contacts"])
    best = allocate(coming, [rest]).certificate.value
    assert best == pytest.approx(sum(part.value for part in both.horizon.forecast), rel=2e-4)


def test_the_tables_are_of_the_list_and_the_parts_add_up_to_the_certificate(ahead):
    project = Project.open(ahead, horizon="4w")
    planned = project.plan()
    told = planned.horizon
    for name in ("plan", "candidates", "probabilities", "relaxed"):
        ids = set(pq.read_table(project.out / f"plan/{name}.parquet")["opportunity_id"].to_pylist())
        assert ids
        assert all(each.startswith("l2") for each in ids)
    choices = planned.choices
    assert choices.num_rows == told.listed.opportunities == 2000
    assert sum(choices["value"].to_pylist()) == pytest.approx(told.listed.value, rel=1e-12)
    assert sum(each != "NO_OFFER" for each in choices["offer_id"].to_pylist()) == told.listed.offered
    parts = [told.listed, *told.forecast]
    assert sum(part.value for part in parts) == pytest.approx(planned.certificate.value, rel=1e-12)
    assert sum(part.offered for part in parts) == planned.certificate.offered
    assert sum(part.opportunities for part in parts) == planned.certificate.opportunities
    assert total(told, "contacts") == planned.certificate.rows[0].used
    assert told.rows == {"letters": told.listed.uses["contacts"]}
    assert "the list and the forecast together" in json.loads((project.out / "plan/horizon.json").read_text())["says"]


def test_a_limit_of_a_week_and_one_by_surface_have_a_row_for_each_value_of_the_forecast(ahead):
    add(
        ahead,
        '\n[[limit]]\nname = "a week"\nuses = "contacts"\nat_most = 60\nperiod = "week"\nwhere = "surface = \'checkout\'"\n',
    )
    add(
        ahead,
        '\n[[limit]]\nname = "rate"\nuses = "expected_loss"\nper = "amount_lent"\nat_most = 0.042\nby = "surface"\n',
    )
    planned = Project.open(ahead, horizon="4w").plan()
    rows = {row.name: row for row in planned.certificate.rows}
    told = planned.horizon
    for week in ("2025-03-03", "2025-03-10", "2025-03-17", "2025-03-24"):
        spent = sum(part.uses["contacts"] for part in told.forecast if part.week == week)
        assert rows[f"a week [{week}]"].used == spent <= 60
    lost, lent = (sum(part.uses[name] for part in told.forecast) for name in ("expected_loss", "amount_lent"))
    assert rows["rate [checkout]"].used == pytest.approx(lost / lent, rel=1e-12)
    assert told.rows["rate [mail]"] == pytest.approx(rows["rate [mail]"].used, rel=1e-12)
    assert set(told.rows) == {"letters", "rate [mail]"}


def test_the_evidence_and_the_report_are_about_the_list(ahead):
    add(ahead, '\n[[limit]]\nname = "loss a week"\nuses = "expected_loss"\nat_most = 9000\nperiod = "week"\n')
    edit(ahead / "limits.toml", 'segment = "band"', 'segment = "band"\nweeks = 4')
    project = Project.open(ahead)
    assert project.run()["plan"]["ahead"] == 803
    told = project.planned().horizon
    rows = {row["limit"]: row for row in project.evidence()["planned_against_realised"]}
    assert set(rows) == {"letters", "loss a week [2025-02-24]"}
    assert rows["letters"]["planned"] == rows["letters"]["realised"] == told.listed.uses["contacts"]
    page = (project.out / "reports/portfolio.html").read_text()
    assert f"The plan reaches {told.listed.offered:,.0f} of 2,000 customers" in page
    assert "The plan looks 4 weeks ahead: 803 of its" in page


def test_exploring_a_margin_a_holdout_and_a_frontier_go_with_a_horizon(ahead):
    add(ahead, '\n[[limit]]\nname = "loss"\nuses = "expected_loss"\nat_most = 9000\nmargin = 1.0\n')
    add(ahead, '\n[exploration]\nfloor = 0.03\nbudget = 200.0\nstandard = "standard"\nholdout = 0.1\n')
    add(ahead, '\n[frontier]\nlimit = "letters"\nbounds = [500, 1000]\n')
    project = Project.open(ahead, horizon="4w")
    planned = project.plan()
    certificate, told = planned.certificate, planned.horizon
    assert certificate.explored.opportunities > 0
    assert sum(part.value for part in (told.listed, *told.forecast)) == pytest.approx(certificate.value, rel=1e-9)
    assert total(told, "expected_loss") == pytest.approx(certificate.rows[1].used, rel=1e-9)
    assert certificate.rows[1].margin > 0.0
    # What is only expected is not tried: it gets an offer wholly or not at all.
    assert all(part.offered == round(part.offered) for part in told.forecast)
    assert told.listed.offered != round(told.listed.offered)
    assert 0 < planned.holdout["customers"] < 400
    frontier = json.loads((project.out / "plan/frontier.json").read_text())["points"]
    assert len(frontier) == 2
    probabilities = pq.read_table(project.out / "plan/probabilities.parquet")
    assert len(set(probabilities["opportunity_id"].to_pylist())) == 2000


def kinds(batch, facts, rows):
    """How often each mixture of features and context occurs among some rows."""
    columns = [*facts.values.values(), *batch.context.values()]
    return Counter(tuple(str(column[row]) for column in columns) for row in rows)


def test_expected_opportunities_are_like_those_that_were_each_in_its_turn(ahead):
    tables = pq.read_table(ahead / "out/tables/opportunities.parquet").to_pylist()
    in_a = sum(row["surface"] == "checkout" and row["band"] == "A" for row in tables)
    edit(ahead / "tables/forecast.sql", "120.4", str(3 * in_a / 4))
    project = Project.open(ahead, horizon="4w")
    project.plan()
    found, of_list = seen(project)
    np.testing.assert_array_equal(found.everyone.value[:2000], of_list.value)
    ids = found.everyone.opportunity_id
    assert ids[2000] == "forecast 2025-03-03 checkout A #1"
    assert len(set(ids)) == len(ids)
    np.testing.assert_array_equal(ids[2000:], found.everyone.customer_id[2000:])
    then = AsOf.parse("2025-02-15")
    batch = opportunities_at(open_tables(project.out, ahead), then, context_columns(project.settings))
    facts = read_facts(project.out, list(project.settings.features), batch.opportunity_id, then)
    was = kinds(batch, facts, np.flatnonzero(batch.context["band"] == "A"))
    comes = kinds(found.batch, found.facts, [row for row, each in enumerate(ids) if " checkout A #" in each])
    assert comes == Counter({kind: 3 * count for kind, count in was.items()})
    value = candidates(batch, facts, read_rulebook(project.settings, project.out)).value
    assert {tuple(row) for row in found.everyone.value[2000:]} <= {tuple(row) for row in value}


def test_running_totals_are_rounded_so_no_run_of_weeks_is_off_by_one(tmp_path):
    import pyarrow as pa

    engine = Engine(tmp_path)
    weeks = np.datetime64("2025-03-03", "us") + np.arange(13) * np.timedelta64(7, "D")
    expected = np.random.default_rng(3).uniform(0.0, 2.0, 13)
    columns = {"surface": ["checkout"] * 13, "segment": ["A"] * 13, "opportunities": expected}
    engine.register("forecast", pa.table({"week": pa.array(weeks, pa.timestamp("us", tz="UTC")), **columns}))
    for start, count in (("2025-03-03", 13), ("2025-03-05T10:00:00", 12), ("2025-03-02", 5)):
        rows = forecast_rows(engine, AsOf.parse(start), count)
        first = next(i for i, week in enumerate(weeks) if week >= np.datetime64(start))
        assert [row.week for row in rows] == [str(week)[:10] for week in weeks[first : first + count]]
        running = np.cumsum([row.opportunities for row in rows])
        assert np.all(np.abs(running - np.cumsum(expected[first : first + count])) <= 0.5 + 1e-9)


def test_a_diff_says_that_limits_are_of_list_and_forecast_and_customers_of_the_list(ahead, capsys):
    Project.open(ahead).plan()
    Project.open(ahead, out=ahead / "both", horizon="4w").plan()
    assert status_of(["diff", str(ahead / "out"), str(ahead / "both")]) == 0
    said = capsys.readouterr().out
    assert "horizon.weeks: 0 -> 4" in said
    assert "of 2,000 customers get another offer" in said
    words = "Limits are of the list and the forecast together, 0 forecast opportunities before and 803 after."
    assert words in said.replace("\n", " ")
    assert words in (ahead / "both/reports/diff.html").read_text().replace("\n", " ")


@pytest.mark.parametrize("text", ["13", "13 weeks", "w", "-1w", "1.5w", "", "3m", "13W"])
def test_a_horizon_that_is_none_is_refused_in_words(ahead, text):
    with pytest.raises(BadInput, match=rf"OP836.*{text!r}: expected a number of weeks such as 13w"):
        Project.open(ahead, horizon=text)


def test_no_weeks_ahead_is_a_plan_of_the_list_alone(small, ahead):
    assert Project.open(small, horizon="0w").settings.horizon is None
    edit(ahead / "limits.toml", 'segment = "band"', 'segment = "band"\nweeks = 4')
    assert Project.open(ahead).plan().certificate.ahead == 803
    assert Project.open(ahead, horizon="0w").plan().certificate.ahead == 0


def test_a_project_that_cannot_look_ahead_is_refused(small, ahead):
    with pytest.raises(BadInput, match=r"OP837.*horizon.*expected the column"):
        Project.open(small, horizon="4w")
    (ahead / "tables/forecast.sql").unlink()
    with pytest.raises(BadInput, match=r"tables/forecast\.sql.*OP837.*4 weeks ahead"):
        Project.open(ahead, horizon="4w")
    edit(ahead / "limits.toml", 'segment = "band"', 'segment = "Age"')
    with pytest.raises(BadInput, match=r"OP838.*protected or a proxy"):
        Project.open(ahead)


@pytest.mark.parametrize(
    ("file", "old", "new", "match"),
    [
        (
            "tables/forecast.sql",
            "('B', 80.3)",
            "('C', 80.3)",
            r"OP841.*surface 'checkout', segment 'C'.*there are checkout A, checkout B",
        ),
        ("tables/forecast.sql", "'checkout'", "'till'", r"OP841.*surface 'till', segment 'A'"),
        (
            "offers.toml",
            '["mail", "checkout"]',
            '["mail"]',
            r"OP841.*checkout.*surface that offers\.toml does not name",
        ),
        ("tables/forecast.sql", "range(4)", "range(2)", r"OP839.*2 of 4 weeks \(2025-03-17, 2025-03-24\)"),
        ("limits.toml", '"band"', '"bands"', r"OP838.*'bands': expected a column"),
        ("limits.toml", '"band"', '"surface"', r"OP838.*'surface': expected a column"),
        ("tables/forecast.sql", "2025-03-03", "2025-03-04", r"OP039.*Monday"),
        ("tables/forecast.sql", "80.3", "-1", r"OP033.*opportunities must be zero or more"),
        ("tables/forecast.sql", "120.4", "1e-3 / 0", r"OP03[23].*opportunities"),
    ],
)
def test_a_forecast_that_cannot_be_planned_is_refused(ahead, file, old, new, match):
    edit(ahead / file, old, new)
    with pytest.raises(BadInput, match=match):
        Project.open(ahead, horizon="4w").plan()


def test_nobody_expected_of_a_kind_that_never_was_is_no_fault(ahead):
    edit(ahead / "tables/forecast.sql", "('B', 80.3)", "('C', 0)")
    told = Project.open(ahead, horizon="4w").plan().horizon
    assert {part.opportunities for part in told.forecast if part.segment == "C"} == {0}


def test_the_command_prints_a_line_a_week_and_one_object_for_machines(ahead, capsys):
    assert status_of(["plan", str(ahead), "--horizon", "4w"]) == 0
    said = capsys.readouterr().out
    assert "Ahead: 4 weeks. Status, value and limits above are of the list and the forecast together" in said
    lines = {line.split("  ")[0]: line.split() for line in said.splitlines()}
    assert {"the list", "2025-03-03", "2025-03-10", "2025-03-17", "2025-03-24", "all"} <= set(lines)
    assert status_of(["plan", str(ahead), "--horizon", "4w", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["horizon"]
    assert msgspec.convert(told, HorizonTold) == Project.open(ahead, horizon="4w").plan().horizon
    assert status_of(["plan", str(ahead), "--horizon", "soon"]) == 2
    assert "'soon': expected a number of weeks" in capsys.readouterr().err
