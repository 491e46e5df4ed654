"""A plan: choices, prices of limits, and the certificate that bounds what any other plan could earn."""

from typing import Literal

import msgspec
import numpy as np

Status = Literal["optimal", "feasible", "infeasible", "unbounded", "interrupted"]


class RowReport(msgspec.Struct, frozen=True, kw_only=True):
    """One limit under the plan. ``used`` and ``limit`` are as the lender wrote them (a ratio as a ratio).

    ``price`` is value per unit of the row's left side and zero or more; ``slack`` is in units of that left side
    and zero or more when the limit holds.
    """

    name: str
    used: float
    limit: float
    price: float
    slack: float
    soft: bool = False


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved about a plan, recomputed from the candidates by code that the solver does not use.

    ``bound`` is an upper bound on the value of every plan that keeps the limits;
    ``gap = (bound - value) / max(|bound|, 1)``.
    ``status`` is ``optimal`` only when every hard row holds and ``gap <= gap_asked``.
    """

    status: Status
    value: float
    bound: float
    gap: float
    gap_asked: float
    rows: tuple[RowReport, ...]
    opportunities: int
    offered: int
    repaired: int
    """Opportunities whose choice differs from the one that the prices alone would make."""
    data_hash: str
    seed: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``choice[i]`` is the index of the chosen offer of opportunity i, or -1 for ``NO_OFFER``.

    ``prices`` maps a limit to its price; a limit with both bounds has the prices ``name (at most)`` and
    ``name (at least)``.
    """

    opportunity_id: np.ndarray
    offer_ids: tuple[str, ...]
    choice: np.ndarray
    prices: dict[str, float]
    certificate: Certificate
