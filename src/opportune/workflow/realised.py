"""Planned against realised: what each limit was planned to use, and what it came to on the opened outcomes."""

from collections.abc import Sequence
from typing import Any

from opportune.domain import Limit
from opportune.economics import RESOURCE_QUANTITIES
from opportune.evaluation import Judged, realised_use
from opportune.workflow.trial import Trial


def planned_against_realised(
    trial: Trial, policies: dict[str, Judged], planned: dict[str, float]
) -> list[dict[str, Any]]:
    """Return per row of the limits the bound, the planned use, and the plan's realised use with its interval.

    A resource that depends on no forecast, such as letters sent, is known when it is planned: its method is ``known``
    and its interval a point.
    """
    specs = trial.settings.evidence.policy
    policy = next(policies[spec.name] for spec in specs if spec.is_plan)
    rows = only_planned(trial.settings.limits, planned)
    limits = [limit for limit in trial.settings.limits for _ in limit.sides()]
    return [
        {**row, **(_known(row["planned"]) if _is_known(limit) else _realised(trial, policy, limit))}
        for row, limit in zip(rows, limits, strict=True)
    ]


def only_planned(limits: Sequence[Limit], planned: dict[str, float]) -> list[dict[str, Any]]:
    """Return the rows of the limits with their bounds and planned uses, and nothing realised."""
    nothing = {"realised": None, "low": None, "high": None, "method": None}
    return [
        {"limit": name, "at_most": None, "at_least": None, side: bound, "planned": planned[name], **nothing}
        for limit in limits
        for name, side, bound in limit.sides()
    ]


def _is_known(limit: Limit) -> bool:
    resources = [limit.uses] if limit.per is None else [limit.uses, limit.per]
    return not any(RESOURCE_QUANTITIES[name] for name in resources)


def _known(planned: float) -> dict[str, Any]:
    return {"realised": planned, "low": planned, "high": planned, "method": "known"}


def _realised(trial: Trial, policy: Judged, limit: Limit) -> dict[str, Any]:
    found = realised_use(
        trial.logged,
        policy,
        trial.uses,
        limit.uses,
        per=limit.per,
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
    )
    return {"realised": found.value, "low": found.low, "high": found.high, "method": found.method}
