"""Amounts and openings of limits: numbers by value, from the SQL files that limits.toml names."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from opportune.domain import PERIOD_FORMS, BadInput, Finding, Limit, group_label, period_label, places_of, rows_where

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

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
    same with ``used``, and ``used_per`` for a ratio; a period by its label or by a day in it. BadInput (OP506) for a
    column that is missing or null, a period of another form, a value of the list without an amount, and an opening of
    none of its values; (OP505) for a condition that the list's columns do not fit.
    """
    findings: list[Finding] = []
    resolved = tuple(_resolved(limit, engine, findings) for limit in limits)
    if not findings:
        findings += [each for limit in resolved for each in _unlike_list(limit, attributes)]
    if findings:
        raise BadInput(findings)
    return resolved


def opened_limits(limits: Sequence[Limit], engine: "Engine") -> tuple[Limit, ...]:
    """Return the limits with openings in place of the files that name them. BadInput (OP506) as ``resolved_limits``."""
    findings: list[Finding] = []
    opened = tuple(msgspec.structs.replace(limit, **_opening(limit, engine, findings)) for limit in limits)
    if findings:
        raise BadInput(findings)
    return opened


def _resolved(limit: Limit, engine: "Engine", findings: list[Finding]) -> Limit:
    changes = _opening(limit, engine, findings)
    if isinstance(limit.amounts, str):
        changes["amounts"] = _by_value(limit, limit.amounts, "amount", engine, findings)
    return msgspec.structs.replace(limit, **changes)


def _opening(limit: Limit, engine: "Engine", findings: list[Finding]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if isinstance(limit.opening, str):
        changes["opening"] = _by_value(limit, limit.opening, "used", engine, findings)
        if limit.per is not None:
            changes["opening_per"] = _by_value(limit, limit.opening, "used_per", engine, findings)
    return changes


def _by_value(
    limit: Limit, file: str, column: str, engine: "Engine", findings: list[Finding]
) -> dict[str, float] | float:
    """Return the numbers of one column of a file, by the value that limits call a row by."""
    rows = engine.query_file(file)
    keys = _keys(limit)
    missing = [name for name in (*keys, column) if name not in rows.column_names]
    nulls = [name for name in (*keys, column) if name in rows.column_names and rows[name].null_count]
    texts = [] if missing or nulls or _are_numbers(rows[column].to_pylist()) else [column]
    for names, says in ((missing, "is missing"), (nulls, "has nulls"), (texts, "holds what is no finite number")):
        findings += [_finding(file, name, f"{says}: limit '{limit.name}' needs it") for name in names]
    if missing or nulls or texts:
        return {}
    numbers = [float(each) for each in rows[column].to_pylist()]
    if not keys:
        return sum(numbers)
    findings += _strange_periods(limit, file, rows)
    labels = [", ".join(row) for row in zip(*_label_parts(limit, rows), strict=True)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        findings.append(_finding(file, twice[0], "occurs more than once: expected one row for each value"))
    return dict(zip(labels, numbers, strict=True))


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(each, int | float | Decimal) and math.isfinite(each) for each in values)


def _keys(limit: Limit) -> list[str]:
    return [name for name in (limit.by, "period" if limit.period else None) if name is not None]


def _label_parts(limit: Limit, rows: "pa.Table") -> list[list[str]]:
    """Return the labels of each key column: a value of ``by``, and a period."""
    parts = [] if limit.by is None else [[_label(each) for each in rows[limit.by].to_pylist()]]
    if limit.period is not None:
        parts.append([_period(each, limit.period) for each in rows["period"].to_pylist()])
    return parts


def _label(value: Any) -> str:
    return group_label(float(value) if isinstance(value, Decimal) else value)


def _period(value: Any, period: str) -> str:
    """Return the label of a period that a file gives: by a day or an instant in it, or by the label itself."""
    if not isinstance(value, date):
        return str(value)
    day = value.date() if isinstance(value, datetime) else value
    return period_label(np.datetime64(day, "D"), period)


def _strange_periods(limit: Limit, file: str, rows: "pa.Table") -> list[Finding]:
    """Return a finding where a file calls periods as no list does: such an opening would count for nothing."""
    if limit.period is None:
        return []
    form, example = PERIOD_FORMS[limit.period]
    strange = [each for each in _label_parts(limit, rows)[-1] if not form.fullmatch(each)]
    if not strange:
        return []
    return [_finding(file, "period", f"holds {strange[0]!r}: expected a date in the {limit.period}, or {example}")]


def _opened_elsewhere(limit: Limit, attributes: "Mapping[str, np.ndarray]") -> list[Finding]:
    """Return a finding where an opening names values, and none that the list has: it would count for nothing."""
    if limit.by is None or not isinstance(limit.opening, dict) or not limit.opening:
        return []
    grouped = Limit(name=limit.name, uses=limit.uses, at_most=0.0, by=limit.by)
    values = places_of([grouped], [attributes])[0].labels
    named = {key.rpartition(", ")[0] if limit.period else key for key in limit.opening}
    if named & set(values):
        return []
    message = (
        f"opens {', '.join(sorted(named)[:3])}, and no {limit.by} of the list: expected some of {', '.join(values[:3])}"
    )
    step = "correct the keys, or leave out what the list does not have"
    return [msgspec.structs.replace(_finding("limits.toml", f"limit '{limit.name}'.opening", message), next_step=step)]


def _unlike_list(limit: Limit, attributes: "Mapping[str, np.ndarray]") -> list[Finding]:
    """Return what of a limit does not fit the columns of the list."""
    try:
        if limit.where is not None:
            rows_where(limit.where, attributes)
    except ValueError as error:
        return [Finding(code="OP505", source="limits.toml", subject=f"limit '{limit.name}'.where", message=str(error),
                        next_step="correct the condition")]  # fmt: skip
    return [*_without_amount(limit, attributes), *_opened_elsewhere(limit, attributes)]


def _without_amount(limit: Limit, attributes: "Mapping[str, np.ndarray]") -> list[Finding]:
    """Return a finding where values of the list have no amount: no amount is not the same as no limit."""
    if not isinstance(limit.amounts, dict):
        return []
    labels = places_of([limit], [attributes])[0].labels
    missing = [label for label in labels if label not in limit.amounts]
    if not missing:
        return []
    message = f"has no amount for {len(missing)} values of the list ({', '.join(missing[:3])}): expected one for each"
    return [_finding("limits.toml", f"limit '{limit.name}'.amounts", message)]


def _finding(source: str, subject: str, message: str) -> Finding:
    step = "give each value a row, or bar its opportunities by `where`"
    return Finding(code="OP506", source=source, subject=subject, message=message, next_step=step)
