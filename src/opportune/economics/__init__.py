"""Value: what a loan is expected to earn, line by line, and which limited resources it uses."""

from opportune.economics.accounts import ACCOUNTS, Accounts, accounts
from opportune.economics.apr import Apr, apr, within_tolerance
from opportune.economics.aprs import Aprs, Flows
from opportune.economics.assumptions import FIGURES, Assumption, Assumptions, Scenario
from opportune.economics.bridge import Totals, bridge
from opportune.economics.business_days import BusinessDays, business_day
from opportune.economics.cents import CentRule
from opportune.economics.check import check_assumptions
from opportune.economics.contract import Account, Bill, Contract, Posting
from opportune.economics.contract_life import Coming, Quote, Status, coming, contract_at, quote, status
from opportune.economics.curves import Curves, check_curves
from opportune.economics.events import (
    SAME_DAY,
    Charge,
    ChargeOff,
    Draw,
    Event,
    Payment,
    Payoff,
    RateChange,
    Recovery,
    Refund,
)
from opportune.economics.exposure import Exposure, count_exposure
from opportune.economics.fees import FINANCE_CHARGES, MAPR_CAP, Fee
from opportune.economics.fit_curves import FittedCurves, fit_curves
from opportune.economics.fit_hazards import FittedHazards, Prior, Strength, fit_hazards
from opportune.economics.flat_loans import QUANTITIES, RESOURCE_QUANTITIES, expected_value, realised_value
from opportune.economics.incremental import Displaced, incremental
from opportune.economics.lifetime import RLTC_LINES, USES, LifetimeValue, lifetime_blocks
from opportune.economics.lifetime import lifetime_value as value
from opportune.economics.lifetime_assumptions import LifetimeAssumptions, check_lifetime_assumptions
from opportune.economics.loans import Loans, LoansRead, read_loans
from opportune.economics.roll_rates import RollRates, roll_rates
from opportune.economics.schedule import Instalment, Schedules, level_schedules, schedule
from opportune.economics.statement import Statement, statement
from opportune.economics.terms import Terms
from opportune.economics.uncertain import value_estimate
from opportune.economics.unit_period import UnitPeriod, repeated

RESOURCES = tuple(RESOURCE_QUANTITIES)
"""The limited resources that a loan offer uses; limits name them."""

__all__ = [
    "ACCOUNTS",
    "FIGURES",
    "FINANCE_CHARGES",
    "MAPR_CAP",
    "QUANTITIES",
    "RESOURCES",
    "RESOURCE_QUANTITIES",
    "RLTC_LINES",
    "SAME_DAY",
    "USES",
    "Account",
    "Accounts",
    "Apr",
    "Aprs",
    "Assumption",
    "Assumptions",
    "Bill",
    "BusinessDays",
    "CentRule",
    "Charge",
    "ChargeOff",
    "Coming",
    "Contract",
    "Curves",
    "Displaced",
    "Draw",
    "Event",
    "Exposure",
    "Fee",
    "FittedCurves",
    "FittedHazards",
    "Flows",
    "Instalment",
    "LifetimeAssumptions",
    "LifetimeValue",
    "Loans",
    "LoansRead",
    "Payment",
    "Payoff",
    "Posting",
    "Prior",
    "Quote",
    "RateChange",
    "Recovery",
    "Refund",
    "RollRates",
    "Scenario",
    "Schedules",
    "Statement",
    "Status",
    "Strength",
    "Terms",
    "Totals",
    "UnitPeriod",
    "accounts",
    "apr",
    "bridge",
    "business_day",
    "check_assumptions",
    "check_curves",
    "check_lifetime_assumptions",
    "coming",
    "contract_at",
    "count_exposure",
    "expected_value",
    "fit_curves",
    "fit_hazards",
    "incremental",
    "level_schedules",
    "lifetime_blocks",
    "quote",
    "read_loans",
    "realised_value",
    "repeated",
    "roll_rates",
    "schedule",
    "statement",
    "status",
    "value",
    "value_estimate",
    "within_tolerance",
]
