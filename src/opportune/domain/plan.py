"""A plan: choices, prices of limits, and the certificate that bounds what any other plan could earn."""

from typing import Literal

import msgspec
import numpy as np

from opportune.domain.display import bundle, figure, html_table
from opportune.domain.limit_rows import Places

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
    margin: float = 0.0
    """What was kept free on top, for what forecasts do not know; ``slack`` is beyond it."""
    about: int | None = None
    """How many opportunities the row is about; None for all of them."""


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan tries in order to learn: ``offers`` beside those chosen, with a probability of ``floor`` each, to so
    many opportunities.

    ``cost`` is the value of the best plan that tries nothing less that of this one, ``budget`` what it may be.
    """

    floor: float
    budget: float
    cost: float
    offers: int
    opportunities: int


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
    explored: Explored | None = None
    """With exploration on, limits hold in expectation, and value and bound are expectations."""
    ahead: int = 0
    """How many of the opportunities are a forecast of what is to come after the list: all figures are about both."""

    def title(self) -> str:
        """Return the plan's status, size, value and gap in one line."""
        ahead = f" ({self.ahead:,} of them forecast)" if self.ahead else ""
        return (
            f"{self.status}: {self.offered:,} of {self.opportunities:,}{ahead} get an offer, "
            f"value {figure(self.value)}, at most {figure(self.bound)} (gap {max(self.gap, 0.0):.1e})"
        )

    def html(self) -> str:
        """Return the title and the limits as an HTML table."""
        header = ["limit", "used", "bound", "price", "slack"]
        rows = [
            [row.name, figure(row.used), figure(row.limit), figure(row.price), figure(row.slack)] for row in self.rows
        ]
        return html_table(self.title(), header, rows)

    def __repr__(self) -> str:
        return f"Certificate({self.title()})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook."""
        del include, exclude
        return bundle(repr(self), self.html())


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``choice[i]`` is the index of the chosen offer of opportunity i, or -1 for ``NO_OFFER``.

    ``prices`` maps a row of the limits to its price; a limit with both bounds has the prices ``name (at most)`` and
    ``name (at least)``, one with values ``name [value]``. ``places`` are the limits with the values that they had rows
    for: what prices are about.
    """

    opportunity_id: np.ndarray
    offer_ids: tuple[str, ...]
    choice: np.ndarray
    prices: dict[str, float]
    places: tuple[Places, ...]
    certificate: Certificate
    probability: np.ndarray | None = None
    """P(each offer) (n, K) of a plan that explores; None: the choice is certain."""

    def __repr__(self) -> str:
        return f"Plan({self.certificate.title()})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook; its size does not depend on the number of rows."""
        del include, exclude
        return bundle(repr(self), self.certificate.html())
