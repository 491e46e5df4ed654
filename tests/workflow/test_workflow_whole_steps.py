"""A step leaves all of its files or none: whatever fails, the last good state stays."""

import shutil
from pathlib import Path

import msgspec
import pytest

from opportune.cli.app import status_of
from opportune.domain import BadInput, Finding, Interrupted
from opportune.project import Project
from opportune.tables import replace_directories
from opportune.workflow import evaluate, pipeline, plan, swap_set, train
from opportune.workflow.alone import alone
from opportune.workflow.output_folder import check_replaced
from opportune.workflow.steps import read_json


@pytest.fixture
def out(small_run, tmp_path):
    """A copy of the small project's artefacts, free to be written over."""
    return shutil.copytree(small_run.out, tmp_path / "out")


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def refuse(*arguments, **named):
    raise BadInput([Finding(code="OP310", source="models.toml", subject="x", message="is thin")])


def test_folders_are_swapped_in_together_or_not_at_all(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("1")

    def build(beside):
        for name in ("a", "b"):
            (beside / name).mkdir()
            (beside / name / "new").write_text("2")

    def fail(beside):
        build(beside)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_directories(tmp_path, ("a", "b"), fail)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "old"]
    replace_directories(tmp_path, ("a", "b"), build)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "new", "new"]


def test_a_second_run_in_the_same_folder_is_refused_before_it_does_anything(small_run, out):
    other = msgspec.structs.replace(small_run.settings.identity, seed=77)
    settings = msgspec.structs.replace(small_run.settings, identity=other)
    with alone(out):
        before = contents(out)
        with pytest.raises(BadInput, match="OP846"):
            pipeline.run_until(settings, out, "run", print)
        assert contents(out) == before
    pipeline.run_until(small_run.settings, out, "check", print)


@pytest.mark.parametrize(
    ("step", "module", "part"),
    [("train", train, "_write_models"), ("plan", plan, "write_relaxed"), ("evaluate", swap_set, "swaps")],
)
def test_a_step_that_fails_leaves_what_was_there(step, module, part, small_run, out, monkeypatch):
    settings, before = small_run.settings, contents(out)
    other = msgspec.structs.replace(settings, identity=msgspec.structs.replace(settings.identity, seed=77))
    monkeypatch.setattr(module, part, refuse)
    with pytest.raises(BadInput, match="OP310"):
        getattr(pipeline, f"_{step}")(other, out)
    assert contents(out) == before


def test_evidence_and_swap_set_are_written_together(small_run, out, monkeypatch):
    monkeypatch.setattr(evaluate, "evaluate", lambda opened, out: {"made": 1})
    monkeypatch.setattr(swap_set, "swaps", lambda opened: {"value": float("nan")})
    before = contents(out)
    with pytest.raises(ValueError, match="JSON"):
        pipeline._evaluate(small_run.settings, out)
    assert contents(out) == before


def test_an_interrupted_plan_is_left_labelled_and_alone(small_run, out, monkeypatch):
    make = plan.make_plan

    def interrupted(*arguments):
        made = make(*arguments)
        return msgspec.structs.replace(
            made, certificate=msgspec.structs.replace(made.certificate, status="interrupted")
        )

    monkeypatch.setattr(plan, "make_plan", interrupted)
    with pytest.raises(Interrupted, match="OP840"):
        plan.plan(small_run.settings, out)
    assert read_json(out / "plan" / "certificate.json")["status"] == "interrupted"
    assert (out / "plan" / "plan.parquet").exists()
    assert not (out / "plan" / "frontier.json").exists()  # nothing of the earlier plan beside it


def _project_with(small, where, file):
    """Return an output folder with a file of the lender's, and the file."""
    theirs = {"project": small, "parent": small.parent, "inside": small / "data", "beside": small.parent / "b"}[where]
    (theirs / file).parent.mkdir(parents=True, exist_ok=True)
    if not (theirs / file).exists():
        (theirs / file).write_text("mine")
    return theirs, theirs / file


@pytest.mark.parametrize(
    ("where", "file"),
    [
        ("project", "tables/customers.sql"), ("parent", "tables/mine.sql"), ("inside", "customers.csv"),
        ("beside", "tables/customers.parquet"), ("beside", "features/mine.py"), ("beside", "models/index.json"),
        ("beside", "offers/mine.json"), ("beside", "plan/plan.parquet"), ("beside", "summary.json"),
    ],
)  # fmt: skip
def test_an_output_folder_with_files_of_the_lender_is_refused(where, file, small, capsys):
    out, theirs = _project_with(small, where, file)
    before = contents(small)
    assert status_of(["check", str(small), "--out", str(out)]) == 2
    assert "[OP861]" in capsys.readouterr().err
    assert theirs.is_file()
    assert contents(small) == before


def test_no_folder_is_no_output_folder(small, monkeypatch, capsys):
    monkeypatch.chdir(small)
    before = contents(small)
    for empty in ("", " "):
        assert status_of(["run", ".", "--out", empty]) == 2
        assert "[OP861]" in capsys.readouterr().err
    assert contents(small) == before


def test_a_file_put_into_a_folder_of_ours_is_not_replaced(small_run, out):
    Project.open(small_run.settings.directory, out=out).check()
    (out / "models" / "mine.py").write_text("1")
    with pytest.raises(BadInput, match=r"OP861.*models/mine.py"):
        Project.open(small_run.settings.directory, out=out)


def test_folders_of_files_are_not_replaced_either(tmp_path):
    (tmp_path / "value").mkdir()
    (tmp_path / "value" / "mine.csv").write_text("1")
    with pytest.raises(BadInput, match=r"OP861.*mine.csv"):
        check_replaced(tmp_path / "value", ("lines.parquet",))
    check_replaced(tmp_path / "apr", ())


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tables/events.sql", "SELECT event_id", "SELECT 'e' AS event_id"),
        ("features.toml", 'column = "score"', 'column = "scroe"'),
    ],
)
def test_a_check_that_is_refused_leaves_the_tables_of_the_last_good_one(file, old, new, small, small_run, out):
    path = small / file
    path.write_text(path.read_text().replace(old, new))
    before = contents(out)
    with pytest.raises(BadInput):
        Project.open(small, out=out).run()
    changed = {str(name) for name, content in contents(out).items() if before.get(name) != content}
    assert changed <= {"quarantine/events.parquet", "findings.json"}
    Project.open(small_run.settings.directory, out=out).run()
    after = contents(out)
    assert {name for name in before if before[name] != after.get(name)} <= {Path("timings.json")}


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("holdout_cost", ["holdout.json", "limit_costs.json", "relaxed.parquet", "frontier.json"]),
        ("write_relaxed", ["limit_costs.json", "relaxed.parquet", "frontier.json"]),
        ("frontier", ["frontier.json"]),
    ],
)
def test_an_interruption_after_the_plan_leaves_it_whole_and_tells_what_is_missing(
    part, missing, small_run, out, monkeypatch
):
    shutil.rmtree(out / "plan")

    def interrupted(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, part, interrupted)
    with pytest.raises(Interrupted, match=r"OP840.*is whole.*missing are .*the frontier"):
        plan.plan(small_run.settings, out)
    before, after = ({each.name for each in (folder / "plan").iterdir()} for folder in (small_run.out, out))
    assert before - after == set(missing)
    for name in ("plan.parquet", "certificate.json"):
        assert (out / "plan" / name).read_bytes() == (small_run.out / "plan" / name).read_bytes()
