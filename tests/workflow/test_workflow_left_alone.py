"""Decisions that offered nothing are judged: what customers do unasked is observed, teaches nothing, and uses nothing.

The list of the small project is answered anew: who comes unasked, and who answers each offer, is fixed for every
customer. So the true value of every policy is known, whatever was drawn for whom.
"""

import csv
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from opportune.domain import BadInput
from opportune.project import Project
from opportune.workflow.scaffold import scaffold

AT = "2025-03-01"
LOAN = 300.0 * 6 * 0.02 - 0.07 / 24 * 300.0 * 7 - 6.0
"""What a loan of 300 over 6 months is worth at the figures of economics.toml, without a letter."""
LETTER = 0.8
STANDARD, STEP = {"A": 2.0, "B": 3.0}, {"A": 0.4, "B": 0.6}


def letters_of(directory):
    with (directory / "data/letters.csv").open() as file:
        return list(csv.DictReader(file))


def answered(directory):
    """Answer the letters of the list anew, and leave one in ten of all letters unsent; return who takes what."""
    draw, letters, takes = np.random.default_rng(5), letters_of(directory), {}
    for letter in letters:
        likely = 0.3 if letter["band"] == "A" else 0.1
        step, alone, mood = draw.integers(3), draw.random() < 0.1, draw.random()
        takes[letter["letter_id"]] = [mood < likely, *(mood < likely + 0.1 + 0.1 * k for k in range(3))]
        if letter["sent_at"] == AT:
            letter["monthly_rate_pp"] = round(STANDARD[letter["band"]] - step * STEP[letter["band"]], 2)
            took = takes[letter["letter_id"]][0 if alone else step + 1]
            letter |= {"took_up": int(took), **dict.fromkeys(("amount_lent", "term_months", "arrears"), "")}
            letter |= {"amount_lent": 300.0, "term_months": 6, "arrears": 0.0} if took else {}
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
    """Return the mean value over the listed customers of a choice, 0 for none and k + 1 for step k."""
    plan = pq.read_table(project.out / "plan/plan.parquet").to_pylist()
    choices = [(row["opportunity_id"], choice_of(row["offer_id"])) for row in plan]
    return float(np.mean([LOAN * takes[who][k] - LETTER * (k > 0) for who, k in choices]))


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
    evidence, worth = project.evidence(), {name: truth(project, takes, choice) for name, choice in TRUE.items()}
    for name, value in worth.items():
        row = of(evidence, name, method=method)
        assert row["low"] < value < row["high"], name
    caused = of(evidence, "planned", "nobody", method)
    assert caused["low"] < worth["planned"] - worth["nobody"] < caused["high"]
