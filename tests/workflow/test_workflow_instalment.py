"""A project whose value comes from lifetime curves: planned, sealed, decided, under scenarios, and judged."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.cli.app import status_of
from opportune.decisioning import candidates
from opportune.domain import BadInput
from opportune.economics import Curves
from opportune.economics.instalment_offers import OFFER_RESOURCES, OFFER_UNITS
from opportune.economics.lifetime_assumptions import UNITS
from opportune.project import Project
from opportune.workflow.curves_file import write_curves

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


@pytest.fixture
def lender(small):
    """The small project, its loans valued by curves of two bands."""
    months = np.ones((2, 12))
    curves = Curves(segments=("A", "B"), default=months * [[0.004], [0.012]], prepay=months * 0.02,
                    recovery=np.full((2, 2), 0.05), charge_off_lag=4)  # fmt: skip
    write_curves(small / "curves.json", curves, ("band",))
    (small / "economics.toml").write_text(economics())
    (small / "limits.toml").write_text(LIMITS)
    return small


def rows(project):
    certificate = json.loads((project.out / "plan/certificate.json").read_text())
    return {row["name"]: row for row in certificate["rows"]}


def test_a_plan_from_curves_keeps_its_limits_in_scenarios_too(lender):
    project = Project.open(lender)
    planned = project.plan()
    assert planned.certificate.value > 0.0
    table = pq.read_table(project.out / "plan/candidates.parquet")
    assert set(OFFER_RESOURCES) <= set(table.column_names)
    kept = rows(project)
    assert set(kept) == {"letters", "capital", "loss rate", "loss rate in bad"}
    for row in kept.values():
        assert row["used"] <= row["limit"] + 1e-6, row
    assert kept["capital"]["used"] > 900.0  # it binds: capital is what this plan is short of
    assert (np.array(table["expected_loss"]) > 0.0).all()


def test_a_release_decides_as_the_plan_was_valued_without_a_compiler(lender):
    """One opportunity valued alone, from the sealed release, has the bits of the batch."""
    (lender / "limits.toml").write_text(LIMITS[: LIMITS.index('[[limit]]\nname = "capital"')])
    project = Project.open(lender)
    project.plan()
    project.release()
    from opportune.decisioning import open_release
    from opportune.workflow.frames import open_tables, opportunities_at, read_facts

    folder = next((project.out / "releases").glob("*/manifest.json")).parent
    release = open_release(folder)
    batch = opportunities_at(open_tables(project.out, lender), project.settings.plan_at)
    facts = read_facts(project.out, list(release.features), batch.opportunity_id, project.settings.plan_at)
    many = candidates(batch, facts, release.rulebook)
    for row in range(5):
        only = np.array([row])
        one = candidates(batch.take(only), facts.take(only), release.rulebook)
        assert one.value[0].tolist() == many.value[row].tolist()
        assert one.uses["capital"][0].tolist() == many.uses["capital"][row].tolist()


def test_a_scenario_is_a_plan_of_its_own(lender):
    usual, bad = (Project.open(lender, scenario=name) for name in (None, "bad"))
    assert bad.plan().certificate.value < usual.plan().certificate.value


def test_what_depends_on_a_figure_is_told(lender):
    found = Project.open(lender).uses("cost_of_funds")
    assert {(each.kind, each.name) for each in found} >= {("value", "value"), ("plan", "plan")}


BOOKED = """SELECT letter_id AS decision_id, observed_until::TIMESTAMPTZ AS observed_until, took_up::DOUBLE AS took_up,
    amount_lent, amount_lent * term_months * monthly_rate_pp / 200 AS interest, arrears / 4 AS net_loss,
    amount_lent * term_months / 24 AS balance_years, term_months::DOUBLE AS payments_made,
    term_months::DOUBLE AS months_open, amount_lent AS paid,
    term_months::DOUBLE AS term_months, amount_lent * term_months AS amount_months, amount_lent * term_months AS interest_months,
    arrears
FROM read_csv('data/letters.csv')
"""


def test_evidence_is_about_what_was_booked_in_the_same_lines(lender):
    (lender / "tables/outcomes.sql").write_text(BOOKED)
    project = Project.open(lender)
    project.run()
    evidence = project.evidence()
    assert evidence["estimates"]
    told = {row["limit"]: row for row in evidence["planned_against_realised"]}
    assert told["letters"]["method"] == "known"
    assert told["capital"]["low"] < told["capital"]["realised"] < told["capital"]["high"]
    assert told["loss rate in bad"]["realised"] is None  # the scenario did not come


def test_outcomes_that_lack_a_booked_amount_are_told(lender):
    with pytest.raises(
        BadInput, match=r"tables/outcomes.sql.*OP476.*net_loss is missing: the value of a booked loan needs it"
    ):
        Project.open(lender).run()


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
