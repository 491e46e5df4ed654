"""Enough clusters: an interval that rests on a handful of them is far too narrow, and on one it is a point."""

import numpy as np

from opportune.domain import BadInput
from opportune.evaluation.logged import FEWEST_CLUSTERS, few_clusters
from opportune.numerics import cluster_codes


def refuse_few_clusters(cluster: np.ndarray) -> None:
    """Raise BadInput (OP609) when names (n,) make fewer than ``FEWEST_CLUSTERS`` clusters."""
    count = cluster_codes(cluster)[0]
    if count < FEWEST_CLUSTERS:
        raise BadInput([few_clusters(count)])
