"""The assignment as SQL: the same arms, bit for bit, where the customers already are."""

from opportune.evaluation.experiment import (
    BUCKETS,
    NONE,
    UNIVERSAL_HOLDOUT,
    Experiment,
    Layer,
    experiment_purpose,
    layer_purpose,
    refuse_unassignable,
)
from opportune.tables import keyed_uniform_sql, quoted


def arm_sql(layer: Layer, id_expression: str, *, seed: int, universal_holdout: int) -> str:
    """Return a SQL expression for the arm of a customer, equal to ``assign(...).arm``; empty text outside all.

    BadInput (OP656) about a layer that ``assign`` refuses.
    """
    refuse_unassignable(layer, universal_holdout)
    place = bucket_sql(seed, layer_purpose(layer), id_expression)
    held_out = f"{bucket_sql(seed, UNIVERSAL_HOLDOUT, id_expression)} < {universal_holdout}"
    cases = [f"WHEN {held_out} THEN '{UNIVERSAL_HOLDOUT}'"]
    for each in layer.experiments:
        inside = f"{place} >= {each.first} AND {place} < {each.first + each.buckets}"
        cases.append(f"WHEN {inside} THEN {_arms(each, bucket_sql(seed, experiment_purpose(each), id_expression))}")
    return f"CASE {' '.join(cases)} ELSE '{NONE}' END"


def bucket_sql(seed: int, purpose: str, id_expression: str) -> str:
    """Return SQL for the bucket 0..9,999 of a customer under one purpose."""
    return f"CAST(floor({keyed_uniform_sql(seed, purpose, id_expression)} * {BUCKETS}) AS BIGINT)"


def _arms(experiment: Experiment, drawn: str) -> str:
    cases, end = [], 0
    for arm in experiment.arms:
        end += arm.buckets
        cases.append(f"WHEN {drawn} < {end} THEN '{quoted(arm.name)}'")
    return f"(CASE {' '.join(cases)} END)"
