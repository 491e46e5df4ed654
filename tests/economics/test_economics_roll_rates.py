"""Roll rates: from one month's state to the next, by count and by balance."""

import numpy as np
import pyarrow as pa
import pytest

from opportune.domain import BadInput
from opportune.economics import roll_rates
from opportune.economics.roll_rates import STATES

CURRENT, LATE, PAID = STATES.index("current"), STATES.index("1-29"), STATES.index("paid")


def table(*rows):
    names = ("loan_id", "month", "state", "balance")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


BOOK = table(
    ("b", 2, "1-29", 300.0), ("a", 1, "current", 100.0), ("a", 2, "current", 90.0), ("b", 1, "current", 300.0),
    ("b", 3, "current", 200.0), ("a", 3, "paid", 0.0), ("c", 1, "current", 100.0), ("c", 3, "30-59", 100.0),
)  # fmt: skip


def test_loans_and_balances_that_roll():
    by_count, by_balance = roll_rates(BOOK, balance=None), roll_rates(BOOK, balance="balance")
    assert by_count.loans[CURRENT, [CURRENT, LATE, PAID]].tolist() == [1, 1, 1]
    np.testing.assert_allclose(by_balance.rates[CURRENT, [CURRENT, LATE, PAID]], [100 / 490, 300 / 490, 90 / 490])
    assert by_count.rates[LATE, CURRENT] == 1.0
    assert by_count.gaps == by_balance.gaps == 1
    assert (by_count.of, by_balance.of) == ("loans", "balance")


def test_rates_of_a_state_sum_to_one_and_of_an_unseen_one_are_not_known():
    rates = roll_rates(BOOK, balance=None).rates
    np.testing.assert_allclose(rates[[CURRENT, LATE]].sum(axis=1), 1.0)
    assert np.isnan(rates[STATES.index("90+")]).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((("a", 1, "fine", 1.0),), "state of loan a is another word: expected one of current, 1-29"),
        ((("a", 1, "current", 1.0), ("a", 1, "1-29", 1.0)), "month of loan a stands twice"),
        ((("a", 1, "charged off", 1.0), ("a", 2, "current", 1.0)), "state of loan a changes after an end"),
        ((("a", 1, "current", -1.0),), "balance of loan a is no balance"),
    ],
)
def test_states_that_cannot_be_are_told(rows, words):
    with pytest.raises(BadInput, match="OP438") as told:
        roll_rates(table(*rows), balance="balance")
    assert words in str(told.value)


def test_a_missing_column_is_told():
    with pytest.raises(BadInput, match="balance is missing"):
        roll_rates(BOOK.drop(["balance"]), balance="balance")
