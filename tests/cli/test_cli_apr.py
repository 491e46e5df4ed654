"""`opportune apr`: one contract with fees and a disclosed rate, and files of contracts."""

import json
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import opportune
from opportune.cli.app import status_of

SCHEMAS = Path(opportune.__file__).parent / "schemas"
LOAN = ["--advance", "1978-01-10:5000", "--payment", "1978-02-10:230:24xmonth"]


def said(capsys, *arguments, status=0):
    assert status_of(["apr", *arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_one_contract_tells_rate_residual_and_regularity(capsys):
    told = said(capsys, *LOAN)
    assert {"apr", "status", "unit_period", "finance_charge", "amount_financed"} <= set(told)
    assert round(100 * told["apr"], 2) == 9.69
    assert (abs(told["residual"]) < 1e-6, told["irregular"], told["accurate"], told["within_cap"]) == (
        True,
        False,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("disclosed", "accurate", "status"), [("0.0969", True, 0), ("0.0981", True, 0), ("0.0983", False, 1)]
)
def test_a_disclosed_rate_is_held_against_its_tolerance(disclosed, accurate, status, capsys):
    assert said(capsys, *LOAN, "--disclosed", disclosed, status=status)["accurate"] is accurate


def test_fees_count_by_the_list_that_is_included(capsys):
    loan = [
        "--advance",
        "2024-01-01:1000",
        "--payment",
        "2024-02-01:175:6xmonth",
        "--fee",
        "origination:30",
        "--fee",
        "voluntary_insurance:60",
    ]
    tila, mapr = said(capsys, *loan), said(capsys, *loan, "--include", "mapr")
    kinds = said(capsys, *loan, "--include", "voluntary_insurance")
    assert [each["amount_financed"] for each in (tila, mapr, kinds)] == [970.0, 910.0, 940.0]
    assert (tila["within_cap"], mapr["within_cap"]) == (None, False)
    financed = said(capsys, *loan[:4], "--fee", "ancillary_product:50:financed")
    assert financed["amount_financed"] == 1050.0


def test_a_rate_at_the_cap_is_within_it(capsys):
    loan = ["--advance", "2026-01-01:1000", "--payment", "2026-02-01:1030", "--include", "mapr"]
    assert said(capsys, *loan)["within_cap"] is True


def test_how_time_is_counted_and_the_other_methods(capsys):
    loan = ["--advance", "2024-01-01:10000", "--payment", "2024-02-01:1707:6xmonth"]
    assert round(100 * said(capsys, *loan, "--method", "effective", "--count", "months")["apr"], 6) == 8.569257
    assert round(100 * said(capsys, *loan, "--method", "us_rule")["apr"], 6) == 8.250040


def test_series_may_be_given_in_any_order(capsys):
    loan = ["--advance", "2024-01-01:1000", "--payment", "2024-02-01:100:12xmonth"]
    first = said(capsys, *loan, "--payment", "2024-06-15:50")
    assert said(capsys, "--payment", "2024-06-15:50", *loan) == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fee", "origination"], "expected KIND:AMOUNT"),
        (["--fee", "tip:3"], "of kind 'tip'"),
        (["--fee", "origination:1e"], "could not convert"),
        (["--include", "tia"], "expected tila, mapr"),
        (["--payment", "2026-02-01:100:0xmonth"], "expected a count of 1 or more"),
        (["--advance", "2026-02-01:100:00xday"], "expected a count of 1 or more"),
        (["--payment", "2026-02-01:100:9999999999xday"], "end after the year 9999"),
        (["--payment", "2026-02-01:100:99999xmonth"], "end after the year 9999"),
        (["--payment", "2026-02-31:100"], "day is out of range"),
        (["loans.csv"], "expected a file, or --advance"),
    ],
)
def test_options_that_cannot_be_read_are_said(arguments, words, capsys):
    findings = said(capsys, *LOAN, *arguments, status=2)["findings"]
    assert words in " ".join(finding["message"] for finding in findings)


ROWS = {
    "contract": ["a", "a", "a", "b", "b", "c", "c", "d", "d"],
    "side": ["advance", "payment", "payment", "advance", "payment", "advance", "payment", "advance", "payment"],
    "date": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-01-01", "2024-02-01", "2024-01-01", "2023-12-01", "2024-01-01", "2024-02-01"],
    "amount": [200.0, 105.0, 105.0, 100.0, 110.0, 100.0, 110.0, 100.0, -110.0],
}  # fmt: skip


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_has_a_rate_per_contract_and_words_for_the_others(ending, tmp_path, capsys):
    path, table = tmp_path / f"flows.{ending}", pa.table(ROWS)
    pyarrow.csv.write_csv(table, path) if ending == "csv" else pq.write_table(table, path)
    told = said(capsys, str(path), "--out", str(tmp_path / "out"))
    jsonschema.validate(told, json.loads((SCHEMAS / "apr-file-output.schema.json").read_text()))
    assert told["statuses"] == {"converged": 2, "no_root": 0, "several_roots": 0, "bad_input": 2}
    lines = pq.read_table(tmp_path / "out/apr/aprs.parquet").to_pylist()
    assert [line["contract"] for line in lines] == ["a", "b", "c", "d"]
    assert lines[1]["apr"] == pytest.approx(1.2)
    assert [line["apr"] is None for line in lines] == [False, False, True, True]
    texts = [f"{finding['subject']} {finding['message']}" for finding in told["findings"]]
    assert texts[0] in {f"row 9 (d), amount is {given}: expected money above zero" for given in ("-110", "-110.0")}
    assert texts[1].startswith("contract c, payment is of 2023-12-01, before the first advance")
    assert len(texts) == 2


def test_cells_that_cannot_be_read_leave_the_others(tmp_path, capsys):
    path = tmp_path / "flows.csv"
    path.write_text(
        "contract,side,date,amount\na,advance,2024-01-01,100\na,payment,2024-02-01,110\nb,advance,2024-01-01,x\n"
        "b,payment,2024-02-01,110\nc,lent,2024-01-01,100\nd,advance,soon,100\n,payment,2024-02-01,1\n"
    )
    told = said(capsys, str(path), "--out", str(tmp_path / "out"))
    assert (told["contracts"], told["statuses"]["converged"], told["statuses"]["bad_input"]) == (4, 1, 3)
    subjects = {finding["subject"] for finding in told["findings"]}
    assert {"row 3 (b), amount", "row 5 (c), side", "row 6 (d), date", "row 7 (no contract), contract"} <= subjects


def test_findings_beyond_twenty_are_counted(tmp_path, capsys):
    path = tmp_path / "flows.csv"
    path.write_text("contract,side,date,amount\n" + "".join(f"{i},advance,2024-01-01,-1\n" for i in range(50)))
    told = said(capsys, str(path), "--out", str(tmp_path / "out"))
    assert any("30 more rows have no amount" in finding["message"] for finding in told["findings"])


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "is missing"), ("contract,side\na,advance\n", "date, amount"), ("contract,side,date,amount\n", "no rows")],
)
def test_a_file_that_is_none_is_refused(text, words, tmp_path, capsys):
    path = tmp_path / "flows.csv"
    if text is not None:
        path.write_text(text)
    findings = said(capsys, str(path), status=2)["findings"]
    assert findings[0]["code"] == "OP415"
    assert words in f"{findings[0]['subject']} {findings[0]['message']}"


def test_words_for_a_reader(capsys):
    assert status_of(["apr", *LOAN, "--include", "mapr", "--disclosed", "0.0969"]) == 0
    text = capsys.readouterr().out
    assert "9.6857 %" in text
    assert "Within the cap of 36 %" in text
    assert "The disclosed rate is accurate (1/8 of a point, regular)." in text


def test_a_day_that_no_month_has_is_no_date(tmp_path, capsys):
    path = tmp_path / "flows.csv"
    path.write_text("contract,side,date,amount\na,advance,2024-01-01,100\na,payment,2024-02-30,110\n")
    told = said(capsys, str(path), "--out", str(tmp_path / "out"))
    assert [f"{each['subject']} {each['message']}" for each in told["findings"]] == [
        "row 2 (a), date is 2024-02-30: expected a date such as 2024-01-31"
    ]


def test_a_row_of_another_length_costs_its_contract_only(tmp_path, capsys):
    path = tmp_path / "flows.csv"
    path.write_text(
        "contract,side,date,amount\na,advance,2024-01-01,100\na,payment,2024-02-01\na,payment,2024-02-01,110\n"
        "b,advance,2024-01-01,100\nb,payment,2024-02-01,110\nc,advance,2024-01-01,x\n"
    )
    told = said(capsys, str(path), "--out", str(tmp_path / "out"))
    assert [f"{each['subject']} {each['message']}" for each in told["findings"]] == [
        "row 2 has 3 cells: expected 4, one per column", "row 6 (c), amount is x: expected money above zero",
    ]  # fmt: skip
    lines = pq.read_table(tmp_path / "out/apr/aprs.parquet").to_pylist()
    assert [line["status"] for line in lines] == ["bad_input", "converged", "bad_input"]


@pytest.mark.parametrize(
    ("name", "kind", "solved"),
    [("amount", pa.large_string(), 2), ("contract", pa.string_view(), 2), ("date", pa.timestamp("us"), 2)],
)
def test_columns_are_read_whatever_type_they_were_stored_in(name, kind, solved, tmp_path, capsys):
    table = pa.table(ROWS)
    text = table[name].cast("string")
    given = text.cast(kind) if name != "date" else text.cast("date32").cast(kind)
    pq.write_table(table.set_column(table.column_names.index(name), name, given), tmp_path / "flows.parquet")
    told = said(capsys, str(tmp_path / "flows.parquet"), "--out", str(tmp_path / "out"))
    assert told["statuses"]["converged"] == solved


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("date", [20240101] * 9, "is 20240101: expected a date"),
        ("date", [1.5] * 9, "is 1.5: expected a date"),
        ("amount", [[1.0]] * 9, "expected money above zero"),
        ("contract", [b"\xff"] * 9, "expected a contract's id"),
    ],
)
def test_columns_that_cannot_be_read_are_told(name, cells, words, tmp_path, capsys):
    pq.write_table(pa.table({**ROWS, name: cells}), tmp_path / "flows.parquet")
    status = 0 if name == "date" else 2
    told = said(capsys, str(tmp_path / "flows.parquet"), "--out", str(tmp_path / "out"), status=status)
    assert told["findings"][0]["code"] == "OP415"
    assert words in told["findings"][0]["message"]


def test_text_that_is_no_utf8_and_a_column_twice_are_told(tmp_path, capsys):
    path = tmp_path / "flows.csv"
    path.write_bytes(b"contract,side,date,amount\n\xff,advance,2024-01-01,100\n")
    assert "cannot be read as .csv" in said(capsys, str(path), status=2)["findings"][0]["message"]
    path.write_text("contract,side,date,amount,amount\na,advance,2024-01-01,100,100\n")
    assert "stands in two columns" in said(capsys, str(path), status=2)["findings"][0]["message"]


def test_a_rate_of_ten_per_cent_is_held_against_its_tolerance_as_a_decimal(capsys):
    loan = ["--advance", "2024-01-01:1200", "--payment", "2024-02-01:1210"]
    assert said(capsys, *loan, "--disclosed", "0.10125")["accurate"] is True
    assert said(capsys, *loan, "--disclosed", "0.101251", status=1)["accurate"] is False
