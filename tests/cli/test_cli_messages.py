"""What a stranger meets: exit statuses, messages with file and key, nothing half written."""

import json
import shutil
import subprocess
import sys

import pytest

from opportune.cli.app import status_of, told


def run(*arguments):
    """Run the command line in this process; return the exit status."""
    return status_of([str(each) for each in arguments])


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def append(path, text):
    path.write_text(f"{path.read_text()}\n{text}\n")


CASES = {
    "outcome in opportunities": (
        lambda p: edit(p / "tables/opportunities.sql", "band, branch", "band, branch, took_up"), 2, ["[OP008]", "took_up"],
    ),
    "limit that cannot hold": (
        lambda p: edit(p / "limits.toml", "at_most = 1000", "at_least = 99999"), 1, ["[OP510]", "can be reached", "set at_least"],
    ),
    "no policy": (
        lambda p: (p / "evidence.toml").write_text((p / "evidence.toml").read_text().split("[[policy]]")[0]), 2, ["[OP812]", "[OP813]"],
    ),
    "policy twice": (lambda p: edit(p / "evidence.toml", 'name = "logged"', 'name = "standard"'), 2, ["[OP809]", "'standard'"]),
    "rank by an unknown feature": (
        lambda p: edit(p / "evidence.toml", 'kind = "as_logged"\nsays', 'kind = "as_logged"\nrank_by = "scor"\nsays'), 2, ["[OP804]", "'scor'"],
    ),
    "rank by text": (
        lambda p: edit(p / "evidence.toml", 'kind = "as_logged"\nsays', 'kind = "as_logged"\nrank_by = "band"\nsays'), 2, ["[OP814]", "'band'"],
    ),
    "subset that is no SQL": (
        lambda p: append(p / "evidence.toml", '[[subset]]\nname = "s"\nwhere = "not ="\nsays = "x"'), 2, ["evidence.toml:", "[OP020]"],
    ),
    "two subsets of one name": (
        lambda p: append(p / "evidence.toml", 2 * '[[subset]]\nname = "s"\nwhere = "true"\nsays = "x"\n'), 2, ["[OP809]", "subset 's'"],
    ),
    "fairness on a missing column": (lambda p: edit(p / "evidence.toml", "age < 40", "agee < 40"), 2, ["evidence.toml:12:1 [OP021]"]),
    "nobody eligible": (
        lambda p: edit(p / "tables/customers.sql", "score, age", "'nan'::DOUBLE AS score, age"), 2, ["[OP830]", "0 pass", "2000 customers"],
    ),
    "null cluster": (lambda p: edit(p / "tables/opportunities.sql", "branch", "nullif(branch, branch) AS branch"), 2, ["[OP818]", "branch"]),
    "one cluster": (lambda p: edit(p / "tables/opportunities.sql", "branch", "'b' AS branch"), 2, ["[OP313]", "cluster"]),
    "null price": (
        lambda p: edit(p / "tables/decisions.sql", "monthly_rate_pp", "nullif(monthly_rate_pp, monthly_rate_pp) AS monthly_rate_pp"),
        2, ["[OP608]", "monthly_rate_pp"],
    ),
    "another objective": (lambda p: edit(p / "limits.toml", '"value"', '"profit"'), 2, ["limits.toml:4:", "[OP013]", "'value'"]),
    "a condition that looks elsewhere": (
        lambda p: edit(p / "features.toml", "kind = 'purchase'", "amount > (SELECT avg(arrears) FROM outcomes)"), 2, ["[OP109]"],
    ),
    "too few replicates": (lambda p: edit(p / "evidence.toml", "replicates = 500", "replicates = 5"), 2, ["[OP014]", "at least 100"]),
    "missing cluster": (lambda p: edit(p / "opportune.toml", 'cluster = "branch"', 'cluster = "brnch"'), 2, ["[OP816]", "brnch", "branch"]),
    "missing stratum": (lambda p: edit(p / "tables/decisions.sql", "AS stratum", "AS stratm"), 2, ["[OP816]", "stratum"]),
    "null stratum": (
        lambda p: edit(p / "tables/decisions.sql", "band || ' ' || sent_at::DATE AS", "NULL::VARCHAR AS"), 2, ["[OP817]", "4000 decisions"],
    ),
    "text where a number is compared": (
        lambda p: edit(p / "tables/customers.sql", "score, age", "'x' || score AS score, age"), 2, ["[OP206]", "'score'"],
    ),
    "negative arrears": (
        lambda p: edit(p / "tables/outcomes.sql", ", arrears", ", -arrears AS arrears"), 2, ["[OP312]", "warning: tables/outcomes.sql [OP033]", "arrears must be zero or more"],
    ),
    "a feature called as the price": (
        lambda p: append(p / "features.toml", '[monthly_rate_pp]\ncontext = "band"\nmissing = "never"'),
        2, ["features.toml:33:1 [OP809]", "price term"],
    ),
    "a feature called as its key": (
        lambda p: append(p / "features.toml", '[opportunity_id]\ncontext = "band"\nmissing = "never"'), 2, ["features.toml:33:1 [OP009]"],
    ),
    "a feature in other capitals": (
        lambda p: append(p / "features.toml", '[Score]\ncontext = "band"\nmissing = "never"'), 2, ["features.toml:33:1 [OP809]", "capitals"],
    ),
    "an offer that is none": (lambda p: edit(p / "offers.toml", '"step_2"]', '"NO_OFFER"]'), 2, ["offers.toml:11:1 [OP201]", "NO_OFFER"]),
    "an offer that has expired": (
        lambda p: edit(p / "offers.toml", "days = 30", "days = -3"), 2, ["offers.toml:5:1 [OP014]", "expires_after_days", "1 to 3650"],
    ),
    "an offer for ever": (lambda p: edit(p / "offers.toml", "days = 30", "days = 99999999999"), 2, ["offers.toml:5:1 [OP014]", "1 to 3650"]),
    "a look-back beyond all time": (
        lambda p: edit(p / "features.toml", "= 365", "= 999999999999"), 2, ["features.toml:13:1 [OP104]", "1 to 36500 days"],
    ),
    "an infinite feature": (
        lambda p: edit(p / "tables/customers.sql", "score, age", "'inf'::DOUBLE AS score, age"), 2, ["features.toml:9:1 [OP111]", "score", "infinite"],
    ),
    "a sign that is none": (
        lambda p: edit(p / "models.toml", "monotone = { monthly_rate_pp = -1 }", "monotone = { monthly_rate_pp = -2 }"),
        2, ["models.toml:", "[OP013]", "monthly_rate_pp is -2: expected one of -1, 1"],
    ),
    "unknown engine": (lambda p: edit(p / "opportune.toml", '"duckdb"', '"duckbd"'), 2, ["[OP013]", "expected one of 'duckdb'"]),
    "a number for a list": (lambda p: (p / "limits.toml").write_text("limit = 5\n"), 2, ["[OP011]", "[[limit]]"]),
    "a file without SQL": (lambda p: (p / "tables/events.sql").write_text("-- later\n"), 2, ["[OP026]", "no statement"]),
}  # fmt: skip


def test_a_plan_without_limits_is_a_plan(small):
    (small / "limits.toml").write_text("")
    assert run("run", small) == 0


def test_files_that_begin_with_a_mark_of_their_encoding_are_read(small, capsys):
    for path in [*small.glob("*.toml"), *small.glob("tables/*.sql")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run("check", small) == 0
    edit(small / "limits.toml", "at_most = 1000", "at_mots = 1000")
    assert run("check", small) == 2
    assert "limits.toml:9:1 [OP012] at_mots" in capsys.readouterr().err


def test_sql_that_writes_is_refused_unread(small, tmp_path, capsys):
    target = tmp_path / "written.csv"
    (small / "tables/events.sql").write_text(f"COPY (SELECT 1) TO '{target}'")
    assert run("check", small) == 2
    assert "[OP026]" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("limits.toml", "at_most = 0.05", "at_least = 0.9"),
        ("opportune.toml", '"2025-03-01"         #', "2025-03-01         #"),
    ],
)
def test_odd_but_possible_projects_run(file, old, new, small):
    """A ratio that only an empty plan keeps, a date without quotes: none of them is a fault."""
    edit(small / file, old, new)
    assert run("run", small) == 0


@pytest.mark.parametrize("case", CASES)
def test_a_broken_project_is_answered_in_plain_words(case, small, capsys):
    break_it, status, words = CASES[case]
    break_it(small)
    assert run("run", small) == status
    said = capsys.readouterr().err
    assert [word for word in words if word not in said] == []
    assert "Next:" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 12
    assert not (small / "out" / "summary.json").exists()
    assert list(small.rglob(".*.tmp")) == []


def test_all_problems_are_told_in_one_go(small, capsys):
    edit(small / "limits.toml", "at_most = 1000", "at_mots = 1000")
    edit(small / "features.toml", "look_back_days = 90", 'look_back_days = "90"')
    edit(small / "economics.toml", "[funding]", "[fundign]")
    assert run("check", small) == 2
    said = capsys.readouterr().err
    assert all(code in said for code in ("[OP012]", "[OP013]", "[OP401]"))


def test_a_check_tells_settings_and_tables_in_one_go(small, capsys):
    edit(small / "limits.toml", "at_most = 1000", "at_mots = 1000")
    edit(small / "tables/customers.sql", "score, age", "scroe, age")
    edit(small / "tables/outcomes.sql", "observed_until::TIMESTAMPTZ", "observed_until::TIMESTAMPTZ - INTERVAL 300 DAY")
    assert run("check", small) == 2
    said = capsys.readouterr().err
    assert all(code in said for code in ("[OP012]", "[OP021]", "[OP041]"))
    assert not (small / "out").exists()


def test_warnings_are_told_with_errors_and_after_them(small, capsys):
    edit(
        small / "tables/opportunities.sql",
        "'marketing'",
        "CASE letter_id WHEN 'l20001' THEN 'Marketing' ELSE 'marketing' END",
    )
    edit(small / "tables/events.sql", "SELECT event_id", "SELECT nullif(event_id, 'e-c00000') AS event_id")
    assert run("check", small) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert "[OP032]" in first
    assert [line.split("]")[0] for line in others] == [
        "warning: tables/opportunities.sql [OP034", "warning: tables/decisions.sql [OP049", "warning: tables/outcomes.sql [OP049",
    ]  # fmt: skip
    assert run("check", small, "--json") == 2
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["severity"] for finding in findings] == ["error", *3 * ["warning"]]


def test_a_warning_of_the_tables_is_told_beside_an_error_of_the_settings(small, capsys):
    edit(small / "tables/events.sql", "arrived_at::TIMESTAMPTZ", "nullif(arrived_at, '2025-02-10')::TIMESTAMPTZ")
    edit(small / "opportune.toml", '["age"]', '["agee"]')
    assert run("check", small) == 2
    said = capsys.readouterr().err
    assert said.index("[OP831]") < said.index("warning: tables/events.sql [OP032]")


def test_a_plan_that_offers_nothing_is_printed_with_a_warning(small_run, tmp_path, capsys):
    directory = shutil.copytree(small_run.settings.directory, tmp_path / "project")
    assert run("plan", directory, "--set", "limits.letters.at_most=0") == 0
    assert "\nwarning: plan [OP843] offers nothing to any of 2,000 opportunities" in capsys.readouterr().out
    assert run("plan", directory, "--set", "limits.letters.at_most=0", "--json") == 0
    assert [each["code"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["OP843"]


def test_a_run_whose_gate_fails_writes_all_but_the_release_and_ends_with_1(small, capsys):
    edit(small / "limits.toml", "at_most = 0.05", "at_most = 0.031")
    edit(small / "limits.toml", 'maximise = "value"', 'maximise = "value"\ngap = 1e-15')
    assert run("run", small) == 1
    told = capsys.readouterr()
    assert "no release: a gate failed" in told.out
    assert told.err.startswith("plan/certificate.json [OP811]")
    assert "A gate failed" in (small / "out" / "reports" / "portfolio.html").read_text()
    assert run("run", small, "--json") == 1
    assert json.loads(capsys.readouterr().out)["release"] is None


def test_a_feature_that_the_list_lost_is_doubted(small, capsys):
    lost = "CASE WHEN known_from < DATE '2025-02-28' THEN score END AS score, age"
    edit(small / "tables/customers.sql", "score, age", lost)
    (small / "offers.toml").write_text((small / "offers.toml").read_text().split("[[eligibility]]")[0])
    assert run("plan", small) == 0
    said = capsys.readouterr().out
    assert "warning: features.toml:9:1 [OP862] score is missing for 100% of the list and was for " in said


def test_an_empty_folder_is_no_project(tmp_path, capsys):
    assert run("check", tmp_path) == 2
    assert "[OP800]" in capsys.readouterr().err


def test_an_unknown_command_and_option_are_bad_input(capsys):
    assert run("plna") == 2
    assert run("plan", "--fast") == 2
    said = capsys.readouterr().err
    assert said.count("[OP820]") == 2


def test_a_fault_of_ours_is_status_3_without_a_traceback(capsys):
    assert told(RuntimeError("boom")) == 3
    said = capsys.readouterr().err
    assert "[OP899]" in said
    assert "Traceback" not in said


def test_json_is_one_object(small_run, capsys):
    for command in ("check", "train", "plan", "evaluate", "release", "report", "run"):
        assert run(command, small_run.settings.directory, "--json") == 0
        assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_run_prints_three_tables_the_report_and_what_was_not_shown(small_run, capsys):
    assert run("run", small_run.settings.directory) == 0
    printed = capsys.readouterr().out
    assert [
        title for title in ("Plan:", "Evidence:", "Timings:", "report ", "Not shown:") if title not in printed
    ] == []


def test_new_refuses_a_folder_that_exists(tmp_path, capsys):
    assert run("new", tmp_path) == 2
    assert "[OP808]" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["plan", "nowhere"], 2), ([], 0)])
def test_real_processes_end_with_the_agreed_status(arguments, status, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "opportune.cli", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_code_is_explained_offline_in_either_case(capsys):
    for code in ("OP012", "op012"):
        assert run("explain", code) == 0
        said = capsys.readouterr().out
        assert said.startswith("OP012: a key that is not known\n\n")
        assert "```" not in said
    assert run("explain", "OP012", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"code", "title", "text"}


def test_an_unknown_code_is_answered_with_near_ones(capsys):
    assert run("explain", "OP8100") == 2
    assert "OP810" in capsys.readouterr().err
