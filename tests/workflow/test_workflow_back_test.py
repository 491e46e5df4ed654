"""The back-test: lists of the past planned with what was known then, whatever came later."""

import csv
import hashlib
import json
import shutil

import msgspec
import pyarrow.parquet as pq
import pytest

from opportune.cli.app import status_of
from opportune.domain import AsOf
from opportune.project import Project
from opportune.tables import CONTRACTS, Engine
from opportune.workflow.frames import open_tables
from opportune.workflow.known_then import write_known

FEBRUARY, MARCH = "2025-02-15", "2025-03-01"


def change_letters(directory, change):
    """Rewrite data/letters.csv, each row by ``change``."""
    path = directory / "data" / "letters.csv"
    with path.open(newline="") as file:
        rows = [change(row) or row for row in csv.DictReader(file)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def soon_known(row):
    """Outcomes of January are known by the February list, and those of February by the March list."""
    row["observed_until"] = {"2025-01-15": "2025-02-10", FEBRUARY: "2025-02-28"}.get(row["sent_at"], "2025-03-20")


def files(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def rolled(small_run, tmp_path_factory):
    directory = tmp_path_factory.mktemp("rolled") / "project"
    shutil.copytree(small_run.settings.directory, directory, ignore=shutil.ignore_patterns("out"))
    change_letters(directory, soon_known)
    project = Project.open(directory)
    return project, project.back_test()


def folder(project, at):
    return project.out / "back-test" / f"{at}T000000Z"


def test_each_list_is_planned_with_what_was_known_then_and_judged_on_what_is_known_now(rolled):
    project, told = rolled
    january, february, march = told["lists"]
    assert [one["at"][:10] for one in told["lists"]] == ["2025-01-15", FEBRUARY, MARCH]
    assert january["planned"] is None
    assert "OP806" in january["why_not"]
    assert (february["planned"]["taught_by"] + february["planned"]["not_yet_known"]) <= 2000
    assert 3000 < march["planned"]["taught_by"] <= 4000
    for one in (february, march):
        assert one["why_not"] is None
        assert one["judged"]["rows"] == 2000
        difference = next(row for row in one["judged"]["estimates"] if row["against"] == "standard")
        assert difference["low"] < difference["value"] < difference["high"]
    assert sum(told["shown"][0][word] for word in ("more", "less", "nothing")) == 2
    usual = json.loads((project.out / "evidence" / "back-test.json").read_text())
    assert usual == told


def test_the_last_list_is_planned_as_the_project_itself_would(rolled):
    project, _ = rolled
    same = Project.open(project.settings.directory, out=project.out.parent / "direct")
    time = msgspec.structs.replace(same.settings.time, labels_as_of="2025-03-01T00:00:00Z")
    same.settings = msgspec.structs.replace(same.settings, time=time)
    planned = same.plan().choices
    again = pq.read_table(folder(project, MARCH) / "plan" / "plan.parquet")
    assert planned["offer_id"].to_pylist() == again["offer_id"].to_pylist()


def later_told_otherwise(row):
    """Turn every outcome of letters sent from February on."""
    if row["sent_at"] >= FEBRUARY:
        taken = row["took_up"] == "1"
        row["took_up"] = "0" if taken else "1"
        amounts = ("", "", "") if taken else ("5000.0", "12", "4000.0")
        row["amount_lent"], row["term_months"], row["arrears"] = amounts


def test_nothing_that_came_later_moves_an_earlier_plan(rolled, tmp_path):
    """All later outcomes are turned, later letters repriced, a later purchase and a later score are added."""
    project, _ = rolled
    directory = tmp_path / "project"
    shutil.copytree(project.settings.directory, directory, ignore=shutil.ignore_patterns("out", "direct"))
    change_letters(directory, later_told_otherwise)
    change_letters(directory, lambda row: row | {"monthly_rate_pp": "0.9"} if row["sent_at"] > FEBRUARY else None)
    with (directory / "data" / "events.csv").open("a") as file:
        file.writelines(f"late-{i},c1{i:04d},2025-02-10,2025-02-16,purchase,900.0\n" for i in range(2000))
    with (directory / "data" / "customers.csv").open("a") as file:
        file.writelines(f"c1{i:04d},2025-02-16,300.0,40\n" for i in range(2000))
    other = Project.open(directory)
    told = other.back_test()["lists"]
    for part in ("features", "models", "offers", "plan"):
        assert files(folder(other, FEBRUARY) / part) == files(folder(project, FEBRUARY) / part), part
    assert files(folder(other, MARCH) / "plan") != files(folder(project, MARCH) / "plan")
    assert told[1]["judged"]["estimates"] != project.back_test()["lists"][1]["judged"]["estimates"]


def test_a_cut_keeps_what_had_arrived_and_nothing_else(rolled, tmp_path):
    project, _ = rolled
    engine = open_tables(project.out, project.settings.directory)
    write_known(engine, AsOf.parse(FEBRUARY), tmp_path)
    cut = open_tables(tmp_path.parent / "none", tmp_path)
    for path in sorted(tmp_path.glob("*.parquet")):
        cut.register(path.stem, pq.read_table(path))
    latest = {
        "customers": "max(known_from)", "events": "max(greatest(event_time, arrived_at))", "opportunities": 'max("at")',
        "outcomes": "max(observed_until)",
    }  # fmt: skip
    for table, sql in latest.items():
        last = cut.query(f"SELECT {sql} AS last FROM {table}")["last"][0].as_py()
        assert AsOf(last) <= AsOf.parse(FEBRUARY), table
    assert AsOf(cut.query("SELECT max(decided_at) AS last FROM decisions")["last"][0].as_py()) < AsOf.parse(FEBRUARY)
    counts = {
        name: (
            engine.query(f"SELECT count(*) AS n FROM {name}")["n"][0].as_py(),
            cut.query(f"SELECT count(*) AS n FROM {name}")["n"][0].as_py(),
        )
        for name in ("opportunities", "decisions", "outcomes")
    }
    assert counts == {"opportunities": (6000, 4000), "decisions": (6000, 2000), "outcomes": (6000, 2000)}


def test_a_back_test_is_reused_and_does_not_disturb_the_evidence(rolled):
    project, _ = rolled
    project.evaluate()
    project.back_test()
    assert all(run.reused for run in project.runs)
    project.evaluate()
    assert all(run.reused for run in project.runs)


def test_the_command_tells_each_list(rolled, capsys):
    project, _ = rolled
    assert status_of(["evaluate", str(project.settings.directory), "--back-test"]) == 0
    said = capsys.readouterr().out
    assert "Back-test" in said
    assert "2025-01-15: opportune.toml" in said
    assert status_of(["evaluate", str(project.settings.directory), "--back-test", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["back_test"]["lists"]) == 3


def test_declared_instants_are_the_lists(rolled, small):
    path = small / "evidence.toml"
    path.write_text(path.read_text().replace("folds = 5", 'folds = 5\nback_test = ["2025-02-15", "2025-02-16"]'))
    told = Project.open(small).back_test()["lists"]
    assert [one["at"][:10] for one in told] == ["2025-02-15", "2025-02-16"]
    assert all(one["why_not"] for one in told)  # outcomes are known after 240 days, and nobody was listed on the 16th


@pytest.mark.parametrize(
    ("table", "happened", "others"),
    [
        ("customers", "known_from", ""),
        ("events", "event_time", ", 'c' AS customer_id"),
        (
            "applications",
            "applied_at",
            ", 'c' AS customer_id, 'o' AS opportunity_id, 1 AS requested_amount, '' AS status",
        ),
        ("loans", "originated_at", ", 'c' AS customer_id, 1 AS principal"),
    ],
)
def test_whatever_arrived_later_than_it_happened_is_not_known_before(table, happened, others, tmp_path):
    key = CONTRACTS[table].key[0]
    early, late = f"TIMESTAMPTZ '{FEBRUARY}' - INTERVAL 9 DAY", f"TIMESTAMPTZ '{MARCH}'"
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS {key}, {at} AS {happened}, {arrived} AS arrived_at{others}"
        for name, at, arrived in (("there", early, early), ("on its way", early, late), ("to come", late, late))
    )
    engine = Engine(tmp_path)
    engine.register(table, engine.query(rows))
    write_known(engine, AsOf.parse(FEBRUARY), tmp_path)
    assert pq.read_table(tmp_path / f"{table}.parquet")[key].to_pylist() == ["there"]


def test_an_opening_is_read_from_what_was_known_then_and_from_no_file(small_run, tmp_path):
    """A file may hold what came later; tables are cut. So an opening of the list's own take-ups is none."""
    directory = tmp_path / "project"
    shutil.copytree(small_run.settings.directory, directory, ignore=shutil.ignore_patterns("out"))
    change_letters(directory, soon_known)
    limits = directory / "limits.toml"
    limits.write_text(limits.read_text().replace("at_most = 1000", "at_most = 1000\nopening = 'opening.sql'", 1))
    opening = directory / "opening.sql"
    opening.write_text(f"SELECT count(*) AS used FROM read_csv('data/letters.csv') WHERE sent_at >= '{MARCH}'")
    told = Project.open(directory).back_test()
    assert {each["planned"] for each in told["lists"]} == {None}
    assert all("[OP849] reads a file where tables alone" in each["why_not"] for each in told["lists"])
    opening.write_text("SELECT count(*) / 100 AS used FROM decisions")  # and an edited file is read again
    offered = {
        each["at"][:10]: each["planned"]["offered"]
        for each in Project.open(directory).back_test()["lists"]
        if each["planned"]
    }
    assert offered == {FEBRUARY: 1000 - 20, MARCH: 1000 - 40}  # of 6,000 decisions that there are today
