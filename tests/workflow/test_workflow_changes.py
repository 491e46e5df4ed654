"""Before a plan is applied: why steps run, what-ifs beside the real plan, who changes, what a source is worth, who is left alone."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.domain import BadInput
from opportune.numerics import jackknife_variance
from opportune.project import Project
from opportune.workflow.change import plan_change
from opportune.workflow.diff import diff
from opportune.workflow.differences import differences


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def ran(project):
    return [run.name for run in project.runs if not run.reused]


def test_a_forecast_says_which_steps_run_and_why_and_is_right(small):
    Project.open(small).run()
    assert not any(step.runs for step in Project.open(small).forecast("report"))
    edit(small / "limits.toml", "at_most = 1000", "at_most = 900")
    project = Project.open(small)
    said = {step.name: step for step in project.forecast("plan")}
    assert (said["check"].runs, said["train"].runs, said["plan"].runs) == (False, False, True)
    assert said["plan"].why == ("limits.letters.at_most: 1000.0 -> 900.0",)
    project.plan()
    assert ran(project) == ["plan"]


def test_a_forecast_names_a_changed_file_and_what_follows(small):
    Project.open(small).plan()
    with (small / "data/events.csv").open("a") as file:
        file.write("e-new,c00000,2024-12-01,2024-12-02,purchase,1.0\n")
    said = {step.name: step.why for step in Project.open(small).forecast("plan")}
    assert said["check"] == ("tables.data/events.csv: changed",)
    assert said["plan"] == ("check runs first", "train runs first")


def test_a_what_if_leaves_the_real_plan_alone_and_reuses_what_it_can(small):
    real = Project.open(small)
    real.run()
    before = (real.out / "plan/plan.parquet").read_bytes()
    what_if = Project.open(small, changes=["limits.letters.at_most=500"])
    planned = what_if.plan()
    assert ran(what_if) == ["plan"]
    assert planned.certificate.rows[0].limit == 500.0
    assert planned.certificate.rows[0].used <= 500.0
    assert (real.out / "plan/plan.parquet").read_bytes() == before
    assert not any(step.runs for step in Project.open(small).forecast("report"))


def test_a_what_if_is_the_project_with_the_file_edited(small):
    Project.open(small).plan()
    what_if = Project.open(small, changes=["economics.funding=0.25", "limits.letters.at_most = 700"])
    what_if.plan()
    edit(small / "economics.toml", "value = 0.07", "value = 0.25")
    edit(small / "limits.toml", "at_most = 1000", "at_most = 700")
    edited = Project.open(small)
    edited.plan()
    names = ("plan.parquet", "certificate.json", "frontier.json")
    assert [(what_if.out / "plan" / name).read_bytes() for name in names] == [
        (edited.out / "plan" / name).read_bytes() for name in names
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("limits.lettres.at_most=1", "Did you mean letters?"),
        ("limts.letters.at_most=1", "Did you mean limits?"),
        ("limits.letters.at_mots=1", "at_mots is not a field of limit 'letters'"),
        ("limits.letters.at_most=many", "'many'"),
        ("nonsense", "FILE.NAME.KEY=VALUE"),
        ("letters=500", "for a limit, write it as limits.letters.at_most=500"),
    ],
)
def test_a_what_if_about_nothing_is_refused(change, words, small):
    with pytest.raises(BadInput, match=words):
        Project.open(small, changes=[change])


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("limits.objective.gap=0.02", lambda settings: settings.objective.gap == 0.02),
        ("limits.exploration.holdout=0.1", lambda settings: settings.exploration.holdout == 0.1),
        ("opportune.protected.columns=['age']", lambda settings: settings.protected == ("age",)),
    ],
)
def test_a_what_if_may_be_about_a_table_that_its_file_does_without(change, read, small):
    edit(small / "limits.toml", '[objective]\nmaximise = "value"\n', "")
    edit(small / "opportune.toml", '[protected]\ncolumns = ["age"]', "")
    assert read(Project.open(small, changes=[change]).settings)
    with pytest.raises(BadInput, match=r"Did you mean objective\?"):
        Project.open(small, changes=["limits.objectiv.gap=0.02"])


def test_one_value_changed_twice_is_refused_and_two_values_of_one_limit_are_not(small):
    said = r"--set \[OP823\] limits.letters.at_most is given 2 times \(500, 700\): expected one value"
    with pytest.raises(BadInput, match=said):
        Project.open(small, changes=["limits.letters.at_most=500", "limits.letters. at_most = 700"])
    with pytest.raises(BadInput, match=r"economics.funding is given 2 times \(0.2, 0.3\)"):
        Project.open(small, changes=["economics.funding=0.2", "economics.funding.value=0.3"])
    both = Project.open(small, changes=["limits.letters.at_most=500", "limits.letters.at_least=1"])
    assert (both.settings.limits[0].at_most, both.settings.limits[0].at_least) == (500.0, 1.0)


def test_a_scenario_multiplies_expected_arrears_and_no_realised_ones(small):
    with (small / "economics.toml").open("a") as file:
        file.write('\n[[scenario]]\nname = "bad"\nsays = "twice the arrears"\nloss = 2.0\n')
    plain, bad = Project.open(small), Project.open(small, scenario="bad")
    plain.evaluate()
    bad.evaluate()
    uses = [pq.read_table(each.out / "plan/candidates.parquet")["expected_loss"].to_numpy() for each in (plain, bad)]
    np.testing.assert_allclose(uses[1], 2.0 * uses[0], rtol=1e-12)
    logged = [json.loads((each.out / "evidence/evidence.json").read_text())["estimates"][0] for each in (plain, bad)]
    assert logged[0]["value"] == logged[1]["value"]


def test_a_change_adds_up_and_its_interval_holds_it(small):
    real = Project.open(small)
    real.run()
    what_if = Project.open(small, changes=["limits.letters.at_most=300"])
    what_if.plan()
    change = what_if.change()
    swaps = {
        kind: sum(row.customers for row in change.swaps if row.kind == kind)
        for kind in ("same offer", "left alone", "swapped out")
    }
    assert sum(row.customers for row in change.swaps) == change.customers == 2000
    assert change.changed == change.customers - swaps["same offer"] - swaps["left alone"]
    assert swaps["swapped out"] > 0
    assert sum(row.value.value for row in change.swaps) == pytest.approx(change.value.value)
    by_kind = {row.kind: row for row in change.kinds}
    assert by_kind["swapped in"].customers == 0
    out = by_kind["swapped out"]
    assert (out.no_label, out.uses["contacts"].value) == (0, -out.customers)
    assert out.value.high < 0 > out.uses["expected_loss"].high
    assert sum(row.uses["amount_lent"].value for row in change.swaps) == pytest.approx(
        sum(row.uses["amount_lent"].value for row in change.kinds)
    )
    assert change.value.low < change.value.value < change.value.high < 0.0
    planned = [json.loads((each.out / "plan/certificate.json").read_text())["value"] for each in (real, what_if)]
    assert change.value.value == pytest.approx(planned[1] - planned[0], rel=1e-6)
    back = plan_change(what_if.out / "plan", real.out, ())
    assert back.value.value == pytest.approx(-change.value.value)


def test_a_diff_of_a_plan_with_itself_is_nothing_and_its_page_says_so(small):
    project = Project.open(small)
    project.plan()
    change, currency = diff(project.out, project.out)
    assert (change.changed, change.value.value, change.settings, currency) == (0, 0.0, (), "USD")
    assert "0 of 2,000 customers" in (project.out / "reports/diff.html").read_text()


def test_a_diff_takes_a_release_too(small):
    project = Project.open(small)
    sealed = project.release()
    what_if = Project.open(small, changes=["limits.letters.at_most=300"])
    what_if.plan()
    change, _ = diff(project.out / "releases" / sealed, what_if.out)
    assert change.changed > 0
    assert change.value.value == what_if.change().value.value


def test_a_diff_names_the_settings_that_differ(small):
    Project.open(small).plan()
    what_if = Project.open(small, changes=["limits.letters.at_most=300"])
    what_if.plan()
    change, _ = diff(small / "out", what_if.out)
    assert change.settings == ("limits.letters.at_most: 1000.0 -> 300.0",)
    with pytest.raises(BadInput, match="OP825"):
        diff(small, what_if.out)


def test_differences_name_paths_additions_and_removals():
    before = {"a": 1, "l": [{"name": "x", "v": 1}, {"name": "y", "v": 2}], "gone": 1}
    after = {"a": 2, "l": [{"name": "x", "v": 1}, {"name": "y", "v": 3}], "new": 1}
    assert list(differences(before, after)) == ["a: 1 -> 2", "l.y.v: 2 -> 3", "gone: removed", "new: added"]


def test_the_grouped_jackknife_of_a_mean_is_its_variance():
    """Left-one-out means have the textbook variance of a mean: s^2 / n."""
    x = np.random.default_rng(3).normal(size=40)
    left_out = (x.sum() - x) / (len(x) - 1)
    assert jackknife_variance(left_out[None, :]) == pytest.approx(x.var(ddof=1) / len(x))


def test_a_coming_list_keeps_two_per_cent_for_comparison_and_says_what_that_costs(small):
    edit(small / "opportune.toml", 'labels_as_of = "2025-12-01"', 'labels_as_of = "2025-03-01"')
    edit(small / "tables/outcomes.sql", "observed_until::TIMESTAMPTZ", "sent_at::TIMESTAMPTZ")
    text = (small / "opportune.toml").read_text()
    (small / "opportune.toml").write_text("\n".join(line for line in text.splitlines() if "retrospective" not in line))
    project = Project.open(small)
    planned = project.plan()
    held = planned.holdout
    assert held["share"] == 0.02
    assert 20 <= held["customers"] <= 60
    assert held["cost"] > 0.0
    assert planned.certificate.status == "optimal"
    rows = pq.read_table(project.out / "plan/probabilities.parquet").to_pandas()
    sums = rows.groupby("opportunity_id")["probability"].sum()
    np.testing.assert_allclose(sums.to_numpy(), 1.0)
    offered = pq.read_table(project.out / "plan/plan.parquet").to_pandas().query("offer_id != 'NO_OFFER'")
    chance = offered.merge(rows, on=["opportunity_id", "offer_id"])["probability_y"]
    assert set(chance.round(9)) == {0.98}


def test_a_list_that_was_sent_long_ago_has_no_holdout_unless_it_asks(small):
    assert Project.open(small).plan().holdout["customers"] == 0
    with (small / "limits.toml").open("a") as file:
        file.write("\n[exploration]\nholdout = 0.1\n")
    assert 150 <= Project.open(small).plan().holdout["customers"] <= 250


def test_a_source_has_a_worth_with_intervals_and_a_cost(small):
    (small / "sources.toml").write_text(
        '[bureau]\nsays = "scores"\nvendor = "v"\nversion = "1"\ncolumns = ["customers.age"]\narrival_delay_days = 0\n'
        'cost_per_pull = 0.5\nstages = ["marketing"]\n\n'
        '[shop]\nsays = "purchases"\nvendor = "v"\nversion = "1"\ncolumns = ["events.amount", "events.kind"]\n'
        'arrival_delay_days = 1\ncost_per_pull = 0.5\nstages = ["marketing"]\n'
    )
    edit(small / "features.toml", 'aggregate = "count"', 'aggregate = "count"\ncolumn = "amount"')
    project = Project.open(small)
    worth = project.worth("shop")
    assert worth.features == ("purchases_90d",)
    assert worth.log_loss.low <= worth.log_loss.value <= worth.log_loss.high
    assert worth.value.low <= worth.value.value <= worth.value.high
    assert (worth.pulls, worth.cost) == (2000, 1000.0)
    assert not any(step.runs for step in Project.open(small).forecast("plan"))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('stages = ["marketing"]', 'stages = ["application"]', "OP046"),
        ("customers.score", "customers.scroe", "OP047"),
        ("arrival_delay_days = 0", "arrival_delay_days = 2", "OP108"),
        ("no_hit = {}", 'no_hit = { "customers.score" = [650.0] }', "OP045"),
    ],
)
def test_a_source_used_against_its_terms_is_found(old, new, code, small):
    text = (
        '[bureau]\nsays = "scores"\nvendor = "v"\nversion = "1"\ncolumns = ["customers.score"]\narrival_delay_days = 0\n'
        'no_hit = {}\ncost_per_pull = 0.5\nstages = ["marketing"]\n'
    )
    assert old in text
    (small / "sources.toml").write_text(text.replace(old, new))
    with pytest.raises(BadInput, match=code):
        Project.open(small).check()


def test_a_source_that_eligibility_needs_cannot_be_spared(small):
    (small / "sources.toml").write_text(
        '[bureau]\nsays = "s"\nvendor = "v"\nversion = "1"\ncolumns = ["customers.score"]\narrival_delay_days = 0\n'
        'cost_per_pull = 0.5\nstages = ["marketing"]\n'
    )
    with pytest.raises(BadInput, match="OP828"):
        Project.open(small).worth("bureau")
    with pytest.raises(BadInput, match=r"OP827.*Did you mean bureau"):
        Project.open(small).worth("burau")


def test_uses_follow_a_column_to_the_plan_and_not_through_its_table(small_run):
    found = {(use.kind, use.name): use.through for use in small_run.uses("score")}
    assert found["feature", "score"] == "score"
    assert found["eligibility", "has a score"] == "score"
    assert found["model", "response"] == "score"
    assert found["limit", "arrears rate"] == "amount_lent"
    assert any(kind == "release" for kind, _ in found)
    assert ("feature", "purchases_90d") not in found
    assert {use.name for use in small_run.uses("funding")} >= {"value", "plan", "planned"}
    with pytest.raises(BadInput, match=r"OP829.*Did you mean score\?"):
        small_run.uses("scoer")


def test_a_project_tests_its_features_on_given_rows(small):
    assert Project.open(small).check() == []
    edit(small / "tests/arrival.toml", "purchases_90d = 1", "purchases_90d = 2")
    with pytest.raises(BadInput, match=r"tests/arrival.toml:26:1 \[OP120\] purchases_90d of o1 comes out as 1"):
        Project.open(small).check()


def test_a_project_test_about_nothing_is_told(small):
    edit(small / "tests/arrival.toml", '"o1"\npurchases_90d', '"o2"\npurchases')
    with pytest.raises(BadInput, match=r"(?s)purchases is no feature.*'o2': expected a given opportunity"):
        Project.open(small).check()


def test_known_probabilities_replace_estimated_ones(small):
    (small / "tables/probabilities.sql").write_text(
        "SELECT letter_id AS decision_id, unnest(['standard', 'step_1', 'step_2']) AS offer_id, "
        "unnest([1 / 3, 1 / 3, 1 / 3]) AS probability\nFROM read_csv('data/letters.csv')\n"
    )
    edit(small / "tables/decisions.sql", "band || ' ' || sent_at::DATE AS stratum, ", "")
    evidence = Project.open(small).evaluate()
    assert evidence["support"]["standard"]
    standard = next(row for row in evidence["estimates"] if row["policy"] == "standard" and row["method"] == "ipw")
    letters = pq.read_table(small / "out/tables/outcomes.parquet")
    assert standard["n"] == 2000
    assert letters.num_rows == 6000
    edit(small / "tables/probabilities.sql", "'step_2'", "'step_9'")
    with pytest.raises(BadInput, match="OP607"):
        Project.open(small).evaluate()


def test_balance_of_decisions_with_probabilities_of_their_own_is_told_as_not_tested(small):
    (small / "tables/probabilities.sql").write_text(
        "WITH l AS (SELECT letter_id, row_number() OVER (ORDER BY letter_id) / 100000 AS e "
        "FROM read_csv('data/letters.csv'))\n"
        "SELECT letter_id AS decision_id, unnest(['standard', 'step_1', 'step_2']) AS offer_id, "
        "unnest([1 / 3 - e, 1 / 3, 1 / 3 + e]) AS probability FROM l\n"
    )
    project = Project.open(small)
    balance = project.evaluate()["balance"]
    assert (balance["balanced"], balance["compared"], balance["rows"]) == (None, 0, 2000)
    page = " ".join(project.report().read_text().split())
    assert "Balance: not tested, because within no stratum" in page
    assert "no covariate differs" not in page


def test_a_rule_pack_holds_from_its_first_day_and_until_its_last(small):
    (small / "rules").mkdir()
    pack = 'name = "scores"\njurisdiction = "US"\nauthority = "an act"\neffective_from = {}\n\n[[condition]]\nname = "high"\nfact = "score"\nat_least = 700\nreason = "a score below 700"\n'
    counts = {}
    for day in ("2025-03-01", "2025-03-02"):
        (small / "rules/scores.toml").write_text(pack.format(day))
        project = Project.open(small)
        project.plan()
        counts[day] = pq.read_table(project.out / "plan/candidates.parquet").num_rows
    assert counts["2025-03-01"] < counts["2025-03-02"]


def test_a_file_where_the_command_runs_never_stands_in_for_the_projects(small, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/customers.csv").write_text("customer_id,known_from,score,age\nx,2025-01-01,1,1\n")
    monkeypatch.chdir(tmp_path)
    project = Project.open(small)
    project.check()
    assert pq.read_table(project.out / "tables/customers.parquet").num_rows == 6000


@pytest.mark.parametrize(("as_of", "code"), [("2025-01-15", "OP802"), ("2025-03-02", "OP805"), ("soon", "OP807")])
def test_another_instant_is_checked_like_the_one_of_the_file_and_the_option_is_told(as_of, code, small):
    with pytest.raises(BadInput, match=rf"^--as-of \[{code}\] {as_of} "):
        Project.open(small, as_of=as_of).plan()


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("features.toml", 'column = "score"', 'column = "score"\nwhere = "age < 40"', "OP106"),
        ("offers.toml", "cuts = [0.4, 0.8]", "cuts = [0.4, inf]", "OP014"),
        ("tables/outcomes.sql", "took_up::DOUBLE AS took_up", "CASE WHEN letter_id NOT LIKE 'l2%' THEN took_up::DOUBLE END AS took_up", "OP606"),
    ],
)  # fmt: skip
def test_what_once_slipped_through_is_found(file, old, new, code, small):
    edit(small / file, old, new)
    with pytest.raises(BadInput, match=code):
        Project.open(small).evaluate()
