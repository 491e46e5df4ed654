"""Ten million customers with twenty offers each in one Parquet file, written in blocks."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from opportune.domain import Limit
from opportune.tables import CandidatesFile

COUNT = 10_000_000
OFFERS = 20
MERCHANTS = 44
BLOCK = 50_000
USES = ("contacts", "cost", "exposure", "capital", "provision", "loss")


def write_file(path: Path, count: int) -> None:
    """Write a seeded file of candidates, every offer eligible, sorted by opportunity."""
    writer: pq.ParquetWriter | None = None
    for start in range(0, count, BLOCK):
        table = _block(start, min(BLOCK, count - start))
        writer = writer or pq.ParquetWriter(
            path, table.schema, compression="none", use_dictionary=list(table.schema.names[:5])
        )
        writer.write_table(table)
    if writer is not None:
        writer.close()


def open_file(path: Path) -> CandidatesFile:
    """Return the file as candidates."""
    return CandidatesFile(path, USES, "USD")


def limits_of_file(count: int) -> list[Limit]:
    """Return six dense rows and a cap on the exposure of each of 44 merchants."""
    return [
        Limit(name="contacts", uses="contacts", at_most=0.55 * count),
        Limit(name="budget", uses="cost", at_most=1.1 * count),
        Limit(name="capital", uses="capital", at_most=9.0 * count),
        Limit(name="provision", uses="provision", at_most=3.5 * count),
        Limit(name="loss", uses="loss", at_most=2.2 * count),
        Limit(name="loss rate", uses="loss", per="exposure", at_most=0.03),
        Limit(name="merchants", uses="exposure", by="merchant", at_most=2.3 * count),
    ]


def _block(start: int, count: int) -> pa.Table:
    draw = np.random.default_rng(start)
    shape = (count, OFFERS)
    quality = draw.beta(2.0, 5.0, (count, 1))
    amount = 200.0 + 120.0 * np.arange(OFFERS) * draw.uniform(0.7, 1.3, (count, 1))
    exposure = amount * np.clip(quality * draw.uniform(0.3, 1.0, shape), 0.0, 1.0)
    loss = exposure * draw.beta(1.2, 22.0, (count, 1)) * (1.0 + 0.04 * np.arange(OFFERS))
    uses = {
        "contacts": np.ones(shape), "cost": 0.4 + 0.01 * exposure * draw.random(shape), "exposure": exposure,
        "capital": 0.08 * exposure * draw.uniform(0.8, 1.2, shape), "provision": loss * draw.uniform(1.0, 1.4, shape),
        "loss": loss,
    }  # fmt: skip
    ids = pa.array([f"o{i:08d}" for i in range(start, start + count)])
    rows = np.repeat(np.arange(count, dtype=np.int32), OFFERS)
    one = pa.DictionaryArray.from_arrays
    merchants = draw.integers(0, MERCHANTS, count).astype(np.int32)
    return pa.table(
        {
            "opportunity_id": one(pa.array(rows), ids),
            "customer_id": one(pa.array(rows), ids),
            "slot": one(pa.array(np.zeros(len(rows), np.int32)), pa.array(["1"])),
            "offer_id": one(
                pa.array(np.tile(np.arange(OFFERS, dtype=np.int32), count)),
                pa.array([f"k{k:02d}" for k in range(OFFERS)]),
            ),
            "merchant": one(pa.array(merchants[rows]), pa.array([f"m{m:02d}" for m in range(MERCHANTS)])),
            "value": (draw.uniform(0.03, 0.12, shape) * exposure - 0.6 * loss).ravel(),
            **{name: amounts.ravel() for name, amounts in uses.items()},
        }
    )
