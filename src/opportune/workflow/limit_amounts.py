"""Amounts and openings of limits: numbers by value, from the SQL files that limits.toml names."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.domain import BadInput, Finding, Limit, places_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from opportune.tables import Engine


def named_files(limits: Sequence[Limit]) -> list[str]:
    """Return the SQL files that limits name, each once."""
    named = [each for limit in limits for each in (limit.amounts, limit.opening) if isinstance(each, str)]
    return sorted(set(named))


def resolved_limits(
    limits: Sequence[Limit], engine: "Engine", attributes: "Mapping[str, np.ndarray]"
) -> tuple[Limit, ...]:
    """Return the limits with numbers in place of the files that they name, for a list with these attributes.

    A file of ``amounts`` gives the columns ``by`` and ``period`` of the limit and ``amount``; one of ``opening`` the
    same with ``used``, and ``used_per`` for a ratio. BadInput (OP506) for a column that is missing or null and for a
    value of the list without an amount.
    """
    findings: list[Finding] = []
    resolved = tuple(_resolved(limit, engine, findings) for limit in limits)
    if not findings:
        findings += [each for limit in resolved for each in _without_amount(limit, attributes)]
    if findings:
        raise BadInput(findings)
    return resolved


def _resolved(limit: Limit, engine: "Engine", findings: list[Finding]) -> Limit:
    changes: dict[str, Any] = {}
    if isinstance(limit.amounts, str):
        changes["amounts"] = _by_value(limit, limit.amounts, "amount", engine, findings)
    if isinstance(limit.opening, str):
        changes["opening"] = _by_value(limit, limit.opening, "used", engine, findings)
        if limit.per is not None:
            changes["opening_per"] = _by_value(limit, limit.opening, "used_per", engine, findings)
    return msgspec.structs.replace(limit, **changes)


def _by_value(
    limit: Limit, file: str, column: str, engine: "Engine", findings: list[Finding]
) -> dict[str, float] | float:
    """Return the numbers of one column of a file, by the value that limits call a row by."""
    rows = engine.query_file(file)
    keys = [name for name in (limit.by, "period" if limit.period else None) if name is not None]
    missing = [name for name in (*keys, column) if name not in rows.column_names]
    nulls = [name for name in (*keys, column) if name in rows.column_names and rows[name].null_count]
    texts = [] if missing or nulls or _are_numbers(rows[column].to_pylist()) else [column]
    for names, says in ((missing, "is missing"), (nulls, "has nulls"), (texts, "holds what is no finite number")):
        findings += [_finding(file, name, f"{says}: limit '{limit.name}' needs it") for name in names]
    if missing or nulls or texts:
        return {}
    parts = [[_text(each) for each in rows[key].to_pylist()] for key in keys]
    labels = [", ".join(row) for row in zip(*parts, strict=True)]
    numbers = [float(each) for each in rows[column].to_pylist()]
    if not keys:
        return sum(numbers)
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        findings.append(_finding(file, twice[0], "occurs more than once: expected one row for each value"))
    return dict(zip(labels, numbers, strict=True))


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(each, int | float | Decimal) and math.isfinite(each) for each in values)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value.date() if hasattr(value, "date") else value)


def _without_amount(limit: Limit, attributes: "Mapping[str, np.ndarray]") -> list[Finding]:
    """Return a finding where values of the list have no amount: no amount is not the same as no limit."""
    if not isinstance(limit.amounts, dict):
        return []
    labels = places_of([limit], [attributes])[0].labels
    missing = [label for label in labels if label and label not in limit.amounts]
    if not missing:
        return []
    message = f"has no amount for {len(missing)} values of the list ({', '.join(missing[:3])}): expected one for each"
    return [_finding("limits.toml", f"limit '{limit.name}'.amounts", message)]


def _finding(source: str, subject: str, message: str) -> Finding:
    step = "give each value a row, or bar its opportunities by `where`"
    return Finding(code="OP506", source=source, subject=subject, message=message, next_step=step)
