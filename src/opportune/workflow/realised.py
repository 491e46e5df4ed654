"""Planned against realised: what each limit was planned to use, and what it came to on the opened outcomes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from opportune.decisioning import attributes_of
from opportune.domain import BadInput, Finding, LimitRow, Places, limit_rows
from opportune.economics import resources_used
from opportune.evaluation import Judged, limit_evidence, support
from opportune.workflow.estimates import rests_on, unvaried
from opportune.workflow.trial import Trial


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """The list that limits are about: its opportunities, and those among them that are judged as if not held out."""

    listed: int
    held_out: int


def planned_against_realised(
    trial: Trial, policies: dict[str, Judged], planned: dict[str, float], whole: Whole
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return per row of the limits the bound, the planned use, and the plan's realised use with its interval.

    A resource that depends on no forecast, such as letters sent, is known when it is planned: its method is ``known``
    and its interval a point; so is one that makes no offer. A row of a scenario has nothing that came out: the scenario
    did not. Nor has one whose offers were seen to use nothing, or all alike: what they may use is not known from that.
    Such a row has its reason as ``why_not``; reasons about outcomes are also returned as findings.

    Bound and planned use are of the whole list. What came out is known of the decisions that are judged: their mean use
    counts for all whom the plan did not hold out, and ``from`` says of how many it is known.
    """
    specs = trial.settings.evidence.policy
    policy = next(policies[spec.name] for spec in specs if spec.is_plan)
    rows = limit_rows(trial.listed.places)
    told, findings = only_planned(trial.listed.places, planned), list[Finding]()
    for each, row in zip(told, rows, strict=True):
        try:
            each |= _came_out(trial, policy, row, each["planned"], whole)
        except BadInput as error:
            findings.append(unvaried(error))
            each["why_not"] = findings[-1].message
    return told, findings


def only_planned(places: Sequence[Places], planned: dict[str, float]) -> list[dict[str, Any]]:
    """Return the rows of the limits with their bounds and planned uses, and nothing realised."""
    nothing = {"realised": None, "low": None, "high": None, "method": None, "holds": None, "from": None, "listed": None}
    nothing["why_not"] = None
    return [
        {
            "limit": row.name,
            "of": places[row.source].limit.name,
            "at_most": None,
            "at_least": None,
            row.side: row.bound,
            "planned": planned[row.name],
            **nothing,
        }
        for row in limit_rows(places)
    ]


def _came_out(trial: Trial, policy: Judged, row: LimitRow, planned: float, whole: Whole) -> dict[str, Any]:
    resources = [name for name in (row.uses, row.per) if name is not None]
    known = resources_used(trial.settings.assumptions)
    if any(name not in known or name not in trial.uses for name in resources):
        return {"why_not": "is of a scenario, which did not happen"}
    if not any(known[name] for name in resources):
        return _known(row, planned)
    try:
        return _realised(trial, policy, row, whole)
    except BadInput as error:
        unvaried(error)
        if planned != (0.0 if row.per else row.opening):
            raise
        return _known(row, planned)


def _known(row: LimitRow, planned: float) -> dict[str, Any]:
    known = {"realised": planned, "low": planned, "high": planned, "method": "known"}
    return {**known, "holds": float(row.kept(planned))}


def _realised(trial: Trial, policy: Judged, row: LimitRow, whole: Whole) -> dict[str, Any]:
    known = resources_used(trial.settings.assumptions)
    (found,) = limit_evidence(
        trial.logged,
        policy,
        trial.uses,
        [row],
        about=row.multiplier(trial.listed.places[row.source].codes(attributes_of(trial.listed.batch))),
        certain=[name for name in (row.uses, row.per) if name is not None and not known[name]],
        cluster="cluster",
        completion=trial.completion,
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
        decisions=whole.listed - whole.held_out,
    )
    used = found.used
    told = {"realised": used.value, "low": used.low, "high": used.high, "method": "snipw", "holds": found.holds}
    weighed = {"effective_n": used.effective_n, **rests_on(support(trial.logged, policy))}
    return {**told, "from": used.n, "listed": whole.listed, **weighed}
