"""Keyed randomness: the same number for the same (seed, purpose, id) in Python, SQL and Spark.

A draw is the first 13 hexadecimal digits of md5("seed|purpose|id") divided by 2^52: 52 bits, exact in float64.
There is no global seed and no hidden generator.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

_SCALE = 2.0**-52


def keyed_uniform(seed: int, purpose: str, ids: Iterable[str]) -> np.ndarray:
    """Return one draw in [0, 1) per id, float64, independent of the order and number of ids."""
    prefix = hashlib.md5(f"{seed}|{purpose}|".encode(), usedforsecurity=False)
    return np.array([_draw(prefix, each) for each in ids], dtype=np.float64)


def _draw(prefix: "hashlib._Hash", each: str) -> float:
    digest = prefix.copy()
    digest.update(str(each).encode())
    return int(digest.hexdigest()[:13], 16) * _SCALE


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator keyed by (seed, purpose), for bootstrap replicates and model seeds."""
    key = hashlib.md5(f"{seed}|{purpose}".encode(), usedforsecurity=False).hexdigest()
    return np.random.Generator(np.random.Philox(key=int(key, 16)))
