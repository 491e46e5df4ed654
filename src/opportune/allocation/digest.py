"""The identity of what was solved: a hash of candidates, limits and all else that a plan was asked for."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from opportune.domain import Candidates, Limit, Reserved


def data_hash(
    offer_ids: Sequence[str],
    limits: Sequence[Limit],
    most: int | None,
    reserved: Mapping[str, Reserved] | None,
    data: bytes,
) -> str:
    """Return the SHA-256 of everything that was solved.

    Offers, limits, how many offers a customer may get, what is reserved, and the digests of all blocks in order.
    """
    asked = (tuple(offer_ids), tuple(limits), most, sorted((reserved or {}).items()))
    return hashlib.sha256(repr(asked).encode() + data).hexdigest()


def digest_of(block: Candidates) -> bytes:
    """Return the SHA-256 of ids, slots, eligibility, values, uses and attributes of some candidates."""
    digest = hashlib.sha256()
    for name, ids in (("opportunity", block.opportunity_id), ("customer", block.customer_id), ("slot", block.slot)):
        digest.update(name.encode() + b"\0" + _lines(ids))
    for name, array in (("eligible", block.eligible), ("value", block.value), *sorted(block.uses.items())):
        digest.update(name.encode() + b"\0" + np.ascontiguousarray(array).tobytes())
    for name, values in sorted(block.attributes.items()):
        digest.update(name.encode() + b"\0" + _lines(values))
    return digest.digest()


def _lines(values: np.ndarray) -> bytes:
    """Return values as text, one a line."""
    texts = values.tolist()
    try:
        return "\n".join(texts).encode()
    except TypeError:  # not all are texts
        return "\n".join(map(str, texts)).encode()
