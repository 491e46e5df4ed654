"""Lifetime lines per loan, in one Parquet file that grows block by block."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import LifetimeValue
from opportune.tables import Engine
from opportune.workflow.value_totals import measures_of

if TYPE_CHECKING:
    import pyarrow as pa


class LinesFile:
    """Lines per loan, block by block, in one Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path, self.blocks = path, 0
        self._writer: Any = None

    def __enter__(self) -> "LinesFile":
        return self

    def write(self, table: "pa.Table") -> None:
        """Add the rows of a block."""
        import pyarrow.parquet as pq

        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self.blocks += 1

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()


def lines_table(loan_id: np.ndarray, cohort: np.ndarray, valued: LifetimeValue) -> "pa.Table":
    """Return lines, discounted lines, measures and uses, one row per loan."""
    import pyarrow as pa

    discounted = {f"discounted_{name}": line for name, line in valued.discounted.items()}
    columns = {**valued.value.lines, **discounted, **measures_of(valued), **valued.value.uses}
    return pa.table({"loan_id": pa.array(loan_id, pa.string()), "cohort": pa.array(cohort, pa.string()), **columns})


def refuse_twice(lines: Path, blocks: int, path: Path) -> None:
    """Raise BadInput where an id stands in two blocks; inside a block the reader has found it."""
    if blocks < 2:
        return
    query = f"SELECT loan_id FROM read_parquet('{lines}') GROUP BY loan_id HAVING count(*) > 1 ORDER BY loan_id LIMIT 3"
    twice = Engine(lines.parent).query(query)["loan_id"].to_pylist()
    if twice:
        message = f"stands twice ({', '.join(twice)}): expected one row per loan"
        step = "keep one row per loan"
        raise BadInput([Finding(code="OP453", source=path.name, subject="loan_id", message=message, next_step=step)])
