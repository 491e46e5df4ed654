"""The demo on real data: figures of an independent study, limits, files, honest words, and bits.

One row and 100,000 rows give the same bits, in any order: the promise that list and request decide alike. It is tested
here, because a file's tests run in one process and the demo is made once.
"""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.decisioning import candidates, forecast
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.plan import read_rulebook

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def summary(demo):
    return json.loads((demo.out / "summary.json").read_text())


@pytest.fixture(scope="module")
def evidence(demo):
    return json.loads((demo.out / "evidence" / "evidence.json").read_text())


def found(summary, policy, against=None, measure="contribution_per_customer", method="dr"):
    rows = [
        row
        for row in summary["evidence"]
        if (row["policy"], row["against"], row["measure"], row["method"]) == (policy, against, measure, method)
    ]
    assert len(rows) == 1
    return rows[0]


def test_summary_has_the_agreed_shape(summary):
    assert set(summary) == {"plan", "evidence", "release"}
    assert set(summary["plan"]) == {"status", "value", "bound", "gap", "rows"}
    assert all(set(row) == {"name", "used", "limit", "price", "slack"} for row in summary["plan"]["rows"])
    keys = {"policy", "against", "measure", "value", "low", "high", "n", "effective_n", "method"}
    assert all(set(row) == keys for row in summary["evidence"])
    policies = {row["policy"] for row in summary["evidence"]}
    assert policies == {
        "logged", "random_half", "recent_half", "planned_half_logged_offers", "standard", "best_step_per_band", "planned",
        "planned_half_standard", "planned_half_without_arrears_limit",
    }  # fmt: skip
    measures = {row["measure"] for row in summary["evidence"]}
    assert measures == {"contribution_per_customer", "contribution_per_customer_capped"}


def test_logged_offers_are_worth_what_the_data_say(summary):
    """12.18 rand is a plain mean of the data under the example's assumptions: it depends on no model and no seed."""
    for method in ("ipw", "snipw", "dr"):
        assert found(summary, "logged", method=method)["value"] == pytest.approx(12.1765, abs=5e-5)
    assert found(summary, "random_half")["value"] == pytest.approx(12.1765 / 2, abs=5e-5)


def test_figures_agree_with_the_independent_study(summary):
    assert found(summary, "recent_half")["value"] == pytest.approx(13.8, abs=0.15)  # ties are drawn by key
    assert found(summary, "standard", method="ipw")["value"] == pytest.approx(17.5, abs=0.2)
    half = found(summary, "planned_half_logged_offers")
    assert 11.5 < half["value"] < 18.1
    assert 17.0 < found(summary, "planned")["value"] < 23.0
    better = found(summary, "planned_half_logged_offers", "random_half")
    assert better["low"] > 0


def test_no_evidence_that_personal_prices_beat_one_price(summary, demo):
    page = (demo.out / "reports" / "portfolio.html").read_text()
    for against in ("standard", "planned_half_standard", "best_step_per_band"):
        row = found(summary, "planned", against)
        assert row["low"] < 0 < row["high"]
        assert f"that “the planned half, at planned prices” earns more than “{says(demo, against)}”:" in page
    assert found(summary, "planned", "standard")["value"] == pytest.approx(1.0, abs=1.0)
    assert "not uplift" in page


def test_choosing_whom_to_mail_is_shown_and_choosing_better_than_recency_is_not(demo):
    page = (demo.out / "reports" / "portfolio.html").read_text()
    half = says(demo, "planned_half_logged_offers")
    assert f"<li>“{half}” earned more than “{says(demo, 'random_half')}”:" in page
    assert f"that “{half}” earns more than “{says(demo, 'recent_half')}”:" in page


def test_the_limit_on_arrears_costs_what_the_study_did_not_pay(summary, demo):
    """The study had no such limit; without it the planned half comes near the study's 14.3 rand."""
    free = found(summary, "planned_half_without_arrears_limit")
    assert free["value"] == pytest.approx(14.3, abs=0.5)
    assert free["low"] < 14.3 < free["high"]
    cost = found(summary, "planned_half_without_arrears_limit", "planned_half_logged_offers")
    assert 0 < cost["low"] < cost["value"]
    costs = {row["limit"]: row["cost"] for row in json.loads((demo.out / "plan" / "limit_costs.json").read_text())}
    assert costs["arrears rate"] > 1000 > abs(costs["mailings"])


def test_capping_a_customer_cannot_raise_a_mean_of_gains(summary):
    """Every policy's capped figure is by plain arithmetic between the same data cut at 3,000 rand and the raw one."""
    for policy in ("logged", "planned", "standard", "best_step_per_band"):
        raw = found(summary, policy)
        capped = found(summary, policy, measure="contribution_per_customer_capped")
        assert abs(capped["value"]) < abs(raw["value"])
        assert capped["high"] - capped["low"] < raw["high"] - raw["low"]


def test_best_step_per_band_is_the_best_of_the_logged_means(evidence, summary):
    assert set(evidence["best_offer_per_band"]) == {"HIGH", "MEDIUM", "LOW"}
    assert found(summary, "best_step_per_band")["value"] > found(summary, "logged")["value"]


def says(project, policy):
    return next(each.says for each in project.settings.evidence.policy if each.name == policy)


def test_every_interval_holds_its_estimate(summary):
    assert all(row["low"] <= row["value"] <= row["high"] for row in summary["evidence"])


def test_the_integer_plan_keeps_every_limit_by_plain_arithmetic(demo, summary):
    plan = pq.read_table(demo.out / "plan" / "plan.parquet")
    used = {name: np.sum(plan[name].to_numpy()) for name in ("contacts", "amount_lent", "expected_loss")}
    assert used["contacts"] <= 14626
    assert used["amount_lent"] <= 2_200_000
    assert used["expected_loss"] <= 0.06 * used["amount_lent"] * (1 + 1e-9)
    assert np.sum(plan["value"].to_numpy()) == pytest.approx(summary["plan"]["value"], rel=1e-12)
    assert plan.num_rows == 29253
    assert summary["plan"]["gap"] <= 1e-4


def test_take_up_forecasts_hold_up_on_the_opened_list(evidence):
    response = evidence["response"]
    assert response["auc"] == pytest.approx(0.70, abs=0.02)
    assert response["mean_observed"] == pytest.approx(0.070, abs=5e-4)
    assert response["mean_predicted"] == pytest.approx(0.078, abs=0.004)
    assert response["log_loss"] < response["log_loss_of_base_rate"]


def test_arrears_above_the_planned_cap_are_shown(evidence, demo):
    row = next(row for row in evidence["planned_against_realised"] if row["limit"] == "arrears rate")
    assert row["planned"] <= 0.06 < row["low"]
    assert "beyond its bound" in (demo.out / "reports" / "portfolio.html").read_text()


def test_assignment_is_balanced_and_supported(evidence):
    assert evidence["balance"]["balanced"]
    assert all(each["unsupported"] == 0 for each in evidence["support"].values())


def test_takers_at_the_letter_rate_are_shown_apart(evidence):
    everyone, letter_rate = evidence["subsets"]
    assert everyone["takers"] == 2047
    assert letter_rate["takers"] / everyone["takers"] == pytest.approx(0.6, abs=0.05)
    assert everyone["arrears_per_lent"]["value"] == pytest.approx(0.134, abs=1e-3)


def test_rows_above_standard_teach_nothing(demo):
    card = json.loads((demo.out / "model-cards" / "response.json").read_text())
    assert card["rows"] == 4958 + 19599 - 632


def test_protected_columns_are_in_no_feature(demo):
    names = pq.read_schema(demo.out / "features" / "features.parquet").names
    assert not {"age", "female", "married", "dependants"} & set(names)
    assert {row["by"] for row in json.loads((demo.out / "evidence/evidence.json").read_text())["fairness"]} == {
        "sex", "age", "marital_status", "dependants",
    }  # fmt: skip


def test_a_second_run_reuses_every_step(demo):
    before = {path: path.read_bytes() for path in demo.out.rglob("*") if path.is_file() and path.name != "timings.json"}
    demo.run()
    assert all(run.reused for run in demo.runs)
    assert before == {path: path.read_bytes() for path in before}


def test_the_page_says_what_contribution_is_made_of_and_on_which_assumptions(demo):
    page = (demo.out / "reports" / "portfolio.html").read_text()
    for words in (
        "Contribution is interest less arrears, funding and servicing", "contractual", "and not cash received",
        "stand in for loss and are not loss", "0.140", "fraction per year on the average balance", "10.00",
        "rand per month of term", "5.00", "rand per letter", "1.00", "rand lost per rand of average arrears",
    ):  # fmt: skip
        assert words in page


@pytest.fixture(scope="module")
def waist(demo):
    """The demo's list, its facts and its rulebook: trees and linear models, five offers."""
    settings = demo.settings
    batch = opportunities_at(open_tables(demo.out, settings.directory), settings.plan_at, context_columns(settings))
    facts = read_facts(demo.out, list(settings.features), batch.opportunity_id, settings.plan_at)
    return batch, facts, read_rulebook(settings, demo.out)


def test_one_row_and_100_000_rows_give_the_same_bits(waist):
    batch, facts, rulebook = waist
    rows = np.resize(np.arange(len(batch)), 100_000)
    many = candidates(batch.take(rows), facts.take(rows), rulebook)
    for row in (0, 1, 17, 16_383, 16_384, 29_252, 99_999):
        one = candidates(batch.take(rows[[row]]), facts.take(rows[[row]]), rulebook)
        assert one.value.tobytes() == many.value[[row]].tobytes()
        assert all(one.uses[name].tobytes() == many.uses[name][[row]].tobytes() for name in one.uses)


def test_the_order_of_a_batch_changes_no_bit(waist):
    batch, facts, rulebook = waist
    rows = np.arange(3_000)
    straight = candidates(batch.take(rows), facts.take(rows), rulebook)
    turned = candidates(batch.take(rows[::-1]), facts.take(rows[::-1]), rulebook)
    assert straight.value.tobytes() == np.ascontiguousarray(turned.value[::-1]).tobytes()


def test_a_dearer_offer_is_never_likelier_to_be_taken(waist):
    batch, facts, rulebook = waist
    rows = np.arange(5_000)
    response = forecast(batch.take(rows), facts.take(rows), rulebook).quantities["response"]
    assert np.all(np.diff(response, axis=1) >= 0)  # steps are ordered by growing discount


def test_facts_in_another_order_are_refused(waist):
    batch, facts, rulebook = waist
    with pytest.raises(ValueError, match="order of the batch"):
        candidates(batch.take(np.array([0, 1])), facts.take(np.array([1, 0])), rulebook)
