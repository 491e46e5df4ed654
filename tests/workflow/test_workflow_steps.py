"""Steps: the same bytes twice, reuse by content, gates, and releases."""

import json
from importlib.metadata import version

import msgspec
import pytest

from opportune.decisioning import decide, open_release
from opportune.domain import BadInput, BrokenPromise, Opportunity
from opportune.project import Project
from opportune.workflow import steps
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.steps import code_hash


def contents(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name != "timings.json"
    }


def test_two_runs_in_two_folders_give_the_same_bytes(small_run, tmp_path):
    again = Project.open(small_run.settings.directory, out=tmp_path / "out")
    again.run()
    assert contents(again.out) == contents(small_run.out)


def test_a_changed_limit_reruns_only_what_depends_on_it(small):
    Project.open(small).run()
    path = small / "limits.toml"
    path.write_text(path.read_text().replace("at_most = 1000", "at_most = 800"))
    project = Project.open(small)
    summary = project.run()
    reused = {run.name: run.reused for run in project.runs}
    assert reused["check"]
    assert reused["train"]
    assert not reused["plan"]
    assert not reused["evaluate"]
    assert summary["plan"]["rows"][0]["used"] <= 800


def test_a_comment_changes_no_step(small):
    Project.open(small).run()
    path = small / "limits.toml"
    path.write_text("# a thought\n" + path.read_text())
    project = Project.open(small)
    project.run()
    assert all(run.reused for run in project.runs)


def test_changed_data_rerun_everything(small):
    Project.open(small).run()
    path = small / "data" / "customers.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    project = Project.open(small)
    project.run()
    assert not any(run.reused for run in project.runs)


def test_an_output_changed_by_hand_is_made_again(small):
    project = Project.open(small)
    project.run()
    certificate = project.out / "plan" / "certificate.json"
    original = certificate.read_bytes()
    certificate.write_text("{}")
    project.run()
    assert certificate.read_bytes() == original


def test_a_deleted_output_is_made_again(small):
    project = Project.open(small)
    project.run()
    (project.out / "reports" / "portfolio.html").unlink()
    project.run()
    assert (project.out / "reports" / "portfolio.html").exists()


def test_limits_that_cannot_hold_break_a_promise_and_say_what_can(small):
    path = small / "limits.toml"
    path.write_text(path.read_text() + '\n[[limit]]\nname = "floor"\nuses = "contacts"\nat_least = 1500\n')
    with pytest.raises(BrokenPromise, match=r"floor.*cannot hold together with.*can be reached"):
        Project.open(small).plan()
    assert not (small / "out" / "plan").exists()


def test_a_soft_limit_may_be_passed_at_its_price(small):
    path = small / "limits.toml"
    path.write_text(path.read_text().replace("at_most = 1000", "at_most = 1000\nsoft_price = 0.01"))
    planned = Project.open(small).plan()
    assert planned.certificate.rows[0].used > 1000
    assert planned.prices["letters"] <= 0.01 + 1e-12


def test_a_release_opens_and_decides_what_the_prices_choose(small_run):
    sealed = json.loads((small_run.out / "summary.json").read_text())["release"]
    release = open_release(small_run.out / "releases" / sealed)
    settings = small_run.settings
    batch = opportunities_at(
        open_tables(small_run.out, settings.directory), settings.plan_at, context_columns(settings)
    )
    facts = read_facts(small_run.out, list(settings.features), batch.opportunity_id, settings.plan_at)
    planned = dict(
        zip(*(small_run.plan().choices[name].to_pylist() for name in ("opportunity_id", "offer_id")), strict=True)
    )
    differ = 0
    for i in range(200):
        one = Opportunity(
            opportunity_id=batch.opportunity_id[i],
            customer_id=batch.customer_id[i],
            at=batch.at,
            surface="mail",
            stage="marketing",
            context={name: values[i] for name, values in batch.context.items()},
        )
        decision = decide(one, facts.take([i]), release)
        differ += decision.offer.offer_id != planned[one.opportunity_id]
        assert decision.release == sealed
        assert (decision.expires_at is None) == (decision.offer.offer_id == "NO_OFFER")
    assert differ <= small_run.plan().certificate.repaired


def test_a_release_with_one_changed_byte_is_refused(small, small_run, tmp_path):
    import shutil

    sealed = json.loads((small_run.out / "summary.json").read_text())["release"]
    copy = tmp_path / "release"
    shutil.copytree(small_run.out / "releases" / sealed, copy)
    assert open_release(copy).manifest.hash == sealed
    economics = copy / "economics.json"
    economics.write_text(economics.read_text().replace("0.07", "0.08"))
    with pytest.raises(BadInput, match=r"OP703.*economics\.json"):
        open_release(copy)


def test_a_release_with_a_changed_price_is_refused(small_run, tmp_path):
    import shutil

    sealed = json.loads((small_run.out / "summary.json").read_text())["release"]
    copy = tmp_path / "release"
    shutil.copytree(small_run.out / "releases" / sealed, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["prices"]["letters"] += 1.0
    (copy / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BadInput, match="manifest that was changed"):
        open_release(copy)


@pytest.mark.parametrize(
    ("file", "old", "new", "first"),
    [
        ("opportune.toml", "seed = 1", "seed = 2", "check"),
        ("models.toml", 'calibration = "logistic"', 'calibration = "isotonic"', "check"),
        ("economics.toml", "value = 0.07", "value = 0.09", "plan"),
        ("evidence.toml", "cap = 500.0", "cap = 300.0", "evaluate"),
    ],
)
def test_a_changed_setting_reruns_every_step_that_reads_it(file, old, new, first, small):
    Project.open(small).run()
    path = small / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    project = Project.open(small)
    project.run()
    names = [run.name for run in project.runs]
    reran = [run.name for run in project.runs if not run.reused]
    expected = names[names.index(first) :]
    assert reran == [name for name in expected if name != "release" or first != "evaluate"]


def test_another_version_of_a_library_runs_all_again(small_run, monkeypatch):
    assert not any(step.runs for step in small_run.forecast("run"))
    code_hash.cache_clear()
    monkeypatch.setattr(steps, "version", lambda name: "0" if name == "duckdb" else version(name))
    assert all("opportune or a library of it changed" in step.why for step in small_run.forecast("run"))
    monkeypatch.undo()
    code_hash.cache_clear()
