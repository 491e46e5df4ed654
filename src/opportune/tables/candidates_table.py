"""An Arrow table of candidates in memory, one row per eligible (opportunity, offer), as dense arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from opportune.domain import Candidates
from opportune.tables.candidate_rows import NAMES, begins, encoded, offers_in, shape_of


def candidates_of_table(table: Any, resources: Sequence[str], currency: str) -> Candidates:
    """Return the candidates of a table of the shape that ``CandidatesFile`` reads.

    ``table`` is anything that hands out Arrow (PyArrow, pandas, Polars, DuckDB); ids that are dictionary-encoded are
    read fastest. ``resources`` are the columns that offers use; other columns are attributes. BadInput (OP509) for a
    column or an id that is missing, for rows that are not sorted, for an opportunity whose rows differ in customer,
    slot or an attribute, and for an offer that stands twice for one.
    """
    given = pa.table(table)
    shape = shape_of("candidates", given.column_names, resources, currency)
    rows = pa.table({name: encoded(given[name]) if name in NAMES else given[name] for name in shape.names})
    shape.refuse_nameless(rows, 0)
    starts = np.append(begins(rows["opportunity_id"]), rows.num_rows) if rows.num_rows else np.zeros(1, dtype=np.int64)
    shape.refuse_differing(rows, starts, 0)
    found = shape.dense(rows, starts, tuple(sorted(offers_in(rows["offer_id"]))))
    shape.orders(found.opportunity_id, found.customer_id, [0, 1])
    return found
