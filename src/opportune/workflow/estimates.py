"""Estimates of the declared policies, their differences and their worst outcomes.

A figure whose outcomes are all the same has no interval, and is left out with its reason.
"""

from functools import partial
from typing import Any

import msgspec

from opportune.domain import BadInput, Estimate, Finding
from opportune.evaluation import WAIT, Estimator, Judged, Support, compare, cvar, estimate, support
from opportune.workflow.trial import MEASURES, RAW, Trial

UNVARIED = "OP629"
"""The finding about a figure whose outcomes are all the same: no interval says how they vary."""
BESIDE = ("largest_weight", "unsupported")
"""What stands beside each estimate, further to its effective sample size."""
ESTIMATORS: tuple[Estimator, ...] = ("ipw", "snipw", "dr")


def estimates_of(
    trial: Trial, policies: dict[str, Judged], per_customer: float
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return every policy and every declared difference, by each estimator, on both measures; and which are left out.

    The log has a row for each decision, and so an estimate is a mean of decisions. The list is what it is: its
    opportunities ``per_customer`` are a constant, which makes the mean, and its interval, one per listed customer.
    Left out is what has one and the same outcome only (OP629), and everything where the plan has.
    """
    asked: list[tuple[str, str | None]] = [(name, None) for name in policies]
    asked += [(versus.policy, versus.against) for versus in trial.settings.evidence.compare]
    supported = {name: support(trial.logged, policy) for name, policy in policies.items()}
    judged = partial(_estimate, trial, per_customer)
    rows, left_out = [], {}
    for measure in MEASURES:
        for names in asked:
            try:
                rows += [
                    _row(*names, measure, how, judged(_pair(policies, names), measure, how), supported)
                    for how in ESTIMATORS
                ]
            except BadInput as error:
                left_out[names] = unvaried(error)
    plan = next(spec.name for spec in trial.settings.evidence.policy if spec.is_plan)
    kept = [row for row in rows if (row["policy"], row["against"]) not in left_out and (plan, None) not in left_out]
    return kept, list(left_out.values())


def _pair(policies: dict[str, Judged], names: tuple[str, str | None]) -> tuple[Judged, ...]:
    return tuple(policies[name] for name in names if name is not None)


def unvaried(error: BadInput, step: str = WAIT) -> Finding:
    """Return the finding about a figure whose outcomes are all the same, as a warning with what a project can do.

    Raises whatever else it is.
    """
    if {finding.code for finding in error.findings} != {UNVARIED}:
        raise error
    return msgspec.structs.replace(error.findings[0], severity="warning", next_step=step)


def _estimate(
    trial: Trial, per_customer: float, policies: tuple[Judged, ...], measure: str, estimator: Estimator
) -> Estimate:
    judge = estimate if len(policies) == 1 else compare
    found = judge(
        trial.logged,
        *policies,
        measure=measure,
        estimator=estimator,
        cluster="cluster",
        completion=trial.completion,
        outcome_model=trial.outcome_models[measure],
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
    )
    scaled = {name: getattr(found, name) * per_customer for name in ("value", "low", "high")}
    return msgspec.structs.replace(found, **scaled)


def rests_on(found: Support) -> dict[str, float]:
    """Return what stands beside each figure of a policy, further to its effective sample size."""
    return {name: getattr(found, name) for name in BESIDE}


def worst_of(trial: Trial, policies: dict[str, Judged]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return the mean of each policy's worst outcomes, and why there is none of a policy whose are all the same."""
    rows, left_out = [], []
    for name, policy in policies.items():
        try:
            found = _worst(trial, policy)
        except BadInput as error:
            left_out.append(unvaried(error, f"{WAIT}, or raise `tail` in evidence.toml"))
        else:
            told = {"policy": name, "share": trial.settings.evidence.tail, "measure": RAW}
            rows.append({**told, **msgspec.to_builtins(found), **rests_on(support(trial.logged, policy))})
    return rows, left_out


def _worst(trial: Trial, policy: Judged) -> Estimate:
    return cvar(
        trial.logged,
        policy,
        measure=RAW,
        share=trial.settings.evidence.tail,
        cluster="cluster",
        completion=trial.completion,
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
    )


def _row(
    policy: str,
    against: str | None,
    measure: str,
    estimator: Estimator,
    found: Estimate,
    supported: dict[str, Support],
) -> dict[str, Any]:
    """Return an estimate as a row; its ``method`` is the estimator alone, the key that scripts look up.

    Beside it stand the largest weight and the share without support, of a difference those of the worse policy.
    """
    told = {"policy": policy, "against": against, "measure": measure}
    both = [supported[name] for name in (policy, against) if name is not None]
    worse = {name: max(getattr(each, name) for each in both) for name in BESIDE}
    return {**told, **msgspec.to_builtins(found), "method": estimator, **worse}
