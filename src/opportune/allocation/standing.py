"""Standing: a customer may stand once for each slot and instant, because each of these gets one offer or none.

Two rows of one customer, slot and instant would be two choices where there is one. Keys are compared by hash first, so
that a list without repetitions costs one pass over its customers.
"""

import numpy as np

from opportune.domain import CandidateBlocks, Candidates, Finding

_SHOWN = 3


def check_standing(candidates: Candidates) -> list[Finding]:
    """Return a finding (OP030) where a customer stands more than once for a slot and instant."""
    if not len(_repeated(_hashes(candidates.customer_id))):
        return []
    return check_codes(candidates, standing_codes(candidates))


def standing_codes(block: Candidates) -> np.ndarray:
    """Return a hash (n,) of each opportunity's customer, slot and, where it has one, its instant."""
    return np.asarray(sum((1 + 2 * place) * _hashes(key) for place, key in enumerate(_keys(block))))


def check_codes(candidates: CandidateBlocks, codes: np.ndarray) -> list[Finding]:
    """Return the finding from the hashes (n,) of all keys; what has the same hash is compared itself."""
    rows = _repeated(codes)
    if not len(rows):
        return []
    seen: set[tuple[object, ...]] = set()
    twice, start = [], 0
    for block in candidates.blocks():
        mine = rows[(rows >= start) & (rows < start + len(block))] - start
        keys = zip(*(key[mine].tolist() for key in _keys(block)), strict=True)
        for opportunity, key in zip(block.opportunity_id[mine].tolist(), keys, strict=True):
            twice += [str(opportunity)] if key in seen else []
            seen.add(key)
        start += len(block)
    return [_standing_twice(twice, "slot and instant" if "at" in candidates.columns else "slot")] if twice else []


def _keys(block: Candidates) -> tuple[np.ndarray, ...]:
    instants = (block.attributes["at"].astype(np.int64),) if "at" in block.attributes else ()
    return (block.customer_id, block.slot, *instants)


def _hashes(values: np.ndarray) -> np.ndarray:
    return np.fromiter(map(hash, values.tolist()), np.int64, len(values))


def _repeated(codes: np.ndarray) -> np.ndarray:
    """Return the rows, in order, whose code others have too."""
    ordered = np.sort(codes)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(codes, again)) if len(again) else np.zeros(0, dtype=np.int64)


def _standing_twice(twice: list[str], key: str) -> Finding:
    message = f"{len(twice)} opportunities stand for a customer and {key} of another: expected each once"
    step = "keep one of them, give them slots of their own, or name the instant of each in a column `at`"
    shown = ", ".join(twice[:_SHOWN])
    return Finding(code="OP030", source="candidates", subject=shown, message=message, next_step=step)
