"""Value: what a loan is expected to earn, line by line, and which limited resources it uses."""

from opportune.economics.accounts import Accounts, accounts, consolidated
from opportune.economics.apr import Apr, apr, within_mapr_cap, within_tolerance
from opportune.economics.aprs import Aprs, Flows
from opportune.economics.assumptions import AS_ASSUMED, FIGURES, Assumption, Assumptions, Scenario
from opportune.economics.bridge import Totals, booked_totals, bridge, lifetime_totals
from opportune.economics.business_days import BusinessDays, business_day
from opportune.economics.cents import CentRule
from opportune.economics.check import check_assumptions
from opportune.economics.check_loans import check_loans
from opportune.economics.contract import Account, Bill, Contract, Posting
from opportune.economics.contract_life import Coming, Quote, Status, coming, contract_at, quote, status
from opportune.economics.curves import Curves, check_curves
from opportune.economics.delinquency import late_that_cure
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
from opportune.economics.instalment_offers import CurveTable, InstalmentAssumptions, check_instalment, offers_value
from opportune.economics.lifetime import RLTC_LINES, USES, LifetimeValue, lifetime_blocks
from opportune.economics.lifetime import lifetime_value as value
from opportune.economics.lifetime_assumptions import LifetimeAssumptions, check_lifetime_assumptions
from opportune.economics.loans import Loans
from opportune.economics.offers_economics import (
    Economics,
    assumptions_of,
    booked_columns,
    contribution_says,
    economics_from,
    figures_of,
    quantities_of,
    resources_used,
    value_of_booked,
    value_of_offers,
)
from opportune.economics.postings import ACCOUNTS
from opportune.economics.read_loans import LoansRead, read_loans
from opportune.economics.roll_rates import RollRates, roll_rates
from opportune.economics.schedule import Instalment, Schedules, level_schedules, schedule
from opportune.economics.statement import Statement, statement
from opportune.economics.terms import Terms
from opportune.economics.uncertain import ValueEstimates, value_estimate
from opportune.economics.unit_period import UnitPeriod, repeated

RESOURCES = tuple(RESOURCE_QUANTITIES)
"""The limited resources that a loan offer uses; limits name them."""

__all__ = [
    "ACCOUNTS",
    "AS_ASSUMED",
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
    "CurveTable",
    "Curves",
    "Displaced",
    "Draw",
    "Economics",
    "Event",
    "Exposure",
    "Fee",
    "FittedCurves",
    "FittedHazards",
    "Flows",
    "Instalment",
    "InstalmentAssumptions",
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
    "ValueEstimates",
    "accounts",
    "apr",
    "assumptions_of",
    "booked_columns",
    "booked_totals",
    "bridge",
    "business_day",
    "check_assumptions",
    "check_curves",
    "check_instalment",
    "check_lifetime_assumptions",
    "check_loans",
    "coming",
    "consolidated",
    "contract_at",
    "contribution_says",
    "count_exposure",
    "economics_from",
    "expected_value",
    "figures_of",
    "fit_curves",
    "fit_hazards",
    "incremental",
    "late_that_cure",
    "level_schedules",
    "lifetime_blocks",
    "lifetime_totals",
    "offers_value",
    "quantities_of",
    "quote",
    "read_loans",
    "realised_value",
    "repeated",
    "resources_used",
    "roll_rates",
    "schedule",
    "statement",
    "status",
    "value",
    "value_estimate",
    "value_of_booked",
    "value_of_offers",
    "within_mapr_cap",
    "within_tolerance",
]
