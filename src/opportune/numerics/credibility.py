"""Credibility: ratios of groups, shrunk to the ratio of all by how much they differ beyond chance.

Bühlmann and Straub (1970); Bühlmann and Gisler (2005), A Course in Credibility Theory, chapter 4. With weights w of
rows, ratios x = y / w, groups' weights W and ratios X:

    s2 = sum w (x - X)^2 / (rows - groups),     t2 = (sum W (X - Xbar)^2 - (groups - 1) s2) / (W. - sum W^2 / W.),
    Z = W / (W + s2 / t2),     shrunk ratio = Z X + (1 - Z) parent,     variance = (1 - Z) t2 + (1 - Z)^2 Var(parent).
"""

import numpy as np


def group_ratios(
    y: np.ndarray, w: np.ndarray, group: np.ndarray, parent: np.ndarray, ratio: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return shrunk ratios and their variances (G,) from amounts and weights of rows (n,) and their groups (n,).

    ``parent`` (G,) is each group's place in the parents' ``ratio`` and ``variance`` (P,).
    """
    groups, prior = len(parent), ratio[parent]
    told = w > 0
    x = y[told] / w[told]
    weight, total, count = (np.bincount(group[told], v, groups) for v in (w[told], y[told], np.ones(len(x))))
    seen = weight > 0
    own = np.where(seen, total / np.where(seen, weight, 1.0), prior)
    s2 = float(np.sum(w[told] * (x - own[group[told]]) ** 2)) / max(int(count.sum()) - int(seen.sum()), 1)
    t2 = _between(weight[seen], own[seen] - prior[seen], len(np.unique(parent[seen])), s2)
    z = weight / (weight + s2 / t2) if t2 > 0.0 else np.zeros(groups)
    return prior + z * (own - prior), (1.0 - z) * t2 + (1.0 - z) ** 2 * variance[parent]


def ratio_of_sums(y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Return the ratio of sums and its variance, rows drawn independently (linearised); NaN without weight."""
    total = float(w.sum())
    if total <= 0.0:
        return np.nan, np.nan
    ratio = float(y.sum()) / total
    return ratio, float(np.sum((y - ratio * w) ** 2)) / total**2


def _between(weight: np.ndarray, deviation: np.ndarray, parents: int, s2: float) -> float:
    """Return t2 from the groups' deviations from their parents' ratios; each parent costs a degree of freedom."""
    freedom = len(weight) - parents
    if freedom < 1:
        return 0.0
    room = float(weight.sum() - np.sum(weight**2) / weight.sum())
    return max(float(np.sum(weight * deviation**2)) - freedom * s2, 0.0) / room if room > 0.0 else 0.0
