"""Value: what a loan is expected to earn, line by line, and which limited resources it uses."""

from opportune.economics.apr import Apr, apr, within_tolerance
from opportune.economics.aprs import Aprs, regular_aprs
from opportune.economics.assumptions import FIGURES, Assumption, Assumptions, Scenario
from opportune.economics.check import check_assumptions
from opportune.economics.curves import Curves, check_curves
from opportune.economics.exposure import Exposure, count_exposure
from opportune.economics.fit_curves import FittedCurves, fit_curves
from opportune.economics.fit_hazards import FittedHazards, Prior, Strength, fit_hazards
from opportune.economics.flat_loans import QUANTITIES, RESOURCE_QUANTITIES, expected_value, realised_value
from opportune.economics.roll_rates import RollRates, roll_rates
from opportune.economics.schedule import Instalment, Schedules, Terms, level_schedules, schedule
from opportune.economics.unit_period import UnitPeriod, repeated

RESOURCES = tuple(RESOURCE_QUANTITIES)
"""The limited resources that a loan offer uses; limits name them."""

__all__ = [
    "FIGURES",
    "QUANTITIES",
    "RESOURCES",
    "RESOURCE_QUANTITIES",
    "Apr",
    "Aprs",
    "Assumption",
    "Assumptions",
    "Curves",
    "Exposure",
    "FittedCurves",
    "FittedHazards",
    "Instalment",
    "Prior",
    "RollRates",
    "Scenario",
    "Schedules",
    "Strength",
    "Terms",
    "UnitPeriod",
    "apr",
    "check_assumptions",
    "check_curves",
    "count_exposure",
    "expected_value",
    "fit_curves",
    "fit_hazards",
    "level_schedules",
    "realised_value",
    "regular_aprs",
    "repeated",
    "roll_rates",
    "schedule",
    "within_tolerance",
]
