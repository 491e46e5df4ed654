"""Learn: a bag of members per learner, each without one fold of clusters, and a calibration on what they left out."""

import os
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from opportune.domain import BadInput, Finding
from opportune.models.calibration import learn_calibration
from opportune.models.encoding import Columns, Encoding, learn_encoding, linear_columns, tree_columns
from opportune.models.linear import LinearMember
from opportune.models.measures import measure_amount, measure_binary
from opportune.models.model import Model, fixed_order_mean
from opportune.models.spec import ModelSpec
from opportune.numerics import generator, keyed_folds

FEWEST_LEFT = 10
"""Fewer takers than this beside a fold of clusters cannot carry a member that never saw the fold."""
FEWEST_EVENTS = 50
"""Fewer takers (or fewer rows with an amount) than this cannot carry a model of several inputs."""

Predict = Callable[[Columns], np.ndarray]


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A model, and the prediction (n,) of each training row by the members that never saw its cluster, calibrated."""

    model: Model
    out_of_fold: np.ndarray


def learn(
    spec: ModelSpec,
    values: Mapping[str, np.ndarray],
    terms: Mapping[str, np.ndarray],
    target: np.ndarray,
    cluster: np.ndarray,
    *,
    clusters: np.ndarray,
    seed: int,
    role: str,
) -> Learned:
    """Return the model of a role and its out-of-fold predictions, from training rows (n,).

    Rows are already those where ``given`` is 1. Each learner is fitted ``bags`` times; a member leaves out one fold of
    clusters, dealt anew each round, so that every row has ``bags / folds`` predictions by members that never saw its
    cluster. ``clusters`` names all of them, also those without a row here, so that the same bag of every role leaves
    out the same clusters.
    """
    _refuse_thin(spec, target, role)
    encoding = learn_encoding(spec, values, terms)
    inputs = {name: values[name] for name in spec.features} | {name: terms[name] for name in spec.terms}
    held_out = _held_out(spec, cluster, np.unique(clusters.astype(str)), seed)
    _refuse_lopsided(spec, held_out, target, role)
    linear, boosters, out_of_fold = _fit_members(spec, encoding, inputs, target, held_out, seed)
    predicted = fixed_order_mean(out_of_fold)
    calibrator = learn_calibration(spec.calibration, predicted, target)
    measure = measure_binary if spec.kind == "binary" else measure_amount
    calibrated = calibrator.apply(predicted)
    card = {
        "rows": len(target),
        "clusters": len(np.unique(cluster)),
        "out_of_fold": measure(target, calibrated),
    }
    model = Model(
        role=role,
        spec=spec,
        encoding=encoding,
        linear=linear,
        boosters=boosters,
        calibrator=calibrator,
        card=card,
    )
    return Learned(model=model, out_of_fold=calibrated)


def _refuse_thin(spec: ModelSpec, target: np.ndarray, role: str) -> None:
    events = int(np.sum(target == 1)) if spec.kind == "binary" else len(target)
    others = len(target) - events if spec.kind == "binary" else FEWEST_EVENTS
    if min(events, others) < FEWEST_EVENTS:
        what = (
            f"{events} rows with {spec.target} = 1 and {others} without: expected at least {FEWEST_EVENTS} of each"
            if spec.kind == "binary"
            else f"{events} rows: expected at least {FEWEST_EVENTS}"
        )
        message = f"learns from {what}"
        step = "widen the training interval, or check that outcomes are joined to decisions"
        raise BadInput([Finding(code="OP310", source="models.toml", subject=role, message=message, next_step=step)])
    if np.isnan(target).any():
        message = f"has {int(np.isnan(target).sum())} rows whose {spec.target} is not known: expected a number in each"
        step = (
            "leave the rows out of tables/outcomes.sql, or set observed_until to when they are known: both are counted"
        )
        raise BadInput([Finding(code="OP311", source="models.toml", subject=role, message=message, next_step=step)])


def _refuse_lopsided(spec: ModelSpec, held_out: list[np.ndarray], target: np.ndarray, role: str) -> None:
    """Raise BadInput (OP313) where a fold of clusters holds nearly all that there is to learn from."""
    classes = (target == 1, target != 1) if spec.kind == "binary" else (np.ones(len(target), dtype=bool),)
    left = min(int(np.sum(each & ~out)) for each in classes for out in held_out)
    if left < FEWEST_LEFT:
        message = f"keeps {left} rows of a kind when a fold of clusters is left out: expected at least {FEWEST_LEFT}"
        step = "name a finer column as `cluster` in opportune.toml, such as the customer"
        raise BadInput([Finding(code="OP313", source="models.toml", subject=role, message=message, next_step=step)])


def _held_out(spec: ModelSpec, cluster: np.ndarray, clusters: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return, per member, the mask (n,) of the rows that it leaves out."""
    row_of = np.searchsorted(clusters, cluster.astype(str))
    rounds = [keyed_folds(seed, f"bag {r}", clusters, spec.folds)[row_of] for r in range(spec.bags // spec.folds)]
    return [folds == k for folds in rounds for k in range(spec.folds)]


def _fit_members(
    spec: ModelSpec,
    encoding: Encoding,
    inputs: Mapping[str, np.ndarray],
    target: np.ndarray,
    held_out: list[np.ndarray],
    seed: int,
) -> tuple[tuple[LinearMember, ...], tuple[Any, ...], list[np.ndarray]]:
    """Return linear members, boosters, and one out-of-fold prediction (n,) per learner."""
    linear: list[LinearMember] = []
    boosters: list[Any] = []
    out_of_fold = []
    for learner in spec.learners:
        columns = (tree_columns if learner == "boosting" else linear_columns)(encoding, inputs)
        tasks = [_task(spec, learner, columns, target, out, _member_seed(seed, m)) for m, out in enumerate(held_out)]
        with _strict(learner):
            fitted = _in_parallel(tasks)
        (boosters if learner == "boosting" else linear).extend(member for member, _ in fitted)
        out_of_fold.append(_out_of_fold([predict for _, predict in fitted], columns, held_out))
    return tuple(linear), tuple(boosters), out_of_fold


def _strict(learner: str) -> AbstractContextManager[Any]:
    """Turn warnings into errors while a learner is fitted that tells so that it did not converge (see fit_linear)."""
    return nullcontext() if learner == "boosting" else warnings.catch_warnings(action="error")


def _task(
    spec: ModelSpec, learner: str, columns: Columns, target: np.ndarray, left_out: np.ndarray, seed: int
) -> Callable[[], tuple[Any, Predict]]:
    """Return the fit of one member as a call. Libraries load here, before the pool limits their threads."""
    rows = {name: values[~left_out] for name, values in columns.items()}
    if learner == "boosting":
        from opportune.models._xgboost import fit_boosting, predict_boosting

        def boosted() -> tuple[Any, Predict]:
            booster = fit_boosting(spec.kind, rows, target[~left_out], spec.monotone, seed)
            return booster, partial(predict_boosting, booster)

        return boosted
    from opportune.models._glum import fit_linear

    def linear() -> tuple[Any, Predict]:
        member = fit_linear(learner, rows, target[~left_out], spec.monotone)
        return member, member.predict

    return linear


def _in_parallel(tasks: list[Callable[[], tuple[Any, Predict]]]) -> list[tuple[Any, Predict]]:
    """Run the tasks on all cores and return their results in order.

    Each task has one thread: parallel sums inside a fit would end in other bits from run to run. OpenMP keeps its
    number of threads per calling thread, BLAS one for the process, so both the pool and its workers are limited.
    """
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count(), initializer=threadpool_limits, initargs=(1,)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def _member_seed(seed: int, member: int) -> int:
    return int(generator(seed, f"member {member}").integers(2**31))


def _out_of_fold(predictors: list[Predict], columns: Columns, held_out: list[np.ndarray]) -> np.ndarray:
    total = np.zeros(len(held_out[0]))
    times = np.zeros(len(held_out[0]))
    for predict, rows in zip(predictors, held_out, strict=True):
        total[rows] += predict({name: values[rows] for name, values in columns.items()})
        times[rows] += 1.0
    return total / times
