"""Value: what a loan is expected to earn, line by line, and which limited resources it uses."""

from opportune.economics.assumptions import Assumption, Assumptions
from opportune.economics.check import check_assumptions
from opportune.economics.flat_loans import QUANTITIES, expected_value, realised_value

RESOURCES = ("contacts", "amount_lent", "expected_loss")
"""The limited resources that a loan offer uses; limits name them."""

__all__ = [
    "QUANTITIES",
    "RESOURCES",
    "Assumption",
    "Assumptions",
    "check_assumptions",
    "expected_value",
    "realised_value",
]
