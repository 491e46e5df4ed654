"""Completion: what decisions of the list come to whose outcome is not yet known, as evidence.toml declares it."""

from typing import TYPE_CHECKING

import numpy as np

from opportune.evaluation import ProxyCompletion
from opportune.workflow.evidence_spec import Immature

if TYPE_CHECKING:
    from opportune.tables import Engine

SOURCE = "evidence.toml"
KEY = "immature.cell"


def cell_sql(cell: str) -> str:
    """Return the query of each decision's cell; a decision without one is in the cell of those without."""
    joined = "decisions AS d JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id"
    return f"SELECT d.decision_id, coalesce(({cell})::VARCHAR, '') AS cell FROM {joined}"


def proxy_completion(engine: "Engine", declared: Immature, decision_id: np.ndarray) -> ProxyCompletion:
    """Return the completion of the given decisions (n,). BadInput when the declared cell is not SQL over them."""
    rows = engine.query(cell_sql(declared.cell), SOURCE, KEY)
    cell_of = dict(zip(rows["decision_id"].to_pylist(), rows["cell"].to_pylist(), strict=True))
    return ProxyCompletion(cell=np.array([cell_of[each] for each in decision_id], dtype=object))
