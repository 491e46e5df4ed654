"""The files that SQL names are noticed when they change, wherever they lie and however they are quoted."""

import pytest

from opportune.workflow.inputs import sql_inputs, table_inputs


@pytest.fixture
def project(tmp_path):
    for folder in ("project/tables", "project/data", "lake"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("project/data/a.csv", "project/data/b.csv", "lake/a.csv"):
        (tmp_path / file).write_text("x\n1\n")
    return tmp_path / "project"


def named(project, sql):
    (project / "tables" / "events.sql").write_text(sql)
    return {path: digest for path, digest in table_inputs(project).items() if not path.endswith(".sql")}


@pytest.mark.parametrize(
    ("sql", "paths"),
    [
        ("FROM read_csv('data/a.csv')", ["data/a.csv"]),
        ('FROM "data/a.csv"', ["data/a.csv"]),
        ("FROM $$data/a.csv$$", ["data/a.csv"]),
        ("FROM 'data/*.csv'", ["data/a.csv", "data/b.csv"]),
        ("FROM '../lake/a.csv'", ["../lake/a.csv"]),
        ("FROM '../lake/*.csv'", ["../lake/a.csv"]),
        ("SELECT 'data', '..', '/', '*', '', '~' FROM range(3)", []),
        ("FROM 'data/missing.csv'", []),
    ],
)
def test_a_file_is_known_by_what_the_sql_calls_it(sql, paths, project):
    assert sorted(named(project, sql)) == paths


def test_a_path_from_the_root_is_seen(project):
    path = str(project.parent / "lake" / "a.csv")
    assert list(named(project, f"FROM '{path}'")) == [path]


@pytest.mark.parametrize("sql", ["FROM '../lake/a.csv'", "FROM '{}/a.csv'", 'FROM "../lake/a.csv"'])
def test_a_change_outside_the_project_is_noticed(sql, project):
    lake = project.parent / "lake"
    before = named(project, sql.format(lake))
    (lake / "a.csv").write_text("x\n2\n")
    after = named(project, sql.format(lake))
    assert before.keys() == after.keys()
    assert before != after


def test_the_files_of_limits_are_seen_the_same_way(project):
    (project / "tables" / "amounts.sql").write_text('FROM "../lake/a.csv"')
    found = sql_inputs(project, ["tables/amounts.sql", "tables/not-there.sql"])
    assert sorted(found) == ["../lake/a.csv", "tables/amounts.sql"]
