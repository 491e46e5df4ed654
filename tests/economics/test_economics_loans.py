"""Loans made by hand or read from a table: what cannot be is told with row and column, and the good rows are valued."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from lending_books import CURVES, assumed, curves, loans

from opportune.domain import BadInput
from opportune.economics import accounts, check_loans, read_loans, value

TERMS = {"per_year": 12, "first_period": 1, "flat": 0, "risk": 1, "gmv": 500, "mdr": 0, "interchange": 0, "incentive": 0,
         "market_rate": 0, "sold": 0, "sale_price": 1, "refunded": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "given", "words"),
    [
        ("segment", 7, r"row 2 \(1\), segment is 7: expected a segment that the curves have \(3, from 0\)"),
        ("segment", -1, r"row 2 \(1\), segment is -1"),
        ("principal", -100.0, r"row 2 \(1\), principal is -100: expected an amount above zero"),
        ("payments", 0.0, r"row 2 \(1\), payments is 0: expected a whole number"),
        ("rate", np.nan, r"row 2 \(1\), rate is not known: expected a fraction a year"),
        ("risk", np.inf, r"row 2 \(1\), risk is inf"),
        ("first_period", 50.0, r"row 2 \(1\), payments has its last payment in month 61: expected at most 60"),
    ],
)
def test_loans_made_by_hand_are_checked(column, given, words):
    good = loans(2)
    array = getattr(good, column).astype(float)
    array[1] = given
    book = loans(2, **{column: array})
    with pytest.raises(BadInput, match=words):
        value(book, CURVES, assumed())
    with pytest.raises(BadInput, match=words):
        accounts(book, CURVES, assumed(), originated=np.full(2, np.datetime64("2024-01")), allowance="lifetime",
                 exclusions={})  # fmt: skip


def test_arrays_of_other_shapes_are_told_before_anything_else():
    book = loans(3)
    short = type(book)(**{name: getattr(book, name)[: 2 if name == "rate" else 3] for name in book.__struct_fields__
                          if name != "currency"}, currency="USD")  # fmt: skip
    assert [each.text() for each in check_loans(short, CURVES)] == [
        "loans [OP450] rate has shape (2,): expected that of principal, (3,) "
        "Next: give one array per column, all of one shape"
    ]


def test_a_rate_above_one_is_a_question_and_no_refusal():
    found = check_loans(loans(2, rate=np.array([0.1, 10.0])), CURVES)
    assert [(each.code, each.severity) for each in found] == [("OP470", "warning")]
    assert "is 10, 1,000 % a year. Did you mean 0.1?" in found[0].message
    assert value(loans(rate=10.0), CURVES, assumed()).rltc(discounted=False)[0] > 0.0


def test_of_many_wrong_rows_the_first_are_told_and_all_are_counted():
    found = check_loans(loans(500, principal=-1.0), CURVES)
    assert len(found) == 21
    assert found[-1].message == "is so in 500 rows: the first 20 are told"


def test_offers_are_named_by_row_and_offer():
    book = loans(4, principal=np.array([1.0, 1.0, 1.0, -1.0]))
    grid = type(book)(**{name: getattr(book, name).reshape(2, 2) for name in book.__struct_fields__ if name != "currency"},
                      currency="USD")  # fmt: skip
    assert "(3, offer 2), principal is -1" in check_loans(grid, CURVES)[0].subject + check_loans(grid, CURVES)[0].text()


def read(by=("kind",), terms=TERMS, known=None, **changes):
    rows = {"loan_id": ["a", "b", "c", "d"], "principal": [100.0, 200.0, 300.0, 400.0], "rate": [0.1] * 4,
            "payments": [6, 6, 6, 6], "kind": ["s0"] * 4, **changes}  # fmt: skip
    return read_loans(pa.table(rows), known or curves(), by=by, constants=terms, currency="USD")


def told(found):
    return [f"{each.code} {each.subject} {each.message}" for each in found.findings]


def test_text_in_a_column_of_numbers_is_a_finding_about_its_row():
    found = read(principal=["100", "a lot", " 3e2 ", ""])
    assert found.loans.principal.tolist() == [100.0, 300.0]
    assert told(found) == [
        "OP451 row 2 (b), principal is 'a lot': expected an amount above zero",
        "OP451 row 4 (d), principal is not known: expected an amount above zero",
    ]
    assert read(principal=[datetime.date(2024, 1, 1)] * 4).loans.shape == (0,)
    assert read(flat=[True, False, True, False]).loans.flat.tolist() == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("column", ["loan_id", "rate", "originated_at"])
@pytest.mark.parametrize("cells", [pa.array([[1.0]] * 4), pa.array([b"\xff"] * 4)])
def test_a_column_of_lists_or_bytes_is_told(column, cells):
    found = read(**{column: cells})
    assert len(found.loans) == 0
    assert [(each.code, each.subject) for each in found.findings] == [("OP450", column)]


def test_true_is_no_rate_and_no_column_stands_twice():
    assert told(read(rate=[True] * 4)) == ["OP450 rate holds true and false: expected numbers"]
    table = pa.table({"loan_id": ["a"], "rate": [0.1]})
    table = table.append_column("rate", pa.array([0.2]))
    constants = {**TERMS, "principal": 100.0, "payments": 12.0}
    found = read_loans(table, curves(), by=(), constants=constants, currency="USD")
    assert told(found) == ["OP450 rate stands in two columns: expected one"]


def test_a_day_that_no_month_has_is_no_date():
    found = read(originated_at=["2024-02-30", "2024-02-29", "2024-02-28", None])
    assert told(found) == ["OP471 row 1 (a), originated_at is '2024-02-30': expected a date such as 2026-01-31"]


def test_a_loan_longer_than_the_curves_does_not_stop_the_others():
    found = read(payments=[6, 99, 6, 6])
    assert found.rows.tolist() == [0, 2, 3]
    assert told(found) == [
        "OP455 row 2 (b), payments has its last payment in month 99: expected at most 60, which the curves cover"
    ]


def test_currencies_are_counted():
    many = {"loan_id": [str(i) for i in range(50)], "principal": [1.0] * 50, "rate": [0.1] * 50, "payments": [6] * 50,
            "kind": ["s0"] * 50, "currency": ["EUR"] * 45 + ["USD"] * 5}  # fmt: skip
    found = read(**many)
    assert len(found.loans) == 5
    assert [each for each in told(found) if each.startswith("OP452 currency")] == [
        "OP452 currency is so in 45 rows: the first 20 are told"
    ]


def test_dates_out_of_order_are_told():
    day = datetime.date
    found = read(
        originated_at=[day(2024, 1, 1)] * 3 + [None], first_due_at=["2024-02-01", "2023-12-01", "soon", "2024-02-01"],
        last_due_at=[day(2024, 7, 1), day(2024, 7, 1), day(2024, 7, 1), day(2024, 1, 1)],
    )  # fmt: skip
    assert found.rows.tolist() == [0]
    assert told(found) == [
        "OP471 row 3 (c), first_due_at is 'soon': expected a date such as 2026-01-31",
        "OP471 row 2 (b), first_due_at is 2023-12-01: expected a date after originated_at, 2024-01-01",
        "OP471 row 4 (d), last_due_at is 2024-01-01: expected a date on or after first_due_at, 2024-02-01",
    ]


def test_a_segment_without_curves_is_named():
    found = read(kind=["s0", "s9", None, "s0"])
    assert told(found) == [
        "OP451 row 2 (b), segment is 's9': expected a segment that the curves have (1, from 0)",
        "OP451 row 3 (c), segment is not known: expected a segment that the curves have (1, from 0)",
    ]


def test_a_term_that_nothing_tells_is_told_by_name():
    found = read(terms={name: each for name, each in TERMS.items() if name != "risk"})
    assert told(found) == [
        "OP450 risk is neither a column of the loans nor a constant of the assumptions: nothing is assumed unseen"
    ]
