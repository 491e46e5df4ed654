"""Planned against realised: what each limit was planned to use, and what it came to on the opened outcomes."""

from typing import Any

from opportune.domain import Limit
from opportune.evaluation import Judged, realised_use
from opportune.workflow.trial import Trial


def planned_against_realised(
    trial: Trial, policies: dict[str, Judged], planned: dict[str, float]
) -> list[dict[str, Any]]:
    """Return per limit the bound, the planned use and the estimated realised use of the plan, with its interval."""
    policy = next(policies[spec.name] for spec in trial.settings.evidence.policy if spec.kind == "plan")
    return [_compared(trial, policy, limit, planned[limit.name]) for limit in trial.settings.limits]


def _compared(trial: Trial, policy: Judged, limit: Limit, planned: float) -> dict[str, Any]:
    found = realised_use(
        trial.logged,
        policy,
        trial.uses,
        limit.uses,
        per=limit.per,
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
    )
    bound = {"at_most": limit.at_most, "at_least": limit.at_least}
    return {
        "limit": limit.name, **bound, "planned": planned, "realised": found.value, "low": found.low, "high": found.high,
        "method": found.method,
    }  # fmt: skip
