"""Decisions that offered nothing are judged: what customers do unasked is observed, teaches nothing, and uses nothing.

The list of the small project is answered anew: who comes unasked, and who answers each offer, is fixed for every
customer. So the true value of every policy is known, whatever was drawn for whom.
"""

import csv
import shutil

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opportune.domain import BadInput, Limit
from opportune.evaluation import AsLogged, compare, estimate
from opportune.project import Project
from opportune.workflow.declarations import check_declarations
from opportune.workflow.frames import open_tables
from opportune.workflow.holdout import draw_holdout
from opportune.workflow.judged import judged_policies
from opportune.workflow.left_alone import NOBODY
from opportune.workflow.listed import read_listed, without_holdout
from opportune.workflow.outcome_model import FEWEST_UNASKED, cross_fitted_unasked
from opportune.workflow.realised import Whole, planned_against_realised
from opportune.workflow.scaffold import scaffold
from opportune.workflow.trial import RAW, judged_decisions, open_list, open_trial

AT = "2025-03-01"
LOAN = 300.0 * 6 * 0.02 - 0.07 / 24 * 300.0 * 7 - 6.0
"""What a loan of 300 over 6 months is worth at the figures of economics.toml, before arrears and without a letter."""
LETTER, LATE, LATE_UNASKED = 0.8, 9.0, 15.0
STANDARD, STEP = {"A": 2.0, "B": 3.0}, {"A": 0.4, "B": 0.6}


def letters_of(directory):
    with (directory / "data/letters.csv").open() as file:
        return list(csv.DictReader(file))


def answered(directory):
    """Answer the letters of the list anew, and leave one in ten of all letters unsent; return who takes what."""
    draw, letters, takes = np.random.default_rng(6), letters_of(directory), {}
    for letter in letters:
        likely = 0.3 if letter["band"] == "A" else 0.1
        step, alone, mood = draw.integers(3), draw.random() < 0.1, draw.random()
        takes[letter["letter_id"]] = [mood < likely, *(mood < likely + 0.1 + 0.1 * k for k in range(3))]
        if letter["sent_at"] == AT:
            letter["monthly_rate_pp"] = round(STANDARD[letter["band"]] - step * STEP[letter["band"]], 2)
            took = takes[letter["letter_id"]][0 if alone else step + 1]
            letter |= {"took_up": int(took), **dict.fromkeys(("amount_lent", "term_months", "arrears"), "")}
            late = LATE_UNASKED if alone else LATE
            letter |= {"amount_lent": 300.0, "term_months": 6, "arrears": late} if took else {}
        letter["monthly_rate_pp"] = "" if alone else letter["monthly_rate_pp"]
    with (directory / "data/letters.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(letters[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(letters)
    return takes


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The project with decisions that offered nothing, the same with them left out, and who takes what."""
    folder = tmp_path_factory.mktemp("left_alone")
    scaffold(folder / "with")
    takes = answered(folder / "with")
    edit(folder / "with/tables/outcomes.sql", "monthly_rate_pp / 100", "0.02")
    edit(folder / "with/limits.toml", "[frontier]", "[exploration]\nholdout = 0.1\n\n[frontier]")
    shutil.copytree(folder / "with", folder / "without")
    edit(folder / "with/tables/decisions.sql", "monthly_rate_pp\n",
         "monthly_rate_pp,\n    CASE WHEN monthly_rate_pp IS NULL THEN 'NO_OFFER' END AS offer_id\n")  # fmt: skip
    for table in ("decisions", "outcomes"):
        edit(folder / f"without/tables/{table}.sql", "letters.csv')", "letters.csv') WHERE monthly_rate_pp IS NOT NULL")
    found = [Project.open(folder / name) for name in ("with", "without")]
    for project in found:
        project.run()
    return *found, takes


def of(evidence, policy, against=None, method="dr", measure="contribution_per_customer"):
    (row,) = (
        row for row in evidence["estimates"]
        if (row["policy"], row["against"], row["method"], row["measure"]) == (policy, against, method, measure)
    )  # fmt: skip
    return row


def truth(project, takes, choice_of):
    """Return the mean value over the listed customers of a choice: 0 for none, k + 1 for step k."""
    choices = [(who, choice_of(offer)) for who, offer in planned(project).items()]
    return float(np.mean([worth(takes[who][k], k) for who, k in choices]))


def planned(project):
    """Return what the plan offers each customer, those held out too: as it was before they were drawn."""
    rows = pq.read_table(project.out / "plan/probabilities.parquet").to_pylist()
    offered = {row["opportunity_id"]: "NO_OFFER" for row in rows}
    return offered | {
        row["opportunity_id"]: row["offer_id"]
        for row in rows
        if row["probability"] > 0 and row["offer_id"] != "NO_OFFER"
    }


def worth(took, choice):
    return took * (LOAN - (LATE if choice else LATE_UNASKED)) - LETTER * (choice > 0)


def sent(project, *, alone, of_list=True):
    """Return the letters, of the list or of those that teach, that were not sent, or that were."""
    letters = letters_of(project.settings.directory)
    return [each for each in letters if (each["sent_at"] == AT) == of_list and (not each["monthly_rate_pp"]) == alone]


PLANNED = {"NO_OFFER": 0, "standard": 1, "step_1": 2, "step_2": 3}
TRUE = {
    "nobody": lambda _: 0,
    "planned": PLANNED.get,
    "standard": lambda _: 1,
    "planned_half_standard": lambda offer: min(PLANNED[offer], 1),
}


@pytest.mark.parametrize("method", ["ipw", "snipw", "dr"])
def test_every_policy_is_worth_the_truth_and_so_is_what_contacts_cause(method, runs):
    project, _, takes = runs
    evidence, true = project.evidence(), {name: truth(project, takes, choice) for name, choice in TRUE.items()}
    for name, value in true.items():
        row = of(evidence, name, method=method)
        assert row["low"] < value < row["high"], name
    caused = of(evidence, "planned", "nobody", method)
    assert caused["low"] < true["planned"] - true["nobody"] < caused["high"]


def test_the_report_begins_with_what_contacts_cause_and_says_what_it_rests_on(runs):
    project, _, _ = runs
    evidence = project.evidence()
    assert evidence["verdicts"][0]["against"] == "nobody"
    assert evidence["left_alone"] == len(sent(project, alone=True))
    assert f"counts as observed in {evidence['left_alone']} decisions that offered nothing" in evidence["assumption"]
    page = (project.out / "reports/portfolio.html").read_text()
    assert evidence["assumption"] in page
    assert project.settings.evidence.assumption not in page


def test_nobody_uses_a_contact_and_only_takers_of_offers_are_takers(runs):
    project, without, _ = runs
    nobody = next(each for each in project.evidence()["policies"] if each["name"] == "nobody")
    assert nobody["forecast_value"] == 0.0
    assert set(nobody["forecast_uses"].values()) == {0.0}
    found, left_out = ([row["takers"] for row in each.evidence()["subsets"]] for each in (project, without))
    assert found == left_out
    assert found[0] > 0
    assert project.evidence()["support"]["nobody"]["offered"] == 0.0
    came_out = {row["limit"]: row["realised"] for row in project.evidence()["planned_against_realised"]}
    assert came_out == {"letters": 1000, "arrears rate": None}  # all takers of offers are late by the same
    (untold,) = [each for each in project.evidence()["findings"] if each["subject"] == "limit 'arrears rate'"]
    assert (untold["code"], untold["severity"]) == ("OP629", "warning")


def test_what_the_plan_lends_is_told_without_those_whom_it_held_out(runs):
    """Their letters are judged as if sent, so that weights fit; the plan sent them none, and its bound has none."""
    project, _, takes = runs
    trial = open_list(project.settings, project.out).trial
    held_out = int(draw_holdout(project.settings, trial.listed.batch).sum())
    limits = [Limit(name=use, uses=use, at_most=1e9) for use in ("amount_lent", "expected_loss")]
    places = tuple(msgspec.structs.replace(trial.listed.places[0], limit=limit) for limit in limits)
    trial = msgspec.structs.replace(trial, listed=msgspec.structs.replace(trial.listed, places=places))
    policies = judged_policies(trial, trial.settings.evidence.policy, {})
    whole, nothing = Whole(listed=len(trial.listed), held_out=held_out), {limit.name: 0.0 for limit in limits}
    (row, lost), untold = planned_against_realised(trial, policies, nothing, whole)
    assert untold == []
    assert lost["realised"] / row["realised"] == pytest.approx(LATE / 300)  # and no loan that came unasked
    would = [300.0 * takes[who][PLANNED[offer]] for who, offer in planned(project).items() if offer != "NO_OFFER"]
    assert held_out > 0
    assert row["low"] < sum(would) * (1 - held_out / len(trial.listed)) < row["high"]
    (unheld, _), _ = planned_against_realised(trial, policies, nothing, msgspec.structs.replace(whole, held_out=0))
    assert unheld["realised"] * (1 - held_out / len(trial.listed)) == pytest.approx(row["realised"])


def test_the_swap_set_tells_who_is_left_alone_by_the_plan(runs):
    cells = {cell["kind"]: cell for cell in runs[0].swap_set()["cells"] if cell["segment"] == "all"}
    assert set(cells) == {"swapped out", "offered by both"}
    assert cells["swapped out"]["customers"] == sum(offer == "NO_OFFER" for offer in planned(runs[0]).values())
    assert cells["swapped out"]["newer"]["contribution_per_customer"]["value"] > 0
    assert cells["swapped out"]["newer"]["amount_lent"]["value"] == 0.0


def test_without_them_nothing_is_added(runs):
    _, project, _ = runs
    evidence = project.evidence()
    assert [each["name"] for each in evidence["policies"]] == [each.name for each in project.settings.evidence.policy]
    assert evidence["assumption"] == project.settings.evidence.assumption
    plain = np.mean([worth(int(each["took_up"]), 1) for each in sent(project, alone=False)])
    assert of(evidence, "logged")["value"] == pytest.approx(plain)


def test_they_teach_nothing(runs):
    of_them, of_others = (project.evidence()["training"] for project in runs[:2])
    assert of_them["files"] == of_others["files"]
    assert (of_them["left_alone"], of_others["left_alone"]) == (len(sent(runs[0], alone=True, of_list=False)), 0)
    assert of_them["outside_catalogue"] == 0


def changed(project, table, columns):
    """Return the planned list with one of its tables changed."""
    listed = read_listed(project.settings, project.out)
    listed.engine.register(table, listed.engine.query(f"SELECT {columns} FROM {table}"))
    return listed


@pytest.mark.parametrize("price", ["2.0", "99.0"])
def test_who_was_offered_nothing_was_offered_no_price(price, runs):
    engine = open_tables(runs[0].out, runs[0].settings.directory)
    priced = f"* REPLACE (CASE WHEN offer_id = 'NO_OFFER' THEN {price} ELSE monthly_rate_pp END AS monthly_rate_pp)"
    engine.register("decisions", engine.query(f"SELECT {priced} FROM decisions"))
    with pytest.raises(BadInput, match=r"OP835\] offer_id is not the offer of the price in 602 decisions.*'NO_OFFER'"):
        check_declarations(runs[0].settings, engine)


def test_a_price_that_is_missing_is_not_taken_for_a_customer_left_alone(runs):
    listed = changed(runs[0], "decisions", "* REPLACE (CASE WHEN offer_id = 'NO_OFFER' THEN NULL END AS offer_id)")
    with pytest.raises(BadInput, match=r"OP608\].*where nothing was offered, write 'NO_OFFER' as offer_id"):
        judged_decisions(listed)


def test_nobody_can_be_judged_only_where_somebody_was_left_alone(runs):
    """In the stratum of band A nobody was: a policy that leaves its customers alone is refused."""
    listed = changed(runs[0], "decisions", "*")
    listed.engine.register("decisions", listed.engine.query(
        "SELECT * FROM decisions WHERE NOT (stratum LIKE 'A%' AND offer_id IS NOT DISTINCT FROM 'NO_OFFER')"))  # fmt: skip
    trial = open_trial(listed, judged_decisions(listed))
    of_name = judged_policies(trial, (*trial.settings.evidence.policy, NOBODY), {})
    refused = trial.past.band == "A"
    assert np.array_equal(of_name["nobody"].unsupported(trial.logged) > 0, refused)
    assert np.array_equal(of_name["planned"].unsupported(trial.logged) > 0, refused & (trial.listed.planned[None] < 0))
    assert of_name["logged"].unsupported(trial.logged).sum() == 0.0


def test_known_probabilities_hold_that_of_nothing(runs):
    listed = read_listed(runs[0].settings, runs[0].out)
    offers = (
        "(VALUES ('standard', 0.3), ('step_1', 0.3), ('step_2', 0.3), ('NO_OFFER', 0.1)) AS t(offer_id, probability)"
    )
    listed.engine.register(
        "probabilities", listed.engine.query(f"SELECT d.decision_id, t.* FROM decisions AS d, {offers}")
    )
    trial = open_trial(listed, judged_decisions(listed))
    assert trial.logged.offer_ids[-1] == "NO_OFFER"
    assert np.allclose(trial.logged.probability, [0.3, 0.3, 0.3, 0.1])
    without = trial.past.take(~trial.past.left_alone)
    never = open_trial(read_listed(runs[0].settings, runs[0].out), without).logged
    assert "NO_OFFER" not in never.offer_ids
    assert np.allclose(never.outside, 0.1)


def test_customers_left_alone_are_predicted_by_others_like_them():
    draw = np.random.default_rng(1)
    known, cluster = draw.normal(size=(400, 2)), draw.integers(0, 40, 400).astype(str)
    priced, alone = np.arange(400) > 9, np.arange(400) % 2 == 0
    outcome = 3.0 + 2.0 * known.mean(axis=1)

    def predicted(rows, priced=priced):
        return cross_fitted_unasked(np.where(rows, outcome, 99.0), rows, [known], cluster, priced, 4, 1)

    assert np.allclose(predicted(alone)[priced], outcome[priced])
    few = predicted(alone & (np.arange(400) < FEWEST_UNASKED))
    assert len(np.unique(few)) == 4
    assert np.all((few > 0) & (few < 6))
    one_cluster = predicted(cluster == "7")
    assert set(one_cluster[cluster == "7"]) == {0.0}


def test_the_log_of_the_project_holds_them_too(runs):
    logged, made = (project.logged() for project in runs[:2])
    assert (logged.offer_ids[-1], len(logged.offer_ids)) == ("NO_OFFER", len(made.offer_ids) + 1)
    assert logged.left_alone().mean() == pytest.approx(np.mean(logged.action == len(made.offer_ids)))
    everyone = [AsLogged("everyone", np.ones(len(each)), each.given_an_offer()) for each in (logged, made)]
    of_both = [
        estimate(each, policy, measure="took_up", estimator="ipw", cluster="cluster").value
        for each, policy in zip((logged, made), everyone, strict=True)
    ]
    assert of_both[0] == pytest.approx(of_both[1], abs=0.01)


def sent_as_planned(listed, project, takes):
    """Log the list as it was planned: everybody gets the planned offer, who was held out gets nothing."""
    offers, held_out = planned(project), draw_holdout(project.settings, listed.batch)
    rows = []
    for who, customer, band, alone in zip(
        listed.batch.opportunity_id, listed.batch.customer_id, listed.band(), held_out, strict=True
    ):
        offer = "NO_OFFER" if alone else offers[who]
        k = PLANNED[offer]
        price = STANDARD[band] - (k - 1) * STEP[band] if k else None
        took = float(takes[who][k])
        lent = 300.0 * took
        rows.append(
            {"decision_id": who, "opportunity_id": who, "customer_id": customer, "slot": "1", "stratum": offers[who],
             "monthly_rate_pp": price, "offer_id": "NO_OFFER" if k == 0 else None, "took_up": took, "amount_lent": lent,
             "term_months": 6.0 * took, "amount_months": 6 * lent, "interest_months": 6 * lent, "interest": 0.12 * lent,
             "arrears": took * (LATE if k else LATE_UNASKED)}
        )  # fmt: skip
    listed.engine.register("_sent", pa.Table.from_pylist(rows))
    at = f"TIMESTAMPTZ '{AT}'"
    listed.engine.register("decisions", listed.engine.query(f"SELECT *, {at} AS decided_at FROM _sent"))
    listed.engine.register("outcomes", listed.engine.query(f"SELECT *, {at} AS observed_until FROM _sent"))


def test_a_list_sent_as_planned_tells_what_the_plan_caused(runs):
    """Who is held out is who is left alone: a policy that followed that draw would be worth far too much."""
    project, _, takes = runs
    listed = read_listed(project.settings, project.out)
    sent_as_planned(listed, project, takes)
    trial = open_trial(without_holdout(listed, project.out), judged_decisions(listed))
    plan = next(spec for spec in trial.settings.evidence.policy if spec.is_plan)
    policies = judged_policies(trial, (plan, NOBODY), {})
    options = {"measure": RAW, "cluster": "cluster", "outcome_model": trial.outcome_models[RAW]}
    caused = compare(trial.logged, policies[plan.name], policies["nobody"], **options)
    alone = estimate(trial.logged, policies[plan.name], **options)
    true = {name: truth(project, takes, TRUE[name]) for name in ("planned", "nobody")}
    assert caused.low < true["planned"] - true["nobody"] < caused.high
    assert alone.low < true["planned"] < alone.high
    followed = open_trial(listed, judged_decisions(listed))
    wrong = estimate(followed.logged, judged_policies(followed, (plan,), {})[plan.name], estimator="ipw", **options)
    assert wrong.low > true["planned"]
