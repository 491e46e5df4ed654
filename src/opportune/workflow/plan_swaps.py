"""Who changes between two plans of a list: value and uses under the newer forecasts, and of whom no log tells."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.decisioning import value_by_member, value_offers
from opportune.domain import Estimate, Opportunities, Value
from opportune.economics import resources_used
from opportune.evaluation.swap_set import LEFT_ALONE, OTHER, SAME, SWAPPED_IN, SWAPPED_OUT, swap_kinds
from opportune.features import feature_column
from opportune.numerics import NORMAL_975, jackknife_variance
from opportune.offers import PricedCatalogue
from opportune.workflow.frames import open_tables, read_facts, texts
from opportune.workflow.plan import read_rulebook
from opportune.workflow.recorded import Recorded

METHOD = "grouped jackknife over the clusters that taught the models"
KINDS = (LEFT_ALONE, SAME, OTHER, SWAPPED_IN, SWAPPED_OUT)
EVERYONE = "all"
VALUE = "value"


class SwapRow(msgspec.Struct, frozen=True, kw_only=True):
    """Customers of one group by what changes for them: newer plan less older, both under the newer forecasts.

    ``uses`` maps a resource, such as the expected loss, to its change. ``no_label`` counts the customers whose newer
    offer was never logged in their band: of them there is a forecast and no experience.
    """

    group: str
    kind: str
    customers: int
    no_label: int
    value: Estimate
    uses: dict[str, Estimate]


class PlanSwaps(msgspec.Struct, frozen=True, kw_only=True):
    """The change of planned value, and its parts by group and kind, and by kind alone."""

    value: Estimate
    by_group: tuple[SwapRow, ...]
    by_kind: tuple[SwapRow, ...]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Newer less older by name (``value`` and each resource), for the customers who change, the mask ``rows`` (n,).

    ``amounts`` are per changing customer (d,), ``by_bag`` (bags, d) the same by each bag of the models alone.
    """

    rows: np.ndarray
    amounts: dict[str, np.ndarray]
    by_bag: dict[str, np.ndarray]
    folds: int

    def estimate(self, name: str, rows: np.ndarray) -> Estimate:
        """Return the sum over the customers of a mask (n,).

        The interval tells how far the sum depends on the clusters that taught the models.
        """
        inside = rows[self.rows]
        value = float(self.amounts[name][inside].sum())
        by_bag = self.by_bag[name][:, inside].sum(axis=1)
        spread = NORMAL_975 * float(np.sqrt(jackknife_variance(by_bag.reshape(-1, self.folds))))
        return Estimate(value=value, low=value - spread, high=value + spread, n=int(rows.sum()), method=METHOD)


def plan_swaps(
    out: Path, recorded: Recorded, batch: Opportunities, before: np.ndarray, after: np.ndarray, logged: np.ndarray
) -> PlanSwaps:
    """Return the swaps from choices ``before`` to ``after`` (n,), the index of an offer or -1 for none.

    ``logged`` (n, K) says which offers the log holds in each customer's band.
    """
    changed = _changed(out, recorded, batch, before, after)
    made = np.maximum(after, 0)
    no_label = (after >= 0) & (after != before) & ~logged[np.arange(len(batch)), made]
    group, kind = batch.context[_catalogue(out).price.band].astype(str), swap_kinds(before, after)

    def row(name: str, each: str, inside: np.ndarray) -> SwapRow:
        rows = inside & (kind == each)
        return SwapRow(
            group=name, kind=each, customers=len(set(batch.customer_id[rows])),
            no_label=len(set(batch.customer_id[rows & no_label])),
            value=changed.estimate(VALUE, rows),
            uses={use: changed.estimate(use, rows) for use in changed.amounts if use != VALUE},
        )  # fmt: skip

    everyone = np.ones(len(batch), dtype=bool)
    return PlanSwaps(
        value=changed.estimate(VALUE, everyone),
        by_group=tuple(row(str(name), each, group == name) for name in np.unique(group) for each in KINDS),
        by_kind=tuple(row(EVERYONE, each, everyone) for each in KINDS),
    )


def logged_offers(out: Path, recorded: Recorded, batch: Opportunities) -> np.ndarray:
    """Return the mask (n, K) of offers that were logged in each customer's band before the list."""
    catalogue = _catalogue(out)
    band, price = catalogue.price.band, catalogue.price.term
    rows = open_tables(out, out).query(f"""
        SELECT DISTINCT o."{band}"::VARCHAR AS band, d."{price}" AS price
        FROM decisions AS d JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id
        WHERE d.decided_at < TIMESTAMPTZ '{recorded.plan_at}' AND d."{price}" IS NOT NULL
        ORDER BY ALL""")
    bands = texts(rows, "band")
    step = catalogue.step_of(bands, feature_column(rows, "price"))
    held = np.zeros((len(batch), len(catalogue.offer_ids)), dtype=bool)
    for name, k in {*zip(bands, step.tolist(), strict=True)}:
        if k >= 0:
            held[batch.context[band].astype(str) == name, k] = True
    return held


def _catalogue(out: Path) -> Any:
    return msgspec.json.decode((out / "offers" / "catalogue.json").read_bytes(), type=PricedCatalogue).catalogue


def _changed(out: Path, recorded: Recorded, batch: Opportunities, before: np.ndarray, after: np.ndarray) -> Changed:
    differing, response = before != after, recorded.models["response"]
    if not differing.any():
        nothing = {name: np.zeros((response.bags, 0)) for name in (VALUE, *resources_used(recorded.assumptions))}
        return Changed(rows=differing, amounts={name: np.zeros(0) for name in nothing}, by_bag=nothing,
                       folds=response.folds)  # fmt: skip
    facts = read_facts(out, list(recorded.features), batch.opportunity_id, recorded.plan_at).take(differing)
    rulebook, rows = read_rulebook(recorded, out), batch.take(differing)
    older, newer = before[differing], after[differing]
    amounts = {name: _less(each, older, newer) for name, each in _amounts(value_offers(rows, facts, rulebook)).items()}
    pairs = zip(*(value_by_member(rows, facts, choice, rulebook) for choice in (newer, older)), strict=True)
    members = [(_amounts(one), _amounts(other)) for one, other in pairs]
    by_bag = {name: np.array([one[name] - other[name] for one, other in members]) for name in amounts}
    return Changed(rows=differing, amounts=amounts, by_bag=by_bag, folds=response.folds)


def _amounts(value: Value) -> dict[str, np.ndarray]:
    return {VALUE: value.total(), **value.uses}


def _less(amounts: np.ndarray, older: np.ndarray, newer: np.ndarray) -> np.ndarray:
    """Return the amount of the newer choice less that of the older one (n,); no offer (-1) has none."""
    padded, rows = np.column_stack([amounts, np.zeros(len(amounts))]), np.arange(len(amounts))
    return np.asarray(padded[rows, newer] - padded[rows, older])
