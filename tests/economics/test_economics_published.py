"""Published lines through the period accounts: a book whose figures are solved shows them, and nothing is overwritten."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

STUDY = Path(__file__).parents[2] / "examples/affirm_table/study.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("affirm_study", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(study):
    return study.main()


def test_the_affirm_table_comes_out_to_the_printed_digit(study, found):
    _, years = found
    assert [str(each) for each in years.periods[:3]] == ["2021-06", "2022-06", "2023-06"]
    for name, printed in {**study.REVENUE, **study.COSTS, **study.TOTALS}.items():
        assert np.round(years.line(name)[:3], 1).tolist() == list(printed), name
    for name, printed in study.SHARES.items():
        assert np.round(100 * years.line(name)[:3] / np.array(study.GMV), 2).tolist() == list(printed), name


def test_it_is_one_ledger_that_ends_at_nothing(study, found):
    solved, years = found
    whole = study.consolidated([each.accounts for each in solved])
    assert np.abs(sum(whole.postings.values())).max() < 1e-8
    for account in ("loans", "discount", "allowance", "interest_receivable", "debt"):
        assert whole.balances(account)[-1] == pytest.approx(0.0, abs=1e-6), account
    assert whole.balances("cash")[-1] == pytest.approx(years.line("rltc").sum())


def test_what_was_solved_is_a_book_that_could_be(found):
    for each in found[0]:
        assert 0.0 < each.figures["rate"] < 0.36
        assert 0.0 < each.figures["default"] < 0.02
        assert 0.9 < each.figures["price"] < 1.1
        assert 0.0 < each.figures["cost_of_funds"] < 0.1


def test_provision_before_income(study):
    """Klarna US, Q4 2025, $m: of 2,500 lent 80 provided at once, 40 earned in the quarter, 180 later: 5.6 % over the life."""
    solved, told = study.klarna()
    interest, provision, rltc = (told.line(name) for name in ("interest", "provision", "rltc"))
    assert (round(interest[0], 1), round(interest[1:].sum(), 1)) == (40.0, 180.0)
    assert (round(provision[0], 1), abs(provision[1:]).max()) == (80.0, pytest.approx(0.0, abs=1e-9))
    assert (round(rltc[0], 1), round(100 * rltc.sum() / 2500, 1)) == (-40.0, 5.6)
    assert 0.1 < solved["rate"] < 0.36


def test_the_page_shows_what_the_study_finds(study, found):
    """Regenerate with `python examples/affirm_table/study.py --docs`, and read the difference."""
    assert study.page(*found) in study.PAGE.read_text(encoding="utf-8")
