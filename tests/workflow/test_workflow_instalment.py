"""A project whose value comes from lifetime curves: planned, sealed, decided, under scenarios, and judged."""

import json
import shutil
from importlib import import_module

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.cli.app import status_of
from opportune.decisioning import candidates, open_release, seal
from opportune.domain import BadInput
from opportune.economics import Curves
from opportune.economics.instalment_offers import OFFER_RESOURCES, OFFER_UNITS
from opportune.economics.lifetime_assumptions import UNITS
from opportune.project import Project
from opportune.workflow.cross_checks import cross_checks
from opportune.workflow.curves_file import write_curves
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts
from opportune.workflow.listed import read_listed
from opportune.workflow.plan import read_rulebook
from opportune.workflow.read_settings import load_settings
from opportune.workflow.trial import judged_decisions, realised

candidates_module = import_module("opportune.decisioning.candidates")

FIGURES = dict.fromkeys(UNITS, 0.0) | {
    "cost_of_funds": 0.07, "advance_rate": 0.85, "capital_ratio": 0.15, "cost_of_equity": 0.12, "discount_rate": 0.08,
    "servicing": 0.5, "contact": 0.8, "organic": 0.2, "baseline": 0.0,
}  # fmt: skip
HEAD = 'kind = "instalment"\ncapital_is = "hurdle"\ncurves = "curves.json"\nprice_is = "monthly_rate_pp"\n'
TERMS = """
[terms]
payments = 12
per_year = 12
first_period = 1
flat = 0
risk = 1
down_payment = 0
mdr = 0
interchange = 0
incentive = 0
market_rate = 0
sold = 0
sale_price = 1
refunded = 0
"""
SCENARIO = '\n[[scenario]]\nname = "bad"\nsays = "twice the defaults"\nloss = 2.0\n'
LIMITS = """
[objective]
maximise = "value"

[[limit]]
name = "letters"
uses = "contacts"
at_most = 1000

[[limit]]
name = "capital"
uses = "capital"
at_most = 1000

[[limit]]
name = "loss rate"
uses = "expected_loss"
per = "amount_lent"
at_most = 0.06
in_scenarios = ["bad"]
"""


def economics():
    units = {**UNITS, **OFFER_UNITS}
    figures = [f'[{name}]\nvalue = {each}\nunit = "{units[name]}"\nsource = "test"\n' for name, each in FIGURES.items()]
    return HEAD + "\n".join(figures) + TERMS + SCENARIO


BOOKED = """SELECT letter_id AS decision_id, observed_until::TIMESTAMPTZ AS observed_until, took_up::DOUBLE AS took_up,
    amount_lent, amount_lent * term_months * monthly_rate_pp / 200 AS interest, arrears / 4 AS net_loss,
    amount_lent * term_months / 24 AS balance_years, term_months::DOUBLE AS payments_made,
    term_months::DOUBLE AS months_open, amount_lent AS paid, term_months::DOUBLE AS term_months,
    amount_lent * term_months AS amount_months, amount_lent * term_months AS interest_months, arrears
FROM read_csv('data/letters.csv')
"""


def made_a_lender(directory):
    """Turn the small project into one whose loans are valued by curves of two bands."""
    months = np.ones((2, 12))
    curves = Curves(segments=("A", "B"), default=months * [[0.004], [0.012]], prepay=months * 0.02,
                    recovery=np.full((2, 2), 0.05), charge_off_lag=4)  # fmt: skip
    write_curves(directory / "curves.json", curves, ("band",))
    (directory / "economics.toml").write_text(economics())
    (directory / "limits.toml").write_text(LIMITS)
    (directory / "tables/outcomes.sql").write_text(BOOKED)
    return directory


@pytest.fixture
def lender(small):
    return made_a_lender(small)


@pytest.fixture(scope="module")
def ran(small_run, tmp_path_factory):
    """The lender's project, run once from its rows to its evidence."""
    directory = tmp_path_factory.mktemp("lender") / "project"
    shutil.copytree(small_run.settings.directory, directory, ignore=shutil.ignore_patterns("out"))
    project = Project.open(made_a_lender(directory))
    project.run()
    return project


def test_a_plan_from_curves_keeps_its_limits_in_scenarios_too(ran):
    certificate = json.loads((ran.out / "plan/certificate.json").read_text())
    assert certificate["value"] > 0.0
    kept = {row["name"]: row for row in certificate["rows"]}
    assert set(kept) == {"letters", "capital", "loss rate", "loss rate in bad"}
    for row in kept.values():
        assert row["used"] <= row["limit"] + 1e-6, row
    assert kept["capital"]["used"] > 900.0  # it binds: capital is what this plan is short of
    table = pq.read_table(ran.out / "plan/candidates.parquet")
    assert set(OFFER_RESOURCES) <= set(table.column_names)
    assert (np.array(table["expected_loss"]) > 0.0).all()


def test_who_plans_is_told_what_the_check_of_settings_asks(ran):
    """The check of tables is reused while limits change: what is asked about them is asked anew."""
    assert [finding.code for finding in ran.doubts()] == ["OP477"]
    settings = msgspec.structs.replace(ran.settings, limits=ran.settings.limits[:1])
    assert Project(settings, ran.out).doubts() == []


def listed(project):
    settings = project.settings
    engine = open_tables(project.out, settings.directory)
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    return batch, read_facts(project.out, list(settings.features), batch.opportunity_id, settings.plan_at)


def test_a_sealed_release_decides_as_the_plan_was_valued(ran, tmp_path):
    """One opportunity valued alone, from the sealed release, has the bits of the batch."""
    draft = read_rulebook(ran.settings, ran.out)
    sealed = seal(tmp_path, draft, (), ran.settings.features, {}, "test", str(ran.settings.plan_at))
    release = open_release(tmp_path / sealed.hash)
    assert release.rulebook.assumptions == draft.assumptions
    batch, facts = listed(ran)
    many = candidates(batch, facts, draft)
    for row in range(5):
        only = np.array([row])
        one = candidates(batch.take(only), facts.take(only), release.rulebook)
        assert one.value[0].tolist() == many.value[row].tolist()
        assert one.uses["capital"][0].tolist() == many.uses["capital"][row].tolist()


def test_one_forecast_that_cannot_be_is_one_offer_less(ran, monkeypatch):
    draft, (batch, facts) = read_rulebook(ran.settings, ran.out), listed(ran)
    whole, amount, predict = candidates(batch, facts, draft), draft.models["amount"], candidates_module.predict_offers

    def with_one_below_zero(model, values, terms):
        mean, spread = predict(model, values, terms)
        return (np.where(at == 0, -5.0, mean) if model is amount else mean), spread

    row, offer = np.argwhere(whole.eligible)[0]
    at = np.ones(whole.eligible.shape)
    at[row, offer] = 0
    monkeypatch.setattr(candidates_module, "predict_offers", with_one_below_zero)
    found = candidates(batch, facts, draft)
    assert np.argwhere(found.eligible != whole.eligible).tolist() == [[row, offer]]
    assert np.isfinite(found.value).all()
    assert found.value[found.eligible].tolist() == whole.value[found.eligible].tolist()


def test_a_scenario_of_the_project_is_worth_less(ran):
    draft, bad = read_rulebook(ran.settings, ran.out), load_settings(ran.settings.directory, scenario="bad")
    batch, facts = listed(ran)
    usual = candidates(batch, facts, draft)
    there = candidates(batch, facts, msgspec.structs.replace(draft, assumptions=bad.assumptions))
    assert (there.value[usual.eligible] < usual.value[usual.eligible]).all()
    assert there.uses["expected_loss"].tolist() == usual.uses["expected_loss in bad"].tolist()


def test_what_depends_on_a_figure_is_told(ran):
    found = {(each.kind, each.name) for each in ran.uses("cost_of_funds")}
    assert found >= {("value", "value"), ("plan", "plan")}


def test_evidence_is_about_what_was_booked_in_the_same_lines(ran):
    evidence = ran.evidence()
    assert evidence["estimates"]
    told = {row["limit"]: row for row in evidence["planned_against_realised"]}
    assert told["letters"]["method"] == "known"
    assert told["capital"]["low"] < told["capital"]["realised"] < told["capital"]["high"]
    assert told["loss rate in bad"]["realised"] is None  # the scenario did not come


def test_outcomes_that_lack_a_booked_amount_are_told(ran):
    past = judged_decisions(read_listed(ran.settings, ran.out))
    less = {name: each for name, each in past.outcomes.items() if name != "net_loss"}
    with pytest.raises(BadInput, match=r"OP476.*net_loss is missing: the value of a booked loan needs it"):
        realised(msgspec.structs.replace(past, outcomes=less), ran.settings)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("economics.toml", "payments = 12\n", "", "[OP475] payments is missing: nothing is assumed unseen"),
        ("economics.toml", "[organic]", "[orgnic]", "[OP401] orgnic is not an assumption. Did you mean organic?"),
        ("economics.toml", 'price_is = "monthly_rate_pp"', 'price_is = "monthly"', "price_is"),
        ("economics.toml", "curves.json", "curve.json", "[OP457]"),
        ("curves.json", '"band"', '"grade"', "[OP475] curves are by grade: expected band"),
        ("curves.json", '"B"', '"C"', "[OP475] curves have no segment 'B'"),
        ("limits.toml", 'uses = "capital"', 'uses = "capitol"', "[OP501]"),
    ],
)
def test_settings_that_do_not_fit_are_told(lender, capsys, file, old, new, words):
    text = (lender / file).read_text()
    assert old in text
    (lender / file).write_text(text.replace(old, new))
    assert status_of(["plan", str(lender)]) == 2
    assert words in capsys.readouterr().err


def asked(directory):
    found = [each for each in cross_checks(load_settings(directory)) if each.severity == "warning"]
    return [f"[{each.code}] {each.subject} {each.message}" for each in found]


def test_a_limit_on_capital_beside_a_charge_for_it_is_asked_about(lender):
    words = "has a price of capital, and cost_of_equity (0.12) is one too: capital is charged twice"
    assert asked(lender) == [f"[OP477] limit 'capital' {words}"]
    path = lender / "economics.toml"
    path.write_text(path.read_text().replace('capital_is = "hurdle"', 'capital_is = "cash"'))
    assert asked(lender) == []


def test_a_price_in_per_cent_is_asked_about(lender):
    path = lender / "economics.toml"
    path.write_text(path.read_text().replace('price_is = "monthly_rate_pp"', 'price_is = "rate"'))
    told = [each for each in asked(lender) if each.startswith("[OP470]")]
    settings = load_settings(lender)
    assert len(told) == len(settings.catalogue.bands)
    for words, band in zip(told, settings.catalogue.bands, strict=True):
        assert f"band '{band.name}'.standard is {band.standard:g} as rate" in words
        assert words.endswith(f"Did you mean {band.standard / 100:g}?")
