"""`opportune value`: lines per loan, totals, a picture; good rows are valued, and bad ones are told."""

import json
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opportune.cli.app import status_of
from opportune.domain import BadInput
from opportune.economics import Curves
from opportune.workflow import lines_file, loans_file
from opportune.workflow.curves_file import read_curves, write_curves

ASSUMPTIONS = Path(__file__).parents[2] / "examples/loanbook/assumptions.toml"


@pytest.fixture
def folder(tmp_path):
    import numpy as np

    shutil.copy(ASSUMPTIONS, tmp_path / "assumptions.toml")
    curves = Curves(
        segments=("A", "B"), default=np.full((2, 36), 0.004), prepay=np.full((2, 36), 0.02), recovery=np.full((2, 3), 0.03),
        charge_off_lag=4,
    )  # fmt: skip
    write_curves(tmp_path / "curves.json", curves, ("grade",))
    rows = {
        "loan_id": ["1", "2", "3", "4"], "principal": [1000.0, 2000.0, 500.0, 800.0], "rate": [0.1, 0.2, 0.15, 0.12],
        "grade": ["A", "B", "A", "B"], "gmv": [1000.0, 2000.0, 500.0, 800.0], "month": ["07", "07", "08", "08"],
    }  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "loans.parquet")
    return tmp_path


def run(folder, *more, file="loans.parquet"):
    return status_of(
        ["value", str(folder / file), "--assumptions", str(folder / "assumptions.toml"), "--curves",
         str(folder / "curves.json"), "--out", str(folder / "out"), *more]
    )  # fmt: skip


def change(folder, **columns):
    table = pq.read_table(folder / "loans.parquet")
    for name, values in columns.items():
        place = table.column_names.index(name) if name in table.column_names else None
        column = pa.array(values)
        table = table.append_column(name, column) if place is None else table.set_column(place, name, column)
    pq.write_table(table, folder / "loans.parquet")


def test_lines_totals_and_picture_are_written(folder, capsys):
    assert run(folder, "--cohort", "month") == 0
    said = capsys.readouterr().out
    assert "Lifetime value of 4 loans, USD, as assumed" in said
    assert "By cohort" in said
    lines = pq.read_table(folder / "out/value/lines.parquet")
    totals = json.loads((folder / "out/value/totals.json").read_text())
    assert sum(lines["rltc"].to_pylist()) == pytest.approx(totals["total"]["rltc"])
    assert [each["cohort"] for each in totals["cohorts"]] == ["07", "08"]
    assert sum(each["rltc"] for each in totals["cohorts"]) == pytest.approx(totals["total"]["rltc"])
    assert (folder / "out/value/waterfall.svg").read_text().startswith("<svg")


def test_csv_and_parquet_and_blocks_give_the_same(folder, capsys, monkeypatch):
    import pyarrow.csv

    run(folder, "--json")
    whole = json.loads(capsys.readouterr().out)
    pyarrow.csv.write_csv(pq.read_table(folder / "loans.parquet"), folder / "loans.csv")
    run(folder, "--json", file="loans.csv")
    assert json.loads(capsys.readouterr().out)["total"] == whole["total"]
    monkeypatch.setattr(loans_file, "BLOCK", 3)
    run(folder, "--json")
    assert json.loads(capsys.readouterr().out)["total"]["rltc"] == pytest.approx(whole["total"]["rltc"])


def test_good_rows_are_valued_and_bad_ones_told(folder, capsys):
    change(folder, principal=[1000.0, -5.0, 500.0, 800.0], rate=[0.1, 0.2, None, 0.12], grade=["A", "B", "A", "C"])
    assert run(folder) == 0
    said = capsys.readouterr().out
    assert "of 1 loans" in said
    for words in ("row 2 (2), principal is -5: expected an amount above zero", "row 3 (3), rate is not known",
                  "row 4 (4), segment is 'C': expected a segment that the curves have", "3 rows are left out"):  # fmt: skip
        assert words in said


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"principal": [0.0] * 4}, "[OP451]"),
        ({"loan_id": ["1", "1", "1", "1"]}, "[OP453]"),
        ({"currency": ["EUR"] * 4}, "[OP452]"),
        ({"payments": [0, 0, 0, 0]}, "expected a whole number of payments"),
        ({"payments": [60, 60, 60, 60]}, "[OP455]"),
    ],
)
def test_a_file_without_a_good_row_is_refused(folder, capsys, columns, words):
    change(folder, **columns)
    assert run(folder) == 2
    assert words in capsys.readouterr().err
    assert not (folder / "out" / "value").exists()


def test_a_loan_in_two_blocks_is_refused(folder, capsys, monkeypatch):
    monkeypatch.setattr(loans_file, "BLOCK", 2)
    change(folder, loan_id=["1", "2", "1", "4"])
    assert run(folder) == 2
    assert "stands twice (1)" in capsys.readouterr().err


def test_rows_are_numbered_in_the_file_and_not_in_the_block(folder, capsys, monkeypatch):
    monkeypatch.setattr(loans_file, "BLOCK", 2)
    change(folder, rate=[0.1, 0.2, 0.15, None])
    assert run(folder) == 0
    assert "row 4 (4), rate is not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mdr = 0\n", "", "[OP450] mdr is neither a column"),
        ("[cost_of_funds]", "[cost_of_fund]", "[OP012]"),
        ("value = 0.85", "value = 85", "[OP403]"),
        ('unit = "fraction per year of the money borrowed"', 'unit = "per cent"', "[OP402]"),
        ("low = 0.04", "low = 0.07", "[OP014]"),
        ('capital_is = "hurdle"', 'capital_is = "both"', "[OP013]"),
        ("loss = 1.5", "los = 1.5", "[OP012]"),
    ],
)
def test_assumptions_are_checked_in_words(folder, capsys, old, new, words):
    path = folder / "assumptions.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert run(folder) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Next:" in said


def test_scenarios_and_files_that_are_not_there(folder, capsys):
    assert run(folder, "--scenario", "recession") == 0
    assert ", recession" in capsys.readouterr().out
    assert run(folder, "--scenario", "boom") == 2
    assert "[OP454]" in capsys.readouterr().err
    assert run(folder, file="none.parquet") == 2
    assert "[OP458]" in capsys.readouterr().err
    (folder / "curves.json").write_text("{}")
    assert run(folder) == 2
    assert "[OP457]" in capsys.readouterr().err


def test_curves_come_back_as_they_were_written(folder):
    read = read_curves(folder / "curves.json")
    curves = read.curves
    assert read.by == ("grade",)
    assert curves.default.tolist() == [[0.004] * 36] * 2
    assert curves.charge_off_lag == 4
    assert lines_file.LinesFile(folder / "x").blocks == 0


def test_a_word_among_numbers_costs_its_row_only(folder, capsys):
    change(folder, principal=["1000", "much", "500", "800"])
    assert run(folder) == 0
    assert "row 2 (2), principal is 'much': expected an amount above zero" in capsys.readouterr().out
    (folder / "loans.csv").write_text("loan_id,principal,rate,grade,gmv\n01,1000,0.1,A,1000\n02,500,high,A,500\n")
    assert run(folder, file="loans.csv") == 0
    said = capsys.readouterr().out
    assert "of 1 loans" in said
    assert "row 2 (02), rate is 'high': expected a fraction a year, zero or more" in said


def test_a_loan_beyond_the_curves_and_a_rate_in_per_cent_do_not_stop_the_file(folder, capsys):
    change(folder, payments=[36, 60, 36, 36], rate=[0.1, 0.2, 10.0, 0.1])
    assert run(folder) == 0
    said = capsys.readouterr().out
    assert "of 3 loans" in said
    assert "has its last payment in month 60: expected at most 36, which the curves cover" in said
    assert "Valued, but look again:" in said
    assert "row 3 (3), rate is 10, 1,000 % a year. Did you mean 0.1?" in said


def test_dates_out_of_order_are_told(folder, capsys):
    change(folder, originated_at=["2026-01-01"] * 4, first_due_at=["2026-02-01"] * 3 + ["2025-12-01"])
    assert run(folder) == 0
    assert "[OP471] row 4 (4), first_due_at is 2025-12-01" in capsys.readouterr().out


def test_a_segment_of_bad_curves_takes_only_its_own_loans_along(folder, capsys):
    held = json.loads((folder / "curves.json").read_text())
    held["default"][1][3] = 1.7
    (folder / "curves.json").write_text(json.dumps(held))
    assert run(folder) == 0
    said = capsys.readouterr().out
    assert "of 2 loans" in said
    assert "[OP430] default of B, month 4" in said
    assert "row 2 (2), segment is 'B'" in said
    held["default"][0][3] = 1.7
    (folder / "curves.json").write_text(json.dumps(held))
    assert run(folder) == 2


def test_intervals_come_from_ranges_and_from_drawn_curves(folder, capsys):
    run(folder, "--json", "--cohort", "month")
    ranged = json.loads(capsys.readouterr().out)
    assert ranged["draws"] == 200
    total = ranged["total"]
    assert total["low"]["funding_cost"] < total["lines"]["funding_cost"] < total["high"]["funding_cost"]
    assert total["low"]["interest"] == total["lines"]["interest"] == total["high"]["interest"]
    for cohort in ranged["cohorts"]:
        assert cohort["low"]["contribution"] < cohort["contribution"] < cohort["high"]["contribution"]
    curves = read_curves(folder / "curves.json").curves
    drawn = [msgspec.structs.replace(curves, default=curves.default * factor) for factor in (0.5, 0.8, 1.2, 1.5)]
    write_curves(folder / "curves.json", curves, ("grade",), drawn)
    run(folder, "--json")
    total = json.loads(capsys.readouterr().out)["total"]
    assert total["low"]["credit_loss"] < total["lines"]["credit_loss"] < total["high"]["credit_loss"]
    assert run(folder) == 0
    assert "95 % interval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda draw: {name: [row[:12] for row in draw[name]] for name in ("default", "prepay")},
         "[OP432] default of draw 2 has 12 months: expected 36"),
        (lambda draw: {name: rows[:1] for name, rows in draw.items()}, "[OP432] default of draw 2 has shape (1, 36)"),
    ],
)  # fmt: skip
def test_a_draw_that_does_not_fit_the_curves_refuses_the_file(folder, capsys, change, words):
    curves = read_curves(folder / "curves.json").curves
    write_curves(folder / "curves.json", curves, ("grade",), [curves, curves])
    held = json.loads((folder / "curves.json").read_text())
    held["draws"][1] |= change(held["draws"][1])
    (folder / "curves.json").write_text(json.dumps(held))
    assert run(folder) == 2
    assert words in capsys.readouterr().err


def test_a_cohort_called_all_has_an_interval_of_its_own(folder, capsys):
    change(folder, month=["all", "x", "x", "x"])
    run(folder, "--json", "--cohort", "month")
    found = json.loads(capsys.readouterr().out)
    small, whole = found["cohorts"][0], found["total"]
    assert (small["cohort"], small["loans"], whole["loans"]) == ("all", 1, 4)
    for each in (small, whole):
        assert each["low"]["funding_cost"] < each["lines"]["funding_cost"] < each["high"]["funding_cost"]
    assert small["low"]["funding_cost"] > 0.9 * whole["low"]["funding_cost"]


def test_without_a_range_there_is_no_interval(folder, capsys):
    text = (folder / "assumptions.toml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(("low =", "high ="))]
    (folder / "assumptions.toml").write_text("\n".join(kept))
    run(folder, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["draws"] == 0
    assert found["total"]["low"] == {}


def test_a_scenario_of_volume_moves_totals_once(folder, capsys):
    path = folder / "assumptions.toml"
    path.write_text(path.read_text() + '\n[[scenario]]\nname = "half"\nsays = "half as many"\nvolume = 0.5\n')
    run(folder, "--json")
    usual = json.loads(capsys.readouterr().out)["total"]
    run(folder, "--json", "--scenario", "half")
    half = json.loads(capsys.readouterr().out)["total"]
    for name in ("interest", "acquisition"):
        assert half["lines"][name] == pytest.approx(0.5 * usual["lines"][name])
    assert half["principal"] == pytest.approx(0.5 * usual["principal"])
    assert half["low"]["rltc"] <= half["rltc"] <= half["high"]["rltc"]


def test_valued_files_are_bridged_by_cohort(folder):
    from opportune.economics import bridge
    from opportune.workflow.value_file import value_file
    from opportune.workflow.value_settings import read_lifetime_assumptions
    from opportune.workflow.value_totals import period_totals

    given, curves = read_lifetime_assumptions(folder / "assumptions.toml"), read_curves(folder / "curves.json")
    first = value_file(folder / "loans.parquet", curves, given, folder / "out", "grade", 0)
    change(folder, principal=[2000.0, 2000.0, 500.0, 800.0], gmv=[2000.0, 2000.0, 500.0, 800.0])
    second = value_file(folder / "loans.parquet", curves, given, folder / "out", "grade", 0)
    terms = bridge(*(period_totals(each.cohorts, each.total.rltc) for each in (first, second)))
    assert sum(terms.values()) == pytest.approx(second.total.rltc - first.total.rltc)
    assert terms["timing"] == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(BadInput, match="OP456"):
        period_totals((), 1.0)


def test_rows_of_another_length_are_told_and_the_others_keep_their_numbers(folder, capsys):
    (folder / "loans.csv").write_text(
        "loan_id,principal,rate,grade,gmv\n1,1000,0.1,A,1000\n2,500\n3,500,high,A,500\n4,1,2,3,4,5\n5,500,0.1,A,500\n"
    )
    assert run(folder, file="loans.csv") == 0
    said = capsys.readouterr().out
    assert "of 2 loans" in said
    for words in ("row 2 has 2 cells: expected 5", "row 3 (3), rate is 'high'", "row 4 has 6 cells",
                  "3 rows are left out"):  # fmt: skip
        assert words in said


def test_a_column_of_a_csv_file_that_stands_twice_is_told(folder, capsys):
    (folder / "loans.csv").write_text("loan_id,principal,rate,rate,grade,gmv\n1,1000,0.1,0.2,A,1000\n")
    assert run(folder, file="loans.csv") == 2
    assert "[OP450] rate stands in two columns" in capsys.readouterr().err


def test_a_hazard_that_is_null_costs_its_segment_only(folder, capsys):
    held = json.loads((folder / "curves.json").read_text())
    held["default"][1][3] = None
    (folder / "curves.json").write_text(json.dumps(held))
    assert run(folder) == 0
    said = capsys.readouterr().out
    assert "of 2 loans" in said
    assert "[OP430] default of B, month 4 is nan" in said
