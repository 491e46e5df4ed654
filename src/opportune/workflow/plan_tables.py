"""A plan as tables: its candidates, the chosen offers, and the probability of every eligible offer."""

from typing import TYPE_CHECKING

import numpy as np

from opportune.decisioning import choose, unit_charges
from opportune.domain import NO_OFFER_ID, Candidates, Opportunities, Plan

if TYPE_CHECKING:
    import pyarrow as pa


def candidates_table(options: Candidates) -> "pa.Table":
    """Return one row per eligible (opportunity, offer), in the shape of DESIGN's table `candidates`."""
    import pyarrow as pa

    row, offer = np.nonzero(options.eligible)
    return pa.table(
        {
            "opportunity_id": pa.array(options.opportunity_id[row], pa.string()),
            "customer_id": pa.array(options.customer_id[row], pa.string()),
            "slot": pa.array(options.slot[row], pa.string()),
            "offer_id": pa.array(np.array(options.offer_ids, dtype=object)[offer], pa.string()),
            "value": options.value[row, offer],
            **{name: uses[row, offer] for name, uses in options.uses.items()},
        }
    )


def plan_table(options: Candidates, made: Plan, choice: np.ndarray, batch: Opportunities) -> "pa.Table":
    """Return one row per opportunity with its offer, ``NO_OFFER`` included, in the shape of table `plan`.

    ``choice`` (n,) is what each gets: the plan's own, or where it explores what its draw realises.
    """
    import pyarrow as pa

    ids = np.array([*options.offer_ids, NO_OFFER_ID], dtype=object)
    return pa.table(
        {
            "opportunity_id": pa.array(batch.opportunity_id, pa.string()),
            "customer_id": pa.array(batch.customer_id, pa.string()),
            "slot": pa.array(batch.slot, pa.string()),
            "offer_id": pa.array(ids[choice], pa.string()),
            "probability": _probability(made, choice),
            "value": _chosen(options.value, choice),
            **{name: _chosen(uses, choice) for name, uses in options.uses.items()},
        }
    )


def _probability(made: Plan, choice: np.ndarray) -> np.ndarray:
    """Return P(what each gets) (n,), the holdout aside."""
    if made.probability is None:
        return np.ones(len(choice))
    left = 1.0 - made.probability.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(np.column_stack([made.probability, left])[np.arange(len(choice)), choice])


def _chosen(amounts: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Return the entry of each row's chosen offer, zero for ``NO_OFFER``."""
    padded = np.column_stack([amounts, np.zeros(len(amounts))])
    return np.ascontiguousarray(padded[np.arange(len(choice)), choice])


def probabilities_table(everyone: Candidates, held_out: np.ndarray, made: Plan, share: float) -> "pa.Table":
    """Return the probability of every eligible offer and of ``NO_OFFER``, before the holdout was drawn.

    What the plan gives an offer is multiplied by 1 less the ``share`` of the holdout, ``NO_OFFER`` has the rest. For a
    customer who was held out the planned offer is the one that the prices of limits choose.
    """
    import pyarrow as pa

    planned = _planned(everyone, held_out, made) * (1.0 - share)
    planned = np.column_stack([planned, 1.0 - planned.sum(axis=1)])
    offered = np.column_stack([everyone.eligible, np.ones(len(everyone), dtype=bool)])
    row, offer = np.nonzero(offered)
    ids = np.array([*everyone.offer_ids, NO_OFFER_ID], dtype=object)
    return pa.table(
        {
            "opportunity_id": pa.array(everyone.opportunity_id[row], pa.string()),
            "offer_id": pa.array(ids[offer], pa.string()),
            "probability": planned[row, offer],
        }
    )


def _planned(everyone: Candidates, held_out: np.ndarray, made: Plan) -> np.ndarray:
    """Return the plan's P(each offer) (n, K), for those held out that of the choice that prices make."""
    by_price = choose(everyone, unit_charges(made.places, made.prices, everyone.attributes)).probability
    certain = np.zeros(everyone.value.shape)
    offered = np.flatnonzero(made.choice >= 0)
    certain[offered, made.choice[offered]] = 1.0
    return np.where(held_out[:, None], by_price, certain if made.probability is None else made.probability)
