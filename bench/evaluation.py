"""Estimates on large logs: ten million rows by ten offers, and a thousand bootstrap replicates of a million rows.

The rivals run in the same process on a tenth of the rows, and their seconds are multiplied up: whole-array NumPy as one
would write it down, and ``scipy.stats.bootstrap``, which knows no clusters and is linear in rows and replicates.
"""

import subprocess
import sys

import numpy as np
from scipy import stats

from bench.result import result, told
from bench.timing import timed
from opportune.domain import Estimate
from opportune.evaluation import FixedOffers, LoggedDecisions, estimate

MANY, FEW, OFFERS = 10_000_000, 1_000_000, 10
REPLICATES, RIVAL_REPLICATES = 1_000, 50
SHARE = 10


def large_log(count: int) -> tuple[LoggedDecisions, FixedOffers, np.ndarray]:
    """Return a log in float32 with three decisions per customer, a policy, and predictions (n, K)."""
    draw, ids = np.random.default_rng(0), np.arange(count)
    shape = (count, OFFERS)
    logging, policy = (draw.random(shape, dtype=np.float32) + np.float32(0.1) for _ in range(2))
    logging /= logging.sum(axis=1, keepdims=True)
    policy /= policy.sum(axis=1, keepdims=True)
    logged = LoggedDecisions(
        decision_id=ids, customer_id=draw.integers(0, count // 3, count), slot=np.zeros(count, dtype=np.int8),
        offer_ids=tuple(map(str, range(OFFERS))), action=draw.integers(0, OFFERS, count, dtype=np.int8),
        eligible=np.ones(shape, dtype=bool), probability=logging, outside=np.zeros(count, dtype=np.float32),
        outcome={"outcome": draw.random(count, dtype=np.float32)}, cluster=ids,
    )  # fmt: skip
    return logged, FixedOffers("policy", policy), draw.random(shape, dtype=np.float32)


def both(logged: LoggedDecisions, policy: FixedOffers, predicted: np.ndarray) -> list[Estimate]:
    """Return IPW and DR with influence intervals, customers as clusters."""
    return [
        estimate(logged, policy, estimator=estimator, interval="influence", outcome_model=predicted)
        for estimator in ("ipw", "dr")
    ]


def by_hand(logged: LoggedDecisions, policy: FixedOffers, predicted: np.ndarray) -> list[tuple[float, float]]:
    """Return value and standard error of the same two, in whole-array NumPy."""
    rows, y = np.arange(len(logged)), logged.outcome["outcome"].astype(np.float64)
    weights = (policy.probability.astype(np.float64) / logged.probability)[rows, logged.action]
    expected = (policy.probability.astype(np.float64) * predicted).sum(axis=1)
    found = []
    for scores in (weights * y, expected + weights * (y - predicted[rows, logged.action])):
        _, codes = np.unique(logged.customer_id, return_inverse=True)
        sums = np.bincount(codes, scores - scores.mean())
        count = len(sums)
        found.append((scores.mean(), np.sqrt(count / (count - 1) * np.sum(sums**2)) / len(y)))
    return found


def evaluation_results() -> list[dict]:
    """Return seconds and memory of ten million rows, and seconds of a bootstrap of a million, beside rivals."""
    small = large_log(FEW)
    both(*small)
    plain, expected = timed(lambda: by_hand(*small))
    found = both(*small)
    apart = max(abs(each.value - value) / error for each, (value, error) in zip(found, expected, strict=True))
    logged, policy, predicted = small
    drawing, _ = timed(lambda: estimate(logged, policy, outcome_model=predicted, replicates=REPLICATES))
    tenth = logged.outcome["outcome"][: FEW // SHARE].astype(np.float64)
    rival, _ = timed(
        lambda: stats.bootstrap(
            (tenth,), np.mean, n_resamples=RIVAL_REPLICATES, batch=10, method="percentile", rng=np.random.default_rng(0)
        )
    )
    taken, memory = apart_and_large()
    theirs = rival * SHARE * REPLICATES / RIVAL_REPLICATES
    return [
        result("evaluation.influence_10m", taken, "s", rival=("NumPy", SHARE * plain), bar=20.0),
        result("evaluation.influence_10m_memory", memory, "GiB, the log itself in it", bar=4.0),
        result("evaluation.influence_apart", apart, "standard errors from the rival's", bar=1e-3),
        result("evaluation.bootstrap_1m", drawing, "s", rival=("SciPy, plain rows", theirs), bar=20.0),
    ]


def apart_and_large() -> tuple[float, float]:
    """Return seconds and peak memory of a process of its own that makes and judges ten million rows."""
    code = (
        "import resource; from bench.evaluation import *; log = large_log(MANY); "
        "taken, _ = timed(lambda: both(*log)); "
        "print(taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    taken, memory = done.stdout.split()
    return float(taken), int(memory) / 1024**2


if __name__ == "__main__":
    for each in evaluation_results():
        print(told(each))
