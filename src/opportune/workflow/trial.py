"""The planned list with its outcomes opened: what every part of the evidence reads."""

import msgspec
import numpy as np

from opportune.decisioning import Rulebook
from opportune.domain import Facts, Opportunities, Value
from opportune.evaluation import LoggedDecisions
from opportune.tables import Engine
from opportune.workflow.logged import History
from opportune.workflow.settings import Settings


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One row per judged decision, in one order throughout.

    ``value`` is what the forecasts expect of every offer (n, K); ``uses`` maps a resource to its booked amount per
    row; ``outcome_models`` maps a measure to cross-fitted predictions (n, K); ``planned`` is the plan's choice per
    row, -1 for none.
    """

    settings: Settings
    engine: Engine
    rulebook: Rulebook
    batch: Opportunities
    facts: Facts
    past: History
    logged: LoggedDecisions
    value: Value
    uses: dict[str, np.ndarray]
    outcome_models: dict[str, np.ndarray]
    planned: np.ndarray
