"""Linear and integer programmes by HiGHS: the only module that imports highspy."""

from typing import Any

import highspy
import msgspec
import numpy as np
from highspy.highs import _Highs  # type: ignore[attr-defined]  # highspy.Highs itself prints a banner at every start
from scipy.sparse import csr_matrix

TOLERANCE = 1e-9
OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 0,
    "primal_feasibility_tolerance": TOLERANCE,
    "dual_feasibility_tolerance": TOLERANCE,
    "mip_feasibility_tolerance": TOLERANCE,
    "mip_rel_gap": 0.0,
}


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """``feasible`` is False when there is no solution; ``x`` (columns,), ``row_price`` (rows,) of the <= rows."""

    feasible: bool
    x: np.ndarray
    row_price: np.ndarray
    objective: float


def maximise(
    cost: np.ndarray,
    matrix: csr_matrix,
    upper: np.ndarray,
    highest: np.ndarray,
    integer: np.ndarray | None = None,
    within: float = 0.0,
    nodes: int = 0,
) -> Solution:
    """Maximise cost x with matrix x <= upper and 0 <= x <= highest, one thread.

    ``integer`` marks integer columns; such a programme stops once its objective is ``within`` the best possible, or
    after so many nodes. Row prices are those of a linear programme, and zero for an integer one.
    """
    if len(cost) == 0:
        return Solution(feasible=bool(np.all(upper >= 0.0)), x=cost, row_price=np.zeros(len(upper)), objective=0.0)
    solver = _Highs()
    presolve = "off" if integer is None else "choose"  # a core has nothing left to remove
    choices: dict[str, Any] = {"presolve": presolve, "mip_abs_gap": max(within, 1e-9), "mip_max_nodes": nodes}
    for option, value in {**OPTIONS, **choices}.items():
        solver.setOptionValue(option, value)
    solver.passModel(_model(cost, matrix, upper, highest, integer))
    solver.run()
    found = solver.getSolution()
    status = solver.getModelStatus()
    feasible = solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if status == highspy.HighsModelStatus.kInfeasible or not feasible:
        return Solution(feasible=False, x=np.zeros(len(cost)), row_price=np.zeros(len(upper)), objective=-np.inf)
    price = np.zeros(len(upper)) if integer is not None else np.maximum(np.array(found.row_dual), 0.0)
    x = np.array(found.col_value)
    return Solution(feasible=True, x=x, row_price=price, objective=float(cost @ x))


def _model(
    cost: np.ndarray, matrix: csr_matrix, upper: np.ndarray, highest: np.ndarray, integer: np.ndarray | None
) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(len(cost))
    model.col_upper_ = highest
    model.row_lower_ = np.full(len(upper), -np.inf)
    model.row_upper_ = upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    if integer is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(flag)] for flag in integer]
    return model
