"""A forecast: what is expected to happen if an offer is made."""

import msgspec
import numpy as np


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Expected quantities per (opportunity, offer), arrays of shape (n, K), K without ``NO_OFFER``.

    ``quantities`` maps a role of ``models.toml`` (``response``, ``amount``, ...) to its expectation; ``spread`` maps it
    to the standard deviation over the bag of models; ``model`` is the content hash of the models that made them.
    """

    quantities: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    model: str
