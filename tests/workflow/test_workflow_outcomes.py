"""Lists whose outcomes are missing, late, odd or still to come: said and counted, never guessed or left out unseen."""

import json

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.cli.app import status_of
from opportune.domain import BadInput
from opportune.project import Project
from opportune.workflow.frames import positions
from opportune.workflow.subsets import subset_contributions
from opportune.workflow.trial import open_list
from opportune.workflow.verdicts import verdicts

OF_THE_LIST = "sent_at >= TIMESTAMP '2025-03-01'"


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def evaluated(directory):
    project = Project.open(directory)
    project.run()
    return project, project.evidence()


def estimates(evidence):
    return {
        (row["policy"], row["against"], row["measure"], row["method"]): row["value"] for row in evidence["estimates"]
    }


@pytest.fixture
def usual(small_run):
    return json.loads((small_run.out / "evidence" / "evidence.json").read_text())


def test_a_coming_list_is_planned_and_says_that_nothing_is_known(small):
    edit(small / "tables/outcomes.sql", "data/letters.csv')", f"data/letters.csv') WHERE NOT {OF_THE_LIST}")
    project, evidence = evaluated(small)
    assert evidence["estimates"] == []
    assert evidence["rows"] == 0
    assert evidence["immature"] == 2000
    page = (project.out / "reports" / "portfolio.html").read_text()
    assert "there is no evidence" in page
    assert "not yet" in page
    assert json.loads((project.out / "summary.json").read_text())["evidence"] == []
    assert {row["group"] for row in evidence["fairness"]} == {"under 40", "40 and over"}


TAKERS = "took_up = 1 AND " + OF_THE_LIST


def test_takers_without_an_amount_are_told_with_its_column(small):
    edit(
        small / "tables/outcomes.sql",
        "interest, arrears",
        f"interest, CASE WHEN NOT ({TAKERS}) THEN arrears END AS arrears",
    )
    with pytest.raises(
        BadInput, match=r"OP606\] arrears is null in \d+ decisions .* that were taken up .*\[immature\]"
    ):
        Project.open(small).evaluate()


def test_money_that_nobody_took_up_is_a_contradiction(small):
    edit(small / "tables/outcomes.sql", "took_up::DOUBLE AS took_up", "0.0::DOUBLE AS took_up")
    with pytest.raises(BadInput, match=r"OP848\] amount_lent is above 0 in \d+ decisions that took nothing up \(l"):
        Project.open(small).check()


def test_what_cannot_be_told_says_why_in_the_terminal_and_on_the_page(small, capsys):
    """Nobody is in arrears: the rate, and the tail of most policies, rest on outcomes that do not differ."""
    none = f"CASE WHEN {TAKERS} THEN 0.0 ELSE arrears END AS arrears"
    edit(small / "tables/outcomes.sql", "interest, arrears", f"interest, {none}")
    assert status_of(["run", str(small)]) == 0
    project, told = Project.open(small), capsys.readouterr().out
    evidence = project.evidence()
    (row,) = [each for each in evidence["planned_against_realised"] if each["limit"] == "arrears rate"]
    assert row["realised"] is None
    assert "outcomes that are all 0" in row["why_not"]
    assert "Not told:" in told
    for finding in evidence["findings"]:
        assert finding["message"] in told
    assert {each["policy"] for each in evidence["tail"]} < {each["name"] for each in evidence["policies"]}
    assert f"arrears rate: what came out {row['why_not']}." in (project.out / "reports" / "portfolio.html").read_text()
    assert status_of(["evaluate", str(small)]) == 0
    assert "Not told:" in capsys.readouterr().out


def test_opportunities_without_a_decision_are_counted(small, capsys):
    edit(small / "tables/decisions.sql", "data/letters.csv')",
         f"data/letters.csv') WHERE NOT ({OF_THE_LIST} AND letter_id LIKE '%3')")  # fmt: skip
    edit(small / "tables/outcomes.sql", "data/letters.csv')",
         f"data/letters.csv') WHERE NOT ({OF_THE_LIST} AND letter_id LIKE '%3')")  # fmt: skip
    assert status_of(["run", str(small)]) == 0
    capsys.readouterr()
    assert status_of(["evaluate", str(small)]) == 0
    assert "0 decisions without an observed outcome, 200 opportunities without a decision." in capsys.readouterr().out


def test_a_list_without_decisions_is_planned_too(small):
    edit(small / "tables/decisions.sql", "data/letters.csv')", f"data/letters.csv') WHERE NOT {OF_THE_LIST}")
    edit(small / "tables/outcomes.sql", "data/letters.csv')", f"data/letters.csv') WHERE NOT {OF_THE_LIST}")
    assert evaluated(small)[1]["undecided"] == 2000


def test_decisions_are_judged_whenever_they_were_made(small, usual):
    edit(small / "tables/decisions.sql", "sent_at::TIMESTAMPTZ AS decided_at",
         f"CASE WHEN {OF_THE_LIST} THEN sent_at::TIMESTAMPTZ + INTERVAL 3 DAY ELSE sent_at::TIMESTAMPTZ END AS decided_at")  # fmt: skip
    assert estimates(evaluated(small)[1]) == estimates(usual)


def test_a_decision_about_another_list_does_not_borrow_facts(small, usual):
    """One letter of the list was decided about an opportunity of February: it is no decision about this list."""
    letters = "read_csv('data/letters.csv')"
    (small / "tables/decisions.sql").write_text(f"""
        SELECT l.letter_id AS decision_id, about.letter_id AS opportunity_id, about.customer_id, '1' AS slot,
            l.sent_at::TIMESTAMPTZ AS decided_at, l.band || ' ' || l.sent_at::DATE AS stratum, l.monthly_rate_pp
        FROM {letters} AS l JOIN {letters} AS about ON about.letter_id =
            CASE WHEN l.letter_id = (SELECT max(letter_id) FROM {letters})
            THEN (SELECT min(letter_id) FROM {letters}) ELSE l.letter_id END
        WHERE l.letter_id > (SELECT min(letter_id) FROM {letters})""")
    edit(small / "tables/outcomes.sql", letters, f"{letters} WHERE letter_id > (SELECT min(letter_id) FROM {letters})")
    _, evidence = evaluated(small)
    assert (evidence["rows"], evidence["undecided"]) == (usual["rows"] - 1, 1)


def test_decisions_without_an_outcome_are_counted_and_told(small):
    edit(small / "tables/outcomes.sql", "data/letters.csv')", "data/letters.csv') WHERE hash(letter_id) % 10 > 0")
    project, evidence = evaluated(small)
    assert evidence["immature"] > 100
    assert evidence["rows"] + evidence["immature"] == 2000
    assert evidence["training"]["immature"] + evidence["training"]["taught_by"] <= 4000
    assert evidence["training"]["immature"] > 200
    page = (project.out / "reports" / "portfolio.html").read_text()
    assert f"{evidence['immature']} decisions about the list have no observed outcome" in page


def test_a_limit_with_both_bounds_is_evaluated(small):
    edit(small / "limits.toml", "at_most = 1000", "at_most = 1000\nat_least = 200")
    project, evidence = evaluated(small)
    rows = {row["limit"]: row for row in evidence["planned_against_realised"]}
    assert {"letters (at most)", "letters (at least)", "arrears rate"} == set(rows)
    assert rows["letters (at least)"]["at_least"] == 200
    assert rows["letters (at least)"]["at_most"] is None
    assert "letters (at least)" in (project.out / "reports" / "portfolio.html").read_text()


def test_what_is_known_has_no_interval(usual):
    letters = next(row for row in usual["planned_against_realised"] if row["limit"] == "letters")
    assert letters["method"] == "known"
    assert letters["low"] == letters["realised"] == letters["high"] == letters["planned"] == 1000


def test_what_a_limit_costs_is_the_value_of_the_best_plan_without_it(small, small_run):
    costs = {row["limit"]: row for row in json.loads((small_run.out / "plan" / "limit_costs.json").read_text())}
    edit(
        small / "limits.toml",
        'name = "letters"\nuses = "contacts"\nat_most = 1000',
        'name = "letters"\nuses = "contacts"\nat_most = 1e9',
    )
    free = Project.open(small).plan().certificate.value
    assert costs["letters"]["value_without"] == pytest.approx(free, rel=1e-6)
    assert costs["letters"]["cost"] > 0 >= -costs["arrears rate"]["cost"]
    relaxed = pq.read_table(small_run.out / "plan" / "relaxed.parquet")
    assert relaxed.column_names == ["opportunity_id", "letters", "arrears rate"]
    assert sum(offer != "NO_OFFER" for offer in relaxed["letters"].to_pylist()) > 1000


def row(policy, against, measure, low, high):
    return {"policy": policy, "against": against, "measure": measure, "method": "dr", "low": low, "high": high}


@pytest.mark.parametrize(
    ("raw", "capped", "shown"),
    [
        ((1, 2), (1, 2), "more"),
        ((-2, -1), (-2, -1), "less"),
        ((-1, 2), (1, 2), "nothing"),
        ((1, 2), (-1, 2), "nothing"),
    ],
)
def test_a_difference_is_shown_only_where_both_measures_show_it(raw, capped, shown):
    measures = ("contribution_per_customer", "contribution_per_customer_capped")
    rows = [row("a", "b", measure, *each) for measure, each in zip(measures, (raw, capped), strict=True)]
    assert verdicts(rows, [("a", "b")]) == [{"policy": "a", "against": "b", "shown": shown}]


def test_positions_are_found_or_refused():
    known = np.array(["b", "a", "d"], dtype=object)
    assert positions(known, np.array(["d", "b"], dtype=object), "x").tolist() == [2, 0]
    with pytest.raises(BadInput, match=r"OP819.*does not hold 1 of 2 opportunities \(c\)"):
        positions(known, np.array(["a", "c"], dtype=object), "x")


HARD_TIMES = '\n[[scenario]]\nname = "hard times"\nsays = "arrears 1.5 times as high"\nloss = 1.5\n'


def test_a_limit_holds_in_the_scenarios_that_it_names(small, small_run):
    (small / "economics.toml").write_text((small / "economics.toml").read_text() + HARD_TIMES)
    edit(small / "limits.toml", "at_most = 0.05", 'at_most = 0.05\nin_scenarios = ["hard times"]')
    project, evidence = evaluated(small)
    rows = {row.name: row for row in project.plan().certificate.rows}
    assert set(rows) == {"letters", "arrears rate", "arrears rate in hard times"}
    assert rows["arrears rate in hard times"].used <= 0.05 * (1 + 1e-9)
    assert rows["arrears rate in hard times"].used == pytest.approx(1.5 * rows["arrears rate"].used)
    plan = pq.read_table(project.out / "plan" / "plan.parquet")
    there, lent = (
        np.sum(plan[name].to_numpy()) for name in ("expected_loss in hard times", "amount_lent in hard times")
    )
    assert there <= 0.05 * lent * (1 + 1e-9)
    free = small_run.plan().certificate
    assert project.plan().certificate.value < free.value
    told = {row["limit"]: row for row in evidence["planned_against_realised"]}
    assert told["arrears rate in hard times"]["realised"] is None
    assert told["arrears rate"]["realised"] is not None
    assert "arrears rate in hard times" in (project.out / "reports" / "portfolio.html").read_text()


def test_a_limit_cannot_name_a_scenario_that_is_not_there(small):
    edit(small / "limits.toml", "at_most = 0.05", 'at_most = 0.05\nin_scenarios = ["hard times"]')
    with pytest.raises(BadInput, match=r"OP824.*in_scenarios names 'hard times'"):
        Project.open(small).plan()


def test_outcomes_that_are_too_few_are_no_evidence_and_no_failure(small, capsys):
    edit(
        small / "tables/outcomes.sql",
        "data/letters.csv')",
        f"data/letters.csv') WHERE NOT {OF_THE_LIST} OR branch < 'branch 05'",
    )
    assert status_of(["run", str(small)]) == 0
    said = capsys.readouterr().out
    evidence = json.loads((small / "out" / "evidence" / "evidence.json").read_text())
    assert evidence["rows"] > 100
    assert evidence["estimates"] == []
    assert [finding["code"] for finding in evidence["findings"]] == ["OP609"]
    assert f"No evidence yet: {evidence['rows']} decisions have an observed outcome. [OP609] has 5 clusters" in said
    assert f"Left out of the evidence: {2000 - evidence['rows']:,} decisions" in said
    assert "OP609" in json.loads((small / "out" / "evidence" / "swap_set.json").read_text())["why_not"]
    page = (small / "out" / "reports" / "portfolio.html").read_text()
    assert "too few to judge it by" in page
    assert json.loads((small / "out" / "summary.json").read_text())["release"]


def test_odd_lists_are_judged_as_far_as_they_go(small, capsys):
    """Bands outside the catalogue, a subset of nobody yet, answers of takers only, a frontier point that cannot hold."""
    bands = (
        f"CASE WHEN {OF_THE_LIST} AND letter_id LIKE '%77' THEN 'C' WHEN letter_id LIKE '%78' THEN NULL ELSE band END"
    )
    edit(small / "tables/opportunities.sql", "band, branch", f"{bands} AS band, branch, sent_at::DATE AS mailed_on")
    edit(
        small / "tables/outcomes.sql",
        "data/letters.csv')",
        f"data/letters.csv') WHERE NOT {OF_THE_LIST} OR took_up = 1",
    )
    edit(small / "limits.toml", "at_most = 1000", "at_most = 1000\nat_least = 700")
    with (small / "evidence.toml").open("a") as file:
        file.write('\n[[policy]]\nname = "best"\nkind = "best_offer_per_band"\nsays = "the best offer of each band"\n')
        file.write('\n[[subset]]\nname = "rich"\nwhere = "amount_lent > 1e9"\nsays = "nobody yet"\n')
    assert status_of(["run", str(small)]) == 0
    said = capsys.readouterr().out
    evidence = json.loads((small / "out" / "evidence" / "evidence.json").read_text())
    assert "Left out of the evidence: " in said
    assert evidence["response"] is None
    assert evidence["subsets"][1] == {
        "name": "rich", "says": "nobody yet", "takers": 0, "contribution_per_taker": None, "arrears_per_lent": None,
    }  # fmt: skip
    assert [(each["code"], each["severity"]) for each in evidence["findings"]] == [("OP815", "warning")]
    assert set(evidence["best_offer_per_band"]) == {"A", "B"}
    assert all(np.isfinite(each["forecast_value"]) for each in evidence["policies"])
    points = json.loads((small / "out" / "plan" / "frontier.json").read_text())["points"]
    assert [each["value"] is None for each in points] == [True, False, False, False]
    page = (small / "out" / "reports" / "portfolio.html").read_text()
    assert "No plan keeps a bound of 500 beside the other limits." in page
    assert "[OP815]" in page


def test_every_figure_of_a_policy_has_beside_it_what_it_rests_on(usual):
    realised = [row for row in usual["planned_against_realised"] if row["method"] == "snipw"]
    assert realised
    for row in (*usual["estimates"], *usual["tail"], *realised):
        of_plan = usual["support"][row.get("policy", "planned")]
        assert row["effective_n"] > 0
        assert row["largest_weight"] >= of_plan["largest_weight"]
        assert row["unsupported"] >= of_plan["unsupported"]


def test_takers_without_arrears_do_not_show_that_none_will_come(small_run):
    trial = open_list(small_run.settings, small_run.out).trial
    before = subset_contributions(trial)[0]["arrears_per_lent"]
    none = msgspec.structs.replace(trial, uses=trial.uses | {"expected_loss": np.zeros(len(trial.logged))})
    assert before["low"] < before["value"] < before["high"]
    assert subset_contributions(none)[0]["arrears_per_lent"] is None


def two_slots_each(directory):
    """Give every two letters in a row to one customer, as slots 1 and 2."""
    number = "substr(letter_id, 2)::INTEGER"
    for name in ("opportunities", "decisions"):
        edit(
            directory / f"tables/{name}.sql",
            "customer_id, '1' AS slot",
            f"'p' || {number} // 2 AS customer_id, ({number} % 2 + 1)::VARCHAR AS slot",
        )
    for name in ("customers", "events"):
        path = directory / f"tables/{name}.sql"
        path.write_text(
            path.read_text().replace("customer_id, ", "'p' || substr(customer_id, 2)::INTEGER // 2 AS customer_id, ", 1)
        )
        path.write_text(path.read_text() + "WHERE substr(customer_id, 2)::INTEGER % 2 = 0\n")
    edit(directory / "limits.toml", "[frontier]", "[elsewhere]")
    (directory / "limits.toml").write_text((directory / "limits.toml").read_text().split("[elsewhere]")[0])


def test_two_slots_of_a_customer_are_one_customer(small, usual):
    two_slots_each(small)
    project, evidence = evaluated(small)
    certificate = project.planned().certificate
    assert (certificate.opportunities, evidence["customers"]) == (2000, 1000)
    assert certificate.offered / 2 <= evidence["reached"] <= min(certificate.offered, 1000)
    # What everyone was logged at needs no plan: the same letters, told per customer, are worth twice as much.
    for method in ("ipw", "snipw", "dr"):
        logged = ("logged", None, "contribution_per_customer", method)
        assert estimates(evidence)[logged] == pytest.approx(2 * estimates(usual)[logged], rel=0.02)
    page = (project.out / "reports" / "portfolio.html").read_text()
    assert f"The plan reaches {evidence['reached']:,} of 1,000 customers, with " in page
    assert sum(row["customers"] for row in evidence["fairness"]) == 1000
    assert all(0 <= row["share_planned"] <= 1 for row in (*evidence["fairness"], *evidence["chosen"]))
    cells = [cell for cell in project.swap_set()["cells"] if cell["segment"] == "all"]
    assert sum(cell["customers"] for cell in cells) >= 1000
    total = sum(cell["customers"] * cell["change"]["contribution_per_customer"]["value"] for cell in cells)
    difference = next(
        v
        for (p, a, m, h), v in estimates(evidence).items()
        if (p, a, h) == ("planned", "logged", "dr") and not m.endswith("capped")
    )
    assert total == pytest.approx(1000 * difference, rel=1e-6)


def test_a_second_decision_of_an_opportunity_is_refused(small, capsys):
    with (small / "tables/decisions.sql").open("a") as file:
        file.write(
            " UNION ALL BY NAME SELECT letter_id || 'b' AS decision_id, letter_id AS opportunity_id, customer_id, '1' AS slot, sent_at::TIMESTAMPTZ AS decided_at, 's' AS stratum, monthly_rate_pp FROM read_csv('data/letters.csv') LIMIT 9001"
        )
    assert status_of(["check", str(small)]) == 2
    assert "[OP030]" in (said := capsys.readouterr().err)
    assert "one decision for each opportunity" in said


def test_fairness_tables_know_customers_as_of_the_list(small, usual):
    """A later row of each customer says something else, and an earlier one is out of date: neither is told."""
    told = (small / "tables/customers.sql").read_text()
    other = [
        f"SELECT customer_id, known_from + to_years({years}) AS known_from, score, 0 AS age FROM ({told}) AS t{n}"
        for n, years in enumerate((3, -3))
    ]
    (small / "tables/customers.sql").write_text(f"{told} UNION ALL {' UNION ALL '.join(other)}")
    assert evaluated(small)[1]["fairness"] == usual["fairness"]


def test_a_bound_of_the_whole_list_is_held_against_the_whole_list(small):
    limits = small / "limits.toml"
    limits.write_text(limits.read_text() + '\n[[limit]]\nname = "lent"\nuses = "amount_lent"\nat_most = 60000\n')
    everybody = evaluated(small)[1]["planned_against_realised"]
    half = f"data/letters.csv') WHERE NOT ({OF_THE_LIST} AND hash(letter_id) % 2 = 0)"
    edit(small / "tables/outcomes.sql", "data/letters.csv')", half)
    project, evidence = evaluated(small)
    lent, whole = (
        next(row for row in rows if row["limit"] == "lent")
        for rows in (evidence["planned_against_realised"], everybody)
    )
    assert (whole["from"], whole["listed"]) == (2000, 2000)
    assert (lent["from"], lent["listed"]) == (evidence["rows"], 2000)
    assert lent["low"] < whole["realised"] < lent["high"]
    page = (project.out / "reports" / "portfolio.html").read_text()
    assert f", from {evidence['rows']:,} of 2,000" in page


def test_a_list_without_a_single_taker_is_not_judged_as_if_it_were_certain(small, capsys):
    took = "CASE WHEN sent_at >= TIMESTAMP '2025-03-01' THEN 0 ELSE took_up END"
    edit(small / "tables/outcomes.sql", "took_up::DOUBLE AS took_up", f"({took})::DOUBLE AS took_up")
    edit(small / "tables/outcomes.sql", "    amount_lent,", f"    amount_lent * ({took}) AS amount_lent,")
    project, evidence = evaluated(small)
    assert evidence["estimates"] == evidence["verdicts"] == evidence["tail"] == []
    assert {finding["code"] for finding in evidence["findings"]} == {"OP629"}
    came_out = {row["limit"]: row["realised"] for row in evidence["planned_against_realised"]}
    assert came_out == {"letters": 1000, "arrears rate": None}
    assert status_of(["evaluate", str(small)]) == 0
    assert "outcomes that are all -" in capsys.readouterr().out
    assert "there is no evidence" in (project.out / "reports" / "portfolio.html").read_text()


def test_beside_each_figure_stands_how_well_the_log_supports_it(usual):
    for row in usual["estimates"]:
        both = [usual["support"][name] for name in (row["policy"], row["against"]) if name is not None]
        assert row["largest_weight"] == max(each["largest_weight"] for each in both)
        assert row["unsupported"] == max(each["unsupported"] for each in both) == 0.0
