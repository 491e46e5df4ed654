"""Checks of limits and of numbers before anything is solved."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import numpy as np

from opportune.allocation.standing import check_standing
from opportune.domain import BadInput, Candidates, Finding, Limit, parse_where

_SHOWN = 3


def refuse_unfit(candidates: Candidates, limits: Sequence[Limit], offers_per_customer: int | None) -> None:
    """Raise BadInput with everything that is wrong with limits, numbers and what is asked."""
    findings = [
        *check_limits(limits, candidates.resources, candidates.columns),
        *check_asked(candidates.offer_ids, offers_per_customer),
        *check_numbers(candidates),
        *check_standing(candidates),
    ]
    if findings:
        raise BadInput(findings)


def check_limits(limits: Sequence[Limit], resources: Sequence[str], columns: Sequence[str] | None) -> list[Finding]:
    """Return findings about repeated names and limits on unknown resources or columns.

    ``columns`` are those of the opportunities; None where they are not known yet.
    """
    findings = [finding for limit in limits for finding in _limit_findings(limit, resources, columns)]
    names = [limit.name for limit in limits]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.append(_finding("OP502", f"limit '{name}'", "is declared more than once: expected one name per limit"))
    return findings


def columns_of(limit: Limit) -> dict[str, list[str]]:
    """Return the columns that the parts ``by``, ``period`` and ``where`` of a limit read; ValueError as parse_where."""
    parts = {} if limit.by is None else {"by": [limit.by]}
    if limit.period is not None:
        parts["period"] = ["at"]
    if limit.where is not None:
        parts["where"] = [each.column for each in parse_where(limit.where)]
    return parts


def _limit_findings(limit: Limit, resources: Sequence[str], columns: Sequence[str] | None) -> Iterator[Finding]:
    for field, resource in (("uses", limit.uses), ("per", limit.per)):
        if resource is not None and resource not in resources:
            message = f"is {resource!r}, which is no resource. {_hint(resource, resources)}"
            yield _finding("OP501", f"limit '{limit.name}'.{field}", message)
    try:
        parts = columns_of(limit)
    except ValueError as error:
        yield _finding("OP505", f"limit '{limit.name}'.where", str(error))
        return
    known = columns if columns is not None else [name for names in parts.values() for name in names]
    for field, names in parts.items():
        for name in names:
            if name not in known:
                message = f"names {name!r}, which opportunities do not have. {_hint(name, known)}"
                yield _finding("OP503", f"limit '{limit.name}'.{field}", message)


def _hint(given: str, known: Sequence[str]) -> str:
    near = get_close_matches(given, known, 1, 0.7)
    return f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known)}."


def check_numbers(candidates: Candidates) -> list[Finding]:
    """Return findings about values and uses that are not finite, with opportunity and offer."""
    findings = []
    for name, array in {"value": candidates.value, **candidates.uses}.items():
        if np.isfinite(np.sum(array)):  # one pass; a sum that overflows or meets NaN is looked at closely
            continue
        rows, offers = np.nonzero(candidates.eligible & ~np.isfinite(array))
        if len(rows):
            pairs = zip(rows[:_SHOWN], offers[:_SHOWN], strict=True)
            shown = ", ".join(f"{candidates.opportunity_id[i]} {candidates.offer_ids[k]}" for i, k in pairs)
            message = f"{len(rows)} entries of {name} are not finite: expected numbers"
            step = "look for missing facts or terms in these rows"
            findings.append(Finding(code="OP504", source="candidates", subject=shown, message=message, next_step=step))
    return findings


def check_asked(offer_ids: Sequence[str], offers_per_customer: int | None) -> list[Finding]:
    """Return findings where nothing could be offered, whatever the limits."""
    found = []
    if not offer_ids:
        found.append(("candidates", "offer_ids", "are none: expected one offer at least", "name the offers"))
    if offers_per_customer is not None and offers_per_customer < 1:
        message = f"is {offers_per_customer}: expected 1 or more, or None for one for each opportunity"
        found.append(("limits.toml", "objective.offers_per_customer", message, "correct the number"))
    return [
        Finding(code="OP515", source=source, subject=subject, message=message, next_step=step)
        for source, subject, message, step in found
    ]


def _finding(code: str, subject: str, message: str) -> Finding:
    return Finding(code=code, source="limits.toml", subject=subject, message=message, next_step="correct limits.toml")
