"""Limits of a project: amounts and openings from SQL, conditions, offers per customer, exploration, what is refused."""

import csv
import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.allocation import allocate
from opportune.cli.app import status_of
from opportune.domain import NO_OFFER_ID, AsOf, BadInput, BrokenPromise, Candidates, Limit
from opportune.numerics import keyed_uniform
from opportune.project import Project
from opportune.workflow.cross_checks import cross_checks
from opportune.workflow.doubts import nothing_offered
from opportune.workflow.make_plan import make_plan
from opportune.workflow.settings import Exploration, Frontier, Objective, Protected

HEAD = '#:schema .schemas/limits.schema.json\n[objective]\nmaximise = "value"\n'
BRANCHES = """
[[limit]]
name = "branch letters"
uses = "contacts"
by = "branch"
amounts = "tables/branch_letters.sql"
opening = "tables/branch_sent.sql"
"""
AMOUNTS = "SELECT branch, amount FROM read_csv('data/branch_letters.csv')"
OPENING = "SELECT branch, 5 AS used FROM read_csv('data/branch_letters.csv') WHERE branch = 'branch 00'"
BAND = """
[[limit]]
name = "letters to A"
uses = "contacts"
where = "band = 'A' AND surface = 'mail'"
at_most = 100
"""
LENT = """
[[limit]]
name = "lent"
uses = "amount_lent"
at_most = 100000
"""
EXPLORE = """
[exploration]
holdout = 0.05
floor = 0.02
budget = 40.0
standard = "standard"
largest = { amount_lent = 900.0 }
"""


def one_offer_each(value):
    ids = np.array(["a", "b"], dtype=object)
    uses = {"contacts": np.ones((2, 1)), "loss": np.ones((2, 1)), "lent": np.full((2, 1), 10.0)}
    return Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=("one",), eligible=np.ones((2, 1), dtype=bool),
        value=np.array(value)[:, None], uses=uses, currency="USD",
    )  # fmt: skip


def test_a_conflict_is_told_as_it_is_where_no_nearest_plan_was_found():
    ids = np.array([f"o{i}" for i in range(8)], dtype=object)
    given = {
        "w": [0.6, 1.9, 0.5, 0.4, 0.8, 0.5, 1.4, 0.3],
        "u": [0.2, 1.3, 0.3, 0.8, -1.6, 0.4, -0.6, 2.1],
        "n": [1] * 8,
    }
    options = Candidates(
        opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=("one",), eligible=np.ones((8, 1), dtype=bool),
        value=np.ones((8, 1)), uses={name: np.array(each, float)[:, None] for name, each in given.items()},
        currency="USD",
    )  # fmt: skip
    limits = [
        Limit(name="W", uses="w", at_most=2),
        Limit(name="F", uses="n", at_least=6),
        Limit(name="R", uses="u", per="w", at_most=0.1),
    ]
    asked = {"gap": 1e-4, "seed": 0, "offers_per_customer": None}
    with pytest.raises(BrokenPromise) as alone:
        allocate(options, limits, **asked)
    with pytest.raises(BrokenPromise) as planned:
        make_plan(SimpleNamespace(asked=asked, exploration=Exploration()), None, options, limits, None)
    *conflict, nearest = planned.value.findings
    assert tuple(conflict) == alone.value.findings
    assert [each.next_step for each in conflict] == ["set at_most = 4.2, or relax F", "set at_least = 3, or relax W"]
    assert (nearest.code, "was not found" in nearest.message) == ("OP512", True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"floor": 0.1, "budget": np.inf, "standard": "one"}, "budget is inf: expected money"),
        ({"floor": 0.1, "budget": np.nan, "standard": "one"}, "budget is nan: expected money"),
        ({"floor": np.nan, "budget": 1.0, "standard": "one"}, "floor is nan: expected a probability"),
        ({"largest": {"lent": np.nan}}, "largest.lent is nan: expected a finite number"),
        ({"tried": "column", "repeats": -1}, "repeats is -1: expected 0 or more"),
    ],
)
def test_exploring_that_cannot_be_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        Exploration(**given)


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [
        ([3.0, 1.0], {"uses": "contacts", "at_most": 0.0}, "at the price of its name (bound 0)"),
        ([3.0, 1.0], {"uses": "loss", "per": "lent", "at_most": 0.05}, "at the price of its name (bound 0.05)"),
        ([-3.0, -1.0], {"uses": "contacts", "at_most": 0.0}, "no eligible offer is worth more than it costs"),
    ],
)
def test_a_plan_that_offers_nothing_says_why(value, limit, words):
    plan = allocate(one_offer_each(value), [Limit(name="its name", **limit)])
    (said,) = nothing_offered(plan.certificate)
    assert (said.code, said.severity) == ("OP843", "warning")
    assert words in said.message


def test_a_plan_that_offers_something_is_not_doubted():
    limit = Limit(name="letters", uses="contacts", at_most=1.0)
    assert nothing_offered(allocate(one_offer_each([3.0, -1.0]), [limit]).certificate) == []


@pytest.mark.parametrize("per", ["", 'per = "amount_lent"\n'])
def test_a_bound_below_nothing_is_bad_input_unless_something_was_given_back(small, per):
    below = f'[[limit]]\nname = "losses"\nuses = "expected_loss"\n{per}at_most = -1\n'
    write(small, below)
    with pytest.raises(BadInput, match=r"limits.toml:[78]:1 \[OP014\] at_most is -1: expected zero or more") as error:
        Project.open(small)
    assert error.value.exit_status == 2
    write(small, below + "opening = -5\n")
    assert Project.open(small).settings.limits[0].opening == -5


@pytest.mark.parametrize(("bound", "asked"), [(5, ["OP844"]), (0.05, []), (1, [])])
def test_a_loss_limit_in_per_cent_is_asked_about(small, bound, asked):
    write(small, f'[[limit]]\nname = "r"\nuses = "expected_loss"\nper = "amount_lent"\nat_most = {bound}\n')
    found = cross_checks(Project.open(small).settings)
    assert [finding.code for finding in found] == asked
    assert all(finding.severity == "warning" and "Did you mean 0.05?" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("limit", "name", "says"),
    [
        (LENT, "lentt", r"limits.toml:11:1 \[OP804\] limit is 'lentt'.*Did you mean lent\?"),
        (BRANCHES, "branch letters", r"limits.toml:13:1 \[OP514\].*write at_most in place of amounts"),
    ],
)
def test_a_frontier_that_cannot_be_drawn_is_told_before_anything_runs(small, limit, name, says):
    write_branches(small, 20)
    write(small, limit + f'\n[frontier]\nlimit = "{name}"\nbounds = [1]\n')
    with pytest.raises(BadInput, match=says):
        Project.open(small)


def write(small, text):
    (small / "limits.toml").write_text(HEAD + text)


def write_branches(small, amount):
    rows = [f"branch {number:02d},{amount}" for number in range(40)]
    (small / "data" / "branch_letters.csv").write_text("\n".join(["branch,amount", *rows]) + "\n")
    (small / "tables" / "branch_letters.sql").write_text(AMOUNTS)
    (small / "tables" / "branch_sent.sql").write_text(OPENING)


def letters(small, column):
    """Return that column of each letter, by its id."""
    with (small / "data" / "letters.csv").open() as file:
        return {row["letter_id"]: row[column] for row in csv.DictReader(file)}


def planned(project):
    rows = pq.read_table(project.out / "plan" / "plan.parquet").to_pylist()
    return [row for row in rows if row["offer_id"] != NO_OFFER_ID]


def ran(project):
    return [run.name for run in project.runs if not run.reused]


def test_amounts_and_openings_come_from_sql_and_a_condition_picks_its_rows(small):
    write_branches(small, 20)
    write(small, BRANCHES + BAND)
    project = Project.open(small)
    proof = project.plan().certificate
    assert proof.status == "optimal"
    branch, band, sent = letters(small, "branch"), letters(small, "band"), defaultdict(int)
    for row in planned(project):
        sent[branch[row["opportunity_id"]]] += 1
    assert sent["branch 00"] == 15
    assert max(sent.values()) == 20
    assert sum(band[row["opportunity_id"]] == "A" for row in planned(project)) == 100
    rows = {row.name: row for row in proof.rows}
    assert len(rows) == 41
    assert (rows["branch letters [branch 00]"].used, rows["branch letters [branch 00]"].limit) == (20.0, 20.0)
    places = json.loads((project.out / "plan" / "places.json").read_text())
    assert [len(each["labels"]) for each in places] == [40, 1]
    assert places[0]["limit"]["amounts"]["branch 07"] == 20.0


def test_a_release_charges_a_request_by_its_own_branch(small):
    write_branches(small, 20)
    write(small, BRANCHES)
    project = Project.open(small)
    release = project.out / "releases" / project.release()
    sealed = json.loads((release / "limits.json").read_text())
    assert sealed == json.loads((project.out / "plan" / "places.json").read_text())
    prices = json.loads((release / "manifest.json").read_text())["prices"]
    assert len(prices) == 40
    assert max(prices.values()) > 0.0


@pytest.mark.parametrize("change", ["data", "sql"])
def test_a_changed_amount_plans_again_and_nothing_before_it(small, change):
    write_branches(small, 20)
    write(small, BRANCHES)
    Project.open(small).run()
    again = Project.open(small)
    again.run()
    assert ran(again) == []
    if change == "data":
        write_branches(small, 10)
    else:
        (small / "tables" / "branch_letters.sql").write_text(
            AMOUNTS.replace("amount FROM", "amount / 2 AS amount FROM")
        )
    project = Project.open(small)
    assert [step.name for step in project.forecast("plan") if step.runs] == ["plan"]
    project.run()
    assert ran(project) == ["plan", "evaluate", "release", "report"]
    assert len(planned(project)) <= 400


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (
            "SELECT branch FROM read_csv('data/branch_letters.csv')",
            "amount is missing: limit 'branch letters' needs it",
        ),
        (AMOUNTS.replace(", amount", ", NULL::DOUBLE AS amount"), "amount has nulls"),
        (AMOUNTS.replace(", amount", ", '1,000' AS amount"), "amount holds what is no finite number"),
        (AMOUNTS.replace(", amount", ", 'NaN'::DOUBLE AS amount"), "amount holds what is no finite number"),
        (AMOUNTS + " WHERE branch != 'branch 03'", "has no amount for 1 values of the list .branch 03."),
        (f"{AMOUNTS} UNION ALL {AMOUNTS}", "branch 00 occurs more than once"),
    ],
)
def test_amounts_that_do_not_fit_are_refused(small, sql, says):
    write_branches(small, 20)
    (small / "tables" / "branch_letters.sql").write_text(sql)
    write(small, BRANCHES)
    with pytest.raises(BadInput, match=f"OP506.*{says}"):
        Project.open(small).plan()


PERIOD = """
[[limit]]
name = "letters a month"
uses = "contacts"
period = "month"
at_most = 950
opening = "tables/sent.sql"
"""


@pytest.mark.parametrize("period", ["DATE '2025-03-17'", "TIMESTAMPTZ '2025-03-01 00:00:00+00'", "'2025-03'"])
def test_an_opening_of_a_period_may_give_a_day_of_it(small, period):
    (small / "tables" / "sent.sql").write_text(f"SELECT {period} AS period, 900 AS used")
    write(small, PERIOD)
    project = Project.open(small)
    proof = project.plan().certificate
    assert [(row.name, row.used) for row in proof.rows] == [("letters a month [2025-03]", 950.0)]
    assert len(planned(project)) == 50


@pytest.mark.parametrize(
    ("limit", "sql", "says"),
    [
        (PERIOD, "SELECT 'March' AS period, 900 AS used", "period holds 'March': expected a date in the month, or such"),
        (BRANCHES, OPENING.replace("SELECT branch", "SELECT upper(branch) AS branch"),
         "opens BRANCH 00, and no branch of the list: expected some of branch 00, branch 01"),
    ],
)  # fmt: skip
def test_an_opening_that_would_count_for_nothing_is_refused(small, limit, sql, says):
    if limit == BRANCHES:
        write_branches(small, 20)
    (small / "tables" / ("sent.sql" if limit == PERIOD else "branch_sent.sql")).write_text(sql)
    write(small, limit)
    with pytest.raises(BadInput, match=f"OP506.*{says}"):
        Project.open(small).plan()


@pytest.mark.parametrize("rows", ["", 'by = "branch"\n'])
def test_a_limit_about_nobody_is_told_and_not_refused(small, rows, capsys):
    write(small, BAND.replace("band = 'A'", "band = 'Z'") + rows)
    assert status_of(["plan", str(small)]) == 0
    said = capsys.readouterr().out
    assert "[OP847] limit 'letters to A' is about none of the opportunities: it limits nothing" in said
    write(small, BAND + rows)
    project = Project.open(small)
    project.plan()
    assert "OP847" not in {finding.code for finding in project.doubts()}


def test_a_condition_that_compares_text_with_a_number_is_refused(small):
    write(small, BAND.replace("band = 'A' AND surface = 'mail'", "band > 5"))
    with pytest.raises(BadInput, match=r"OP505.*compares column 'band' with the number 5, and it holds 'A'"):
        Project.open(small).plan()


def test_a_file_of_amounts_that_is_not_there_is_named(small):
    write(small, BRANCHES)
    with pytest.raises(BadInput, match="OP001"):
        Project.open(small).plan()


def test_a_customer_gets_one_offer_over_two_slots(small):
    path = small / "tables" / "opportunities.sql"
    one = path.read_text().rstrip().rstrip(";")
    two = one.replace("'1' AS slot", "'2' AS slot").replace("letter_id AS opp", "letter_id || ' b' AS opp")
    path.write_text(f"{one}\nUNION ALL BY NAME\n{two}")
    write(small, BAND.replace("at_most = 100", "at_most = 5000"))
    free = Project.open(small, out=small / "free")
    free.plan()
    write(small, "offers_per_customer = 1\n" + BAND.replace("at_most = 100", "at_most = 5000"))
    project = Project.open(small)
    assert project.plan().certificate.status == "optimal"
    customers = [row["customer_id"] for row in planned(project)]
    assert len(customers) == len(set(customers)) > 500
    assert len(planned(free)) > 1.5 * len(customers)
    told = project.explain_customer(customers[0]).opportunities
    assert {each.slot for each in told} == {"1", "2"}
    assert sorted(each.because for each in told) == ["most left", "offers per customer"]


def test_exploring_gives_each_near_offer_its_floor_and_leaves_probabilities_that_sum_to_one(small):
    write(small, "gap = 0.002\n" + BAND + LENT.replace("100000", "1e9") + EXPLORE)
    project = Project.open(small)
    proof = project.plan().certificate
    slack = json.loads((project.out / "plan" / "limit_costs.json").read_text())[1]
    assert slack["cost"] == pytest.approx(0.0, abs=0.01 * proof.explored.cost)  # exploring is not the limit's doing
    assert proof.gap_asked == 0.002
    assert proof.explored is not None
    assert 0.0 <= proof.explored.cost <= 40.0
    table = pq.read_table(project.out / "plan" / "probabilities.parquet").to_pylist()
    of = defaultdict(dict)
    for row in table:
        of[row["opportunity_id"]][row["offer_id"]] = row["probability"]
    assert len(of) == 2000
    assert all(sum(each.values()) == pytest.approx(1.0, abs=1e-12) for each in of.values())
    given = np.array([p for each in of.values() for offer, p in each.items() if offer != NO_OFFER_ID and p > 0])
    assert given.min() == pytest.approx(0.95 * 0.02)
    assert np.sum(np.isclose(given, 0.95 * 0.02)) > 500
    assert proof.explored.offers > 500
    drawn = pq.read_table(project.out / "plan" / "plan.parquet").to_pylist()
    assert all(row["probability"] > 0 for row in drawn)
    assert {round(row["probability"], 12) for row in drawn} >= {0.02}
    tried = next(row for row in drawn if round(row["probability"], 12) == 0.02)
    (told,) = project.explain_customer(tried["customer_id"]).opportunities
    assert (told.gets, told.because, told.probability) == (tried["offer_id"], "drawn", tried["probability"])
    assert tried["offer_id"] in {offer.offer_id for offer in told.ranked}
    ids = np.array([row["customer_id"] for row in drawn], dtype=object)
    held_out = ids[keyed_uniform(project.settings.identity.seed, f"holdout {AsOf.parse('2025-03-01')}", ids) < 0.05]
    alone = [project.explain_customer(customer).opportunities[0] for customer in held_out[:5]]
    assert {(each.because, each.gets) for each in alone} <= {
        ("holdout", NO_OFFER_ID),
        ("nothing eligible", NO_OFFER_ID),
    }
    assert any(len(each.ranked) > 1 for each in alone)


def test_a_lender_says_which_gap_is_good_enough_to_release(small):
    write(small, "gap = 1e-12\n" + LENT)
    strict = Project.open(small)
    proof = strict.plan().certificate
    assert (proof.status, proof.gap_asked) == ("feasible", 1e-12)
    with pytest.raises(BrokenPromise, match=r"OP811.*expected at most 1e-12.*write `gap` above it under \[objective\]"):
        strict.release()
    write(small, f"gap = {2.0 * proof.gap!r}\n" + LENT)
    enough = Project.open(small)
    assert enough.release()
    assert enough.planned().certificate.status == "optimal"


@pytest.mark.parametrize("gap", ["0", "-0.1", "1.0", "nan"])
def test_a_gap_that_proves_nothing_is_refused(small, gap):
    write(small, f"gap = {gap}\n" + BAND)
    with pytest.raises(BadInput, match=r"OP014. gap is .*expected a share above 0 and below 1"):
        Project.open(small)


@pytest.mark.parametrize(
    "limit",
    [BAND.replace("band = 'A'", "age > 40"), '[[limit]]\nname = "x"\nuses = "contacts"\nby = "region"\nat_most = 9\n'],
)
def test_limits_know_nothing_of_protected_columns_and_proxies(small, limit):
    path = small / "tables" / "opportunities.sql"
    path.write_text(path.read_text().replace("band, branch", "band, branch, branch AS region, 30 AS age"))
    settings = (small / "opportune.toml").read_text()
    (small / "opportune.toml").write_text(settings + 'proxies = ["region"]\n')
    Project.open(small).plan()
    write(small, limit)  # what was checked under other limits must not stand
    with pytest.raises(BadInput, match=r"OP507.*which is protected or a proxy"):
        Project.open(small).plan()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('standard = "standard"', 'standard = "standart"', "OP804.*standard is 'standart'"),
        ("largest = { amount_lent", "largest = { amount_lend", "OP804.*largest is 'amount_lend'"),
        ("holdout = 0.05", 'holdout = 0.05\ntried = "trys"\nrepeats = 2', "OP816.*trys is not a column"),
        ("holdout = 0.05", 'holdout = 0.05\ntried = "band"\nrepeats = 2', "OP833.*band is of type.*expected numbers"),
    ],
)
def test_names_of_exploration_that_nothing_has_are_told(small, old, new, says):
    write(small, BAND + EXPLORE.replace(old, new))
    with pytest.raises(BadInput, match=says):
        Project.open(small).plan()


def test_every_example_of_the_page_of_limits_can_be_read():
    page = (Path(__file__).parents[2] / "docs" / "howto" / "limits.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    limits = [msgspec.convert(each, Limit) for block in blocks for each in block.get("limit", [])]
    parts = {"objective": Objective, "frontier": Frontier, "exploration": Exploration, "protected": Protected}
    found = {
        name: msgspec.convert(block[name], kind) for block in blocks for name, kind in parts.items() if name in block
    }
    assert set(found) == set(parts)
    shown = {
        name for block in blocks for each in (*block.get("limit", []), *map(block.get, parts)) for name in each or ()
    }
    fields = {field for kind in (Limit, *parts.values()) for field in kind.__struct_fields__} - {"opening_per"}
    assert shown == fields
    assert len({limit.name for limit in limits}) == len(limits)
