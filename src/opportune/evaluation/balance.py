"""Balance: whether, within strata, the logged offer is unrelated to what was known before it.

For each covariate, ranks within the stratum are compared across offers by the Kruskal-Wallis statistic, summed over
strata (van Elteren 1960 in the case of two groups): under random assignment each stratum adds an independent
chi-square with (offers present - 1) degrees of freedom. Missing values are tested as a covariate of their own.
Many covariates make a small p-value likely by chance: the verdict uses Holm's (1979) correction. A stratum with one
offer compares nothing: where there is no other, as where each decision has its own probabilities, nothing is tested.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from opportune.numerics import mid_ranks


class BalanceTest(msgspec.Struct, frozen=True, kw_only=True):
    """One covariate: statistic, degrees of freedom, p-value, and the p-value corrected for the number of tests."""

    covariate: str
    statistic: float
    degrees: int
    p_value: float
    p_corrected: float


class BalanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """All tests; ``balanced`` when no corrected p-value lies below ``level``, None where no covariate could be tested.

    ``compared`` counts the rows in strata that hold two offers or more, of ``rows``: only these are tested.
    """

    tests: tuple[BalanceTest, ...]
    balanced: bool | None
    level: float
    compared: int
    rows: int


def balance(
    action: np.ndarray, stratum: np.ndarray, covariates: Mapping[str, np.ndarray], level: float = 0.05
) -> BalanceReport:
    """Test each covariate (n,) for balance over logged offers within strata; rows with action -1 are left out."""
    inside = action >= 0
    columns = {name: values[inside] for name, values in _with_missing(covariates).items()}
    found = {name: _statistic(values, action[inside], stratum[inside].astype(str)) for name, values in columns.items()}
    raw = {name: _tail(statistic, degrees) for name, (statistic, degrees) in found.items()}
    corrected = _holm(raw)
    tests = tuple(
        BalanceTest(covariate=name, statistic=s, degrees=d, p_value=raw[name], p_corrected=corrected[name])
        for name, (s, d) in found.items()
    )
    verdict = all(p >= level for p in corrected.values()) if any(test.degrees for test in tests) else None
    compared = _compared(action[inside], stratum[inside].astype(str))
    return BalanceReport(tests=tests, balanced=verdict, level=level, compared=compared, rows=int(inside.sum()))


def _compared(action: np.ndarray, stratum: np.ndarray) -> int:
    """Return the number of rows in strata with two offers or more."""
    names, codes = np.unique(stratum, return_inverse=True)
    offers = np.bincount(np.unique(np.column_stack([codes, action]), axis=0)[:, 0], minlength=len(names))
    return int(np.sum(offers[codes] > 1))


def _with_missing(covariates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    columns = {}
    for name, values in covariates.items():
        columns[name] = values
        missing = np.isnan(values)
        if missing.any() and not missing.all():
            columns[f"{name} missing"] = missing.astype(np.float64)
    return columns


def _statistic(values: np.ndarray, action: np.ndarray, stratum: np.ndarray) -> tuple[float, int]:
    parts = [_kruskal_wallis(values[rows], action[rows]) for rows in (stratum == name for name in np.unique(stratum))]
    return float(sum(statistic for statistic, _ in parts)), int(sum(degrees for _, degrees in parts))


def _kruskal_wallis(values: np.ndarray, group: np.ndarray) -> tuple[float, int]:
    """Return the tie-corrected statistic (n - 1) x between-group / total sum of squares of ranks, and its degrees."""
    known = ~np.isnan(values)
    if np.sum(known) < 2:
        return 0.0, 0
    ranks, codes = mid_ranks(values[known]), np.unique(group[known], return_inverse=True)[1]
    centred = ranks - ranks.mean()
    total = float(np.sum(centred**2))
    sizes = np.bincount(codes)
    if total == 0.0 or len(sizes) < 2:
        return 0.0, 0
    between = float(np.sum(np.bincount(codes, centred) ** 2 / sizes))
    return (len(ranks) - 1) * between / total, len(sizes) - 1


def _tail(statistic: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, statistic)) if degrees else 1.0


def _holm(raw: Mapping[str, float]) -> dict[str, float]:
    corrected, largest = {}, 0.0
    for rank, name in enumerate(sorted(raw, key=lambda each: raw[each])):
        largest = max(largest, min((len(raw) - rank) * raw[name], 1.0))
        corrected[name] = largest
    return corrected
