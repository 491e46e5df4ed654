"""Shrinkage of event counts to the rates of a parent: empirical Bayes in closed form.

Letters: ``d`` events and ``n`` at risk (S, T) for S segments and T periods; ``p`` (S, T) the parent's hazards;
``e`` expected events (S,), sum_t n p or fewer (`level_weights`); ``theta`` a segment's level relative to its parent.

- Level: d. ~ Poisson(theta e), theta ~ Gamma(a, a) with mean 1. Posterior Gamma(a + d., a + e). Clayton and Kaldor
  (1987), Biometrics 43: 671-681.
- Month: d_t ~ Binomial(n_t, h_t), h_t ~ Beta with mean m_t = theta p_t and strength k. Posterior
  Beta(k m_t + d_t, k (1 - m_t) + n_t - d_t). Kleinman (1973), JASA 68: 46-54.

Strengths are in the unit of what they are weighed against: ``a`` in expected events, ``k`` in rows at risk. Infinite
means that nothing in the data speaks for differences.
"""

import numpy as np


def level_strength(d: np.ndarray, e: np.ndarray, parents: int = 1) -> float:
    """Return ``a`` by moments, from events and expected events (S,) of segments with so many parents.


    1/a is the variance of levels: (Q - (S - parents)) / (sum e - sum e^2 / sum e) with Q = sum (d - e)^2 / e, the
    moment estimator of DerSimonian and Laird (1986), Controlled Clinical Trials 7: 177-188; weights e = 1 / Var(d / e).
    """
    told = e > 0.0
    d, e = d[told], e[told]
    if len(e) <= parents:
        return np.inf
    excess = float(np.sum((d - e) ** 2 / e)) - (len(e) - parents)
    room = float(np.sum(e) - np.sum(e**2) / np.sum(e))
    return room / excess if excess > 0.0 else np.inf


def level_weights(n: np.ndarray, p: np.ndarray, k: float) -> np.ndarray:
    """Return the expected events (S,) that a segment's level is worth when its months vary by themselves.

    1 / Var(d. / e.) = (sum n p)^2 / sum n p (1 + (n - 1) / (k + 1)): all events that are expected where k is infinite.
    """
    expected = np.sum(n * p, axis=1)
    varies = np.sum(n * p * (1.0 + np.maximum(n - 1.0, 0.0) / (k + 1.0)), axis=1)
    return np.asarray(np.where(varies > 0.0, expected**2 / np.where(varies > 0.0, varies, 1.0), 0.0))


def month_strength(d: np.ndarray, n: np.ndarray, mean: np.ndarray, parents: int = 1) -> float:
    """Return ``k`` by moments, from events and rows at risk (S, T) around fitted ``mean`` hazards (S, T).

    Var(d) = n m (1 - m) (1 + (n - 1) rho) with rho = 1 / (k + 1), so rho = (X^2 - df) / sum (n - 1) with Pearson's X^2
    (Williams 1982, Applied Statistics 31: 144-148); df takes off the S levels and the T hazards of each parent.
    """
    told = (n > 1) & (mean > 0.0) & (mean < 1.0)
    rows, m = n[told].astype(np.float64), mean[told]
    freedom = len(rows) - parents * int(told.any(axis=0).sum()) - int(told.any(axis=1).sum()) + parents
    if freedom < 1:
        return np.inf
    excess = float(np.sum((d[told] - rows * m) ** 2 / (rows * m * (1.0 - m)))) - freedom
    return max(float(np.sum(rows - 1.0)) / excess - 1.0, 0.0) if excess > 0.0 else np.inf


def blend(own: np.ndarray, prior: np.ndarray, data: np.ndarray, strength: float) -> np.ndarray:
    """Return (data x own + strength x prior) / (data + strength); the prior where both weigh nothing or strength is
    infinite.
    """
    if np.isinf(strength):
        return np.broadcast_to(prior, np.shape(data)).astype(np.float64)
    total = data + strength
    weight = np.where(total > 0.0, data / np.where(total > 0.0, total, 1.0), 0.0)
    return np.asarray(prior + weight * (own - prior))


def widened_rates(d: np.ndarray, n: np.ndarray, enough: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rates (T,) and the rows behind each (T,), every thin period pooled with its neighbours.

    The window around a period grows by one on both sides until it expects ``enough`` events at the mean rate. Expected,
    not counted: many rows without an event say much about the rate. NaN and 0 where nothing at all was at risk.
    """
    periods = len(n)
    total_d, total_n = (np.concatenate([[0.0], np.cumsum(each, dtype=np.float64)]) for each in (d, n))
    overall = total_d[-1] / total_n[-1] if total_n[-1] else 0.0
    low, high = np.arange(periods), np.arange(1, periods + 1)
    for _ in range(periods):
        thin = (total_n[high] - total_n[low]) * overall < enough
        low, high = np.where(thin, np.maximum(low - 1, 0), low), np.where(thin, np.minimum(high + 1, periods), high)
    rows = total_n[high] - total_n[low]
    return np.where(rows > 0, (total_d[high] - total_d[low]) / np.where(rows > 0, rows, 1.0), np.nan), rows
