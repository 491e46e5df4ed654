"""Candidates larger than memory: read once in blocks, kept as one packed file, walked block by block.

The packed file holds float32. It only steers: prices give a valid bound whatever they came from, and value, uses and
bound are recomputed in float64 from the candidates themselves by the certificate.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np

from opportune.allocation.check import check_numbers
from opportune.allocation.pool import Block, times
from opportune.allocation.prepare import (
    Prepared,
    by_customer,
    cells_of,
    codes_of,
    resources_of,
    value_scale,
    write_offers,
)
from opportune.allocation.standing import check_codes, standing_codes
from opportune.domain import BadInput, CandidateBlocks, Candidates, Finding, Limit, places_of

PACKED = np.dtype(np.float32)
ROWS = 131_072
"""Opportunities of one read."""


class OnDisk(msgspec.Struct, frozen=True):
    """Opportunities whose offers lie in a packed file (n, 1 + R, K) of float32.

    ``factor`` is what the values of the file are times.
    """

    path: Path
    shape: tuple[int, int]
    cell: np.ndarray
    copies: np.ndarray
    first: np.ndarray
    factor: float = 1.0

    def blocks(self) -> Iterator[tuple[slice, Block]]:
        """Yield every block with the rows it covers; the next is read while one is used."""
        with ThreadPoolExecutor(1) as reader:
            coming = None
            for customers in self._runs():
                ahead = reader.submit(self._block, customers)
                if coming is not None:
                    yield coming.result()
                coming = ahead
            if coming is not None:
                yield coming.result()

    def offers_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the values and uses (q, 1 + R, K) of some opportunities (q,)."""
        size = self.shape[0] * self.shape[1] * PACKED.itemsize
        with self.path.open("rb", buffering=0) as packed:  # a mapped file would keep what lies around each row too
            read = b"".join(os.pread(packed.fileno(), size, row * size) for row in rows.tolist())
        return self._valued(np.frombuffer(read, PACKED).reshape(len(rows), *self.shape).astype(np.float64))

    def worth(self, factor: float) -> "OnDisk":
        """Return the same opportunities with the value of every eligible offer times a factor."""
        return msgspec.structs.replace(self, factor=self.factor * factor)

    def _runs(self) -> Iterator[slice]:
        """Yield runs of customers that have about ``ROWS`` opportunities each."""
        ends = np.searchsorted(self.first, np.arange(ROWS, len(self.cell) + ROWS, ROWS), side="left")
        start = 0
        for end in np.minimum(ends, len(self.first) - 1).tolist():
            if end > start:
                yield slice(start, end)
                start = end

    def _block(self, customers: slice) -> tuple[slice, Block]:
        first = self.first[customers.start : customers.stop + 1]
        rows = slice(int(first[0]), int(first[-1]))
        per = self.shape[0] * self.shape[1]
        count = (rows.stop - rows.start) * per
        read = np.fromfile(self.path, PACKED, count, offset=rows.start * per * PACKED.itemsize)
        offers = self._valued(read.reshape(rows.stop - rows.start, *self.shape))
        return rows, Block(offers, self.cell[rows], self.copies[rows], first - first[0])

    def _valued(self, offers: np.ndarray) -> np.ndarray:
        if self.factor != 1.0:
            offers[:, 0] = times(offers[:, 0], self.factor)
        return offers


def prepare_on_disk(candidates: CandidateBlocks, limits: Sequence[Limit], most: int | None, folder: Path) -> Prepared:
    """Return candidates prepared for limits, their offers packed into a file of ``folder``.

    Where a customer may get only so many offers, its opportunities must follow each other. BadInput (OP504, OP508,
    OP030) for numbers that are not finite, for customers whose opportunities are apart, and for those that stand twice
    for a slot and instant.
    """
    places = places_of(limits, candidates.attribute_blocks())
    resources = resources_of(places)
    path, scale = folder / "offers.float32", 1.0
    codes, ids, owners, standing = [], [], [], []
    with path.open("wb") as packed:
        for number, block in enumerate(candidates.blocks()):
            if findings := check_numbers(block):
                raise BadInput(findings)
            scale = value_scale(block) if number == 0 else scale
            packed.write(_packed(block, resources, scale).tobytes())
            codes.append(codes_of(places, block))
            ids.append(block.opportunity_id)
            owners.append(block.customer_id if most is not None else block.customer_id[:0])
            standing.append(standing_codes(block))
    if findings := check_codes(candidates, np.concatenate(standing)):
        raise BadInput(findings)
    cell, place_of_cell = cells_of(np.concatenate([np.zeros((0, len(places)), np.int32), *codes]))
    first = _first(np.concatenate([np.zeros(0, object), *owners]), len(cell), most)
    pool = OnDisk(path, (1 + len(resources), len(candidates.offer_ids)), cell, np.ones(len(cell)), first)
    return Prepared(
        pool=pool,
        opportunity_id=np.concatenate([np.zeros(0, object), *ids]),
        places=places,
        place_of_cell=place_of_cell,
        resources=resources,
        value_scale=scale,
        row_of=np.arange(len(cell)),
        most=most,
    )


def _packed(block: Candidates, resources: Sequence[str], scale: float) -> np.ndarray:
    offers = np.empty((len(block), 1 + len(resources), len(block.offer_ids)), PACKED)
    write_offers(offers, block, resources, np.arange(len(block)), scale)
    return offers


def _first(owners: np.ndarray, count: int, most: int | None) -> np.ndarray:
    """Return where the opportunities of each customer begin (customers + 1,)."""
    if most is None:
        return np.arange(count + 1)
    order, first = by_customer(owners, most)
    if not np.array_equal(order, np.arange(count)):
        apart = str(owners[order[np.flatnonzero(order != np.arange(count))[0]]])
        message = "has opportunities that do not follow each other: expected candidates sorted by customer"
        step = "sort the file by customer_id and opportunity_id"
        raise BadInput([Finding(code="OP508", source="candidates", subject=apart, message=message, next_step=step)])
    return first
