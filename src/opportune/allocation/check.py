"""Checks of limits and of numbers before anything is solved."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import numpy as np

from opportune.domain import Candidates, Finding, Limit

NOT_YET = ("where", "by", "amounts", "period", "opening")
_SHOWN = 3


def check_limits(limits: Sequence[Limit], resources: Sequence[str]) -> list[Finding]:
    """Return findings about limits on unknown resources, repeated names and parts that this version refuses."""
    findings = [finding for limit in limits for finding in _limit_findings(limit, resources)]
    names = [limit.name for limit in limits]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.append(_finding("OP502", f"limit '{name}'", "is declared more than once: expected one name per limit"))
    return findings


def _limit_findings(limit: Limit, resources: Sequence[str]) -> Iterator[Finding]:
    for field, resource in (("uses", limit.uses), ("per", limit.per)):
        if resource is not None and resource not in resources:
            near = get_close_matches(resource, resources, 1, 0.7)
            hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(resources)}."
            yield _finding("OP501", f"limit '{limit.name}'.{field}", f"is {resource!r}, which is no resource. {hint}")
    for field in NOT_YET:
        if getattr(limit, field) is not None:
            yield _finding("OP503", f"limit '{limit.name}'.{field}", "is not taken by this version: expected it absent")


def check_numbers(candidates: Candidates) -> list[Finding]:
    """Return findings about values and uses that are not finite, with opportunity and offer."""
    findings = []
    for name, array in {"value": candidates.value, **candidates.uses}.items():
        rows, offers = np.nonzero(candidates.eligible & ~np.isfinite(array))
        if len(rows):
            pairs = zip(rows[:_SHOWN], offers[:_SHOWN], strict=True)
            shown = ", ".join(f"{candidates.opportunity_id[i]} {candidates.offer_ids[k]}" for i, k in pairs)
            message = f"{len(rows)} entries of {name} are not finite: expected numbers"
            step = "look for missing facts or terms in these rows"
            findings.append(Finding(code="OP504", source="candidates", subject=shown, message=message, next_step=step))
    return findings


def _finding(code: str, subject: str, message: str) -> Finding:
    return Finding(code=code, source="limits.toml", subject=subject, message=message, next_step="correct limits.toml")
