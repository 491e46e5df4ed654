"""Experiments: who is in which arm, by keyed hash. Layers are independent; inside a layer experiments never overlap.

A layer owns 10,000 buckets and salts the hash with its name, so that two layers cross each other evenly (Tang, Agarwal,
O'Brien and Meyer 2010). An experiment owns a range of its layer's buckets. Its arms are drawn by a second hash with the
experiment's name: moving the range or adding customers moves nobody between arms. Customers of the universal holdout
are in no experiment of any layer.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.numerics import keyed_uniform

BUCKETS = 10_000
Role = Literal["champion", "challenger", "shadow", "holdout"]
UNIVERSAL_HOLDOUT = "universal holdout"
NONE = ""


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: its name, its share of the experiment in ten-thousandths, and what its customers get.

    ``champion``: today's policy. ``challenger``: another one. ``shadow``: today's policy, while another is computed and
    logged. ``holdout``: nothing.
    """

    name: str
    buckets: int
    role: Role


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment on the buckets ``first`` up to and without ``first + buckets`` of its layer; arms fill 10,000."""

    name: str
    first: int
    buckets: int
    arms: tuple[Arm, ...]


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Experiments that exclude each other: one on prices, say. Another layer, such as one on wording, crosses it."""

    name: str
    experiments: tuple[Experiment, ...]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Per customer (n,): ``experiment`` and ``arm`` by name, empty outside all; ``role``; ``probability`` of the arm.

    ``probability`` is that of the customer's arm within the experiment. In the universal holdout ``arm`` is its name,
    the experiment is empty, the role is ``holdout`` and the probability the holdout's share.
    """

    experiment: np.ndarray
    arm: np.ndarray
    role: np.ndarray
    probability: np.ndarray


def assign(layer: Layer, customer_id: Sequence[str] | np.ndarray, *, seed: int, universal_holdout: int) -> Assignment:
    """Return the arm of each customer in one layer.

    ``universal_holdout`` is its share in ten-thousandths, the same for all layers. BadInput (OP656) when the layer's
    experiments overlap, leave its buckets, or have arms that do not fill 10,000 or share a name.
    """
    refuse_unassignable(layer, universal_holdout)
    ids = np.asarray(customer_id, dtype=object)
    held_out = buckets_of(seed, UNIVERSAL_HOLDOUT, customer_id) < universal_holdout
    place = buckets_of(seed, layer_purpose(layer), customer_id)
    n = len(place)
    experiment, arm, role = (np.full(n, NONE, dtype=object) for _ in range(3))
    probability = np.ones(n)
    arm[held_out], role[held_out], probability[held_out] = UNIVERSAL_HOLDOUT, "holdout", universal_holdout / BUCKETS
    for each in layer.experiments:
        rows = np.flatnonzero(~held_out & (place >= each.first) & (place < each.first + each.buckets))
        drawn = buckets_of(seed, experiment_purpose(each), ids[rows])
        chosen = np.searchsorted(np.cumsum([one.buckets for one in each.arms]), drawn, side="right")
        experiment[rows] = each.name
        for k, one in enumerate(each.arms):
            inside = rows[chosen == k]
            arm[inside], role[inside], probability[inside] = one.name, one.role, one.buckets / BUCKETS
    return Assignment(experiment=experiment, arm=arm, role=role, probability=probability)


def buckets_of(seed: int, purpose: str, customer_id: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return the bucket 0..9,999 of each customer under one purpose."""
    return np.asarray(np.floor(keyed_uniform(seed, purpose, customer_id) * BUCKETS), dtype=np.int64)


def layer_purpose(layer: Layer) -> str:
    """Return what the layer's hash is keyed by."""
    return f"layer {layer.name}"


def experiment_purpose(experiment: Experiment) -> str:
    """Return what the hash of the arms is keyed by."""
    return f"experiment {experiment.name}"


def check_layers(layers: Sequence[Layer], universal_holdout: int) -> list[Finding]:
    """Return findings (OP656) about layers that cannot be assigned, all of them."""
    findings = [
        _finding(f"layer '{layer.name}'", message, step) for layer in layers for message, step in _doubts(layer)
    ]
    names = [each.name for layer in layers for each in layer.experiments]
    findings += [
        *_twice("experiment", names, "arms are drawn by it"),
        *_twice("layer", [layer.name for layer in layers], "it is the salt of the hash, and equal ones do not cross"),
    ]
    if not 0 <= universal_holdout < BUCKETS:
        message = f"is {universal_holdout}: expected 0 to {BUCKETS - 1} ten-thousandths"
        findings.append(_finding(UNIVERSAL_HOLDOUT, message, "200 is two per cent"))
    return findings


def _twice(noun: str, names: Sequence[str], why: str) -> list[Finding]:
    return [
        _finding(f"{noun} '{name}'", f"is there twice: expected one name each, because {why}", "rename one")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def refuse_unassignable(layer: Layer, universal_holdout: int) -> None:
    """Raise BadInput (OP656) about a layer that cannot be assigned."""
    findings = check_layers([layer], universal_holdout)
    if findings:
        raise BadInput(findings)


def _doubts(layer: Layer) -> Iterator[tuple[str, str]]:
    taken = np.zeros(BUCKETS, dtype=np.int64)
    for each in layer.experiments:
        end = each.first + each.buckets
        if each.first < 0 or each.buckets < 1 or end > BUCKETS:
            yield f"gives '{each.name}' the buckets {each.first} to {end}: expected 0 to {BUCKETS}", "shrink its range"
        else:
            taken[each.first : end] += 1
        filled = sum(arm.buckets for arm in each.arms)
        if filled != BUCKETS or any(arm.buckets < 0 for arm in each.arms):
            yield f"has arms of '{each.name}' that fill {filled} buckets: expected {BUCKETS}", "make shares add up"
        names = [arm.name for arm in each.arms]
        if len(set(names)) < len(names) or {NONE, UNIVERSAL_HOLDOUT} & set(names):
            expected = f"expected one name each, not empty and not '{UNIVERSAL_HOLDOUT}'"
            yield f"has arms of '{each.name}' named {', '.join(map(repr, names))}: {expected}", "rename or merge arms"
    if np.any(taken > 1):
        shared = f"from {int(np.argmax(taken > 1))}, {int(np.sum(taken > 1))} in all"
        yield f"has experiments that share buckets ({shared}): expected ranges apart", "move one, or use another layer"


def _finding(subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP656", source="experiments", subject=subject, message=message, next_step=step)
