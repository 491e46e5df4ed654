"""Variance reduction by what was known before the experiment: regression adjustment, and predictions to subtract."""

import msgspec
import numpy as np

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation.cluster_count import refuse_few_clusters
from opportune.numerics import clustered_mean, keyed_folds

METHOD = "regression adjusted, robust to clusters"
_ROUNDING = 1e-9
Doubt = tuple[bool, str, str, str]
"""Whether something is wrong, with what, the message and the next step."""


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of arms with covariates and without; ``variance_saved`` is 1 less the ratio of their variances."""

    adjusted: Estimate
    plain: Estimate
    variance_saved: float


def adjusted_difference(
    outcome: np.ndarray, treated: np.ndarray, covariates: np.ndarray, cluster: np.ndarray
) -> Adjusted:
    """Return treated less control, adjusted for covariates (n, p) measured before the experiment.

    Each arm has its own least squares on covariates (Lin 2013, "Agnostic notes on regression adjustments"): with an
    assignment at random this is never less precise than the plain difference in large samples, whether or not the
    model is true. ``cluster`` (n,) is the unit that was assigned. A covariate that the experiment could have moved
    makes it wrong. BadInput (OP658) when an arm has no more rows than twice the coefficients, a number is not known, or
    the interval would be a point; OP609 when an arm has too few clusters, as where clusters are the arms.
    """
    outcome = np.asarray(outcome, dtype=np.float64)
    if covariates.ndim != 2 or len(covariates) != len(outcome):
        raise ValueError(f"covariates have shape {covariates.shape}: expected ({len(outcome)}, p), a column for each")
    _check(outcome, treated, covariates)
    for arm in (1, 0):
        refuse_few_clusters(cluster[treated == arm])
    clusters, coefficients = len(np.unique(cluster.astype(str))), 2 * (covariates.shape[1] + 1)
    _refuse([
        (clusters <= coefficients, "cluster", f"has {clusters} values: expected more than {coefficients}, the "
         "coefficients of both arms", "use fewer covariates"),
    ])  # fmt: skip
    centred = covariates - covariates.mean(axis=0)
    share = float(np.mean(treated))
    nothing = np.zeros((len(outcome), 0))
    adjusted, plain = (_estimate(outcome, treated, x, share, cluster) for x in (centred, nothing))
    _refuse_points(adjusted, plain, float(np.std(outcome)))
    saved = 1.0 - ((adjusted.high - adjusted.low) / (plain.high - plain.low)) ** 2
    return Adjusted(adjusted=adjusted, plain=plain, variance_saved=saved)


def cuped_prediction(
    outcome: np.ndarray, covariates: np.ndarray, cluster: np.ndarray, *, folds: int, seed: int
) -> np.ndarray:
    """Return each customer's outcome as predicted from covariates (n, p) by least squares on other clusters.

    To be subtracted in ``sequential_readout`` (CUPED: Deng, Xu, Kohavi and Walker 2013; here cross-fitted, so that a
    row's own outcome is not in its prediction). The arms are pooled. BadInput (OP658) when a number is not known.
    """
    if folds < 2:
        raise ValueError(f"folds is {folds}: expected 2 or more, because no row is in its own prediction")
    _refuse(_unknown(outcome, covariates))
    fold = keyed_folds(seed, "cuped", cluster, folds)
    predicted = np.empty(len(outcome))
    for held_out in range(folds):
        rows = fold == held_out
        predicted[rows] = _apply(_fit(outcome[~rows], covariates[~rows]), covariates[rows])
    return predicted


def _estimate(outcome: np.ndarray, treated: np.ndarray, x: np.ndarray, share: float, cluster: np.ndarray) -> Estimate:
    """Return the difference of two fits over everybody, with an error that knows how closely each fits its own arm.

    A row's part in it is how far the fits are apart there, and its residual over the arm's share. A fit draws its own
    rows nearer, so the error takes each residual over the root of 1 less the row's leverage (HC2: MacKinnon and White
    1985), and Student's t on the clusters less both arms' coefficients.
    """
    on, off = treated == 1, treated == 0
    up, down = (_apply(_fit(outcome[rows], x[rows]), x) for rows in (on, off))
    apart, residual = up - down, np.where(on, (outcome - up) / share, -(outcome - down) / (1.0 - share))
    inside = 1.0 - np.where(on, _leverage(x, on), _leverage(x, off))
    _, error = clustered_mean(apart + residual / np.sqrt(np.maximum(inside, _ROUNDING)), cluster)
    value = float(np.mean(apart + residual))
    radius = _student(len(np.unique(cluster.astype(str))) - 2 * (x.shape[1] + 1)) * error
    return Estimate(value=value, low=value - radius, high=value + radius, n=len(outcome), method=METHOD)


def _leverage(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the leverage (n,) of each row in the fit of the given rows: x (X'X)^-1 x, with a constant."""
    columns, inverse = np.column_stack(_columns(x)), np.linalg.pinv(_normal(_columns(x[rows])), hermitian=True)
    return np.asarray(np.einsum("ni,ij,nj->n", columns, inverse, columns))


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _fit(outcome: np.ndarray, x: np.ndarray) -> np.ndarray:
    columns = _columns(x)
    moments = np.array([np.sum(each * outcome) for each in columns])
    return np.asarray(np.linalg.lstsq(_normal(columns), moments, rcond=None)[0])


def _columns(x: np.ndarray) -> list[np.ndarray]:
    return [np.ones(len(x)), *x.T]


def _normal(columns: list[np.ndarray]) -> np.ndarray:
    # Sums and a small system instead of a matrix product: BLAS adds in an order that can change from run to run.
    return np.array([[np.sum(a * b) for b in columns] for a in columns])


def _apply(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = np.full(len(x), weights[0])
    for weight, column in zip(weights[1:], x.T, strict=True):
        total += weight * column
    return total


def _refuse_points(adjusted: Estimate, plain: Estimate, spread: float) -> None:
    """Raise BadInput (OP658) where an interval is a point but for rounding, beside the ``spread`` of outcomes."""
    narrow = [each.high - each.low <= _ROUNDING * spread for each in (plain, adjusted)]
    _refuse([
        (narrow[0], "outcome", "differs between arms by the same in every cluster: expected clusters that differ",
         "wait for more outcomes, or name the unit that was assigned as `cluster`"),
        (narrow[1] and not narrow[0], "covariates", "tell every outcome without an error: expected them from before "
         "the experiment", "leave out what the outcome decides"),
    ])  # fmt: skip


def _check(outcome: np.ndarray, treated: np.ndarray, covariates: np.ndarray) -> None:
    rows, coefficients = [int(np.sum(treated == arm)) for arm in (1, 0)], covariates.shape[1] + 1
    _refuse([
        (sum(rows) < len(treated), "treated", f"is not 0 or 1 in {len(treated) - sum(rows)} rows: expected two arms",
         "compare one arm at a time with the control"),
        (min(rows) <= 2 * coefficients, "covariates", f"has arms of {rows[0]} and {rows[1]} rows: expected more than "
         f"{2 * coefficients} in each, twice the coefficients of its fit", "use fewer covariates"),
        *_unknown(outcome, covariates),
        (all(np.ptp(outcome[treated == arm]) == 0.0 for arm in (1, 0) if np.any(treated == arm)), "outcome",
         "is the same in all rows of each arm: expected some that differ", "wait for more outcomes"),
    ])  # fmt: skip


def _unknown(outcome: np.ndarray, covariates: np.ndarray) -> list[Doubt]:
    unknown, open_ = (int(np.sum(~np.isfinite(each))) for each in (covariates, outcome))
    return [
        (unknown > 0, "covariates", f"has {unknown} covariates that are not known: expected numbers",
         "give a missing one a value and a column of its own that says so"),
        (open_ > 0, "outcome", f"is not known of {open_} rows: expected mature outcomes only",
         "leave open outcomes out until they are mature"),
    ]  # fmt: skip


def _refuse(doubts: list[Doubt]) -> None:
    findings = [
        Finding(code="OP658", source="adjustment", subject=subject, message=message, next_step=step)
        for wrong, subject, message, step in doubts
        if wrong
    ]
    if findings:
        raise BadInput(findings)
