"""Swap sets of a project: in the evidence, in a diff, and in words."""

import json

import pytest

from opportune.cli.app import status_of
from opportune.project import Project


def test_the_evidence_tells_who_changes_and_what_that_is_worth(small_run):
    told = small_run.swap_set()
    assert (told["older"], told["newer"], told["why_not"]) == ("logged", "planned", None)
    cells = {(cell["segment"], cell["kind"]): cell for cell in told["cells"]}
    assert {kind for _, kind in cells} == {"offered by both", "swapped out"}
    assert sum(cell["customers"] for (segment, _), cell in cells.items() if segment == "all") == 2000
    rows = small_run.evidence()["estimates"]
    difference = next(
        row["value"]
        for row in rows
        if (row["policy"], row["against"], row["method"]) == ("planned", "logged", "dr")
        and row["measure"] == "contribution_per_customer"
    )
    total = sum(
        cell["customers"] * cell["change"]["contribution_per_customer"]["value"]
        for (segment, _), cell in cells.items()
        if segment == "all"
    )
    assert total / 2000 == pytest.approx(difference)
    assert cells["all", "swapped out"]["change"]["expected_loss"]["value"] < 0
    page = (small_run.out / "reports" / "portfolio.html").read_text()
    assert "Who changes, and what is that worth?" in page
    assert 'download="swap-set.csv"' in page


def test_a_list_without_outcomes_has_no_swap_set_and_says_why(small, capsys):
    path = small / "tables" / "outcomes.sql"
    path.write_text(path.read_text().rstrip() + "\nWHERE sent_at < DATE '2025-03-01'\n")
    assert status_of(["evaluate", str(small)]) == 0
    assert "No swap set: no decision about the list has an observed outcome." in capsys.readouterr().out
    told = json.loads((small / "out" / "evidence" / "swap_set.json").read_text())
    assert told["cells"] == []


def test_a_policy_of_random_contact_has_no_swap_set(small):
    path = small / "evidence.toml"
    text = path.read_text().replace(
        'name = "logged"\nkind = "as_logged"', 'name = "logged"\nkind = "as_logged"\nshare = 0.5'
    )
    path.write_text(text)
    project = Project.open(small)
    project.evaluate()
    assert project.swap_set()["why_not"] == "'logged' contacts customers at random"


def test_a_diff_says_where_the_log_never_made_an_offer(small, capsys):
    """Nobody in band B was ever logged with step_1: who is swapped in with it has no label."""
    rows = "WHERE NOT (band = 'B' AND monthly_rate_pp > 1.8 AND monthly_rate_pp <= 2.4)\n"
    for name in ("decisions", "outcomes"):
        path = small / "tables" / f"{name}.sql"
        path.write_text(f"{path.read_text().rstrip()}\n{rows}")
    narrow = Project.open(small, changes=["limits.letters.at_most=100"])
    narrow.plan()
    wide = Project.open(small)
    planned = wide.plan().choices.to_pylist()
    assert status_of(["diff", str(narrow.out), str(wide.out), "--json"]) == 0
    change = json.loads(capsys.readouterr().out)["change"]
    unknown = sum(row["no_label"] for row in change["kinds"])
    assert 0 < unknown <= sum(row["offer_id"] == "step_1" for row in planned)
    assert {row["group"] for row in change["swaps"] if row["no_label"]} == {"B"}
    assert {row["kind"] for row in change["kinds"] if row["no_label"]} <= {"swapped in", "other offer"}
    assert sum(row["customers"] for row in change["kinds"]) == change["customers"]
    assert status_of(["diff", str(narrow.out), str(wide.out)]) == 0
    sentence = f"No label: the log never made {unknown:,} of these offers in their band"
    assert sentence in capsys.readouterr().out
    assert sentence in " ".join((wide.out / "reports" / "diff.html").read_text().split())
