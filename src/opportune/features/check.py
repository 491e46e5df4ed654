"""Checks of feature declarations: complete, about columns that exist, and never about the future."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from opportune.domain import Finding
from opportune.features.compile import EVENT_TIME
from opportune.features.condition import NotACondition, read_condition
from opportune.features.declare import NEEDS_COLUMN, Feature

SOURCE = "features.toml"
MOST_DAYS = 36_500
"""A century: beyond it, times cannot be reckoned with."""
OUTCOME_TABLES = ("outcomes", "payments")


def check_features(
    features: Mapping[str, Feature], columns: Mapping[str, Sequence[str]], protected: Sequence[str]
) -> list[Finding]:
    """Return every finding about the declarations, given the columns of each table and the protected columns."""
    findings: list[Finding] = []
    for name, feature in features.items():
        checks = _context_findings if feature.context is not None else _aggregate_findings
        findings.extend(checks(name, feature, columns))
        findings.extend(_protected_findings(name, _used(feature, columns), protected))
    return findings


def _context_findings(name: str, feature: Feature, columns: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    if feature.table or feature.aggregate:
        yield Finding(
            code="OP101", source=SOURCE, subject=name,
            message="has both context and table: expected one of them",
            next_step="keep context for a column of the opportunity, table and aggregate for history",
        )  # fmt: skip
    if _outcomes(columns, [str(feature.context)]) and feature.context not in columns.get("opportunities", ()):
        yield _sees_the_future(name, f"context column {feature.context!r} is a column of outcomes")
    elif feature.context not in columns.get("opportunities", ()):
        yield _missing_column(
            f"{name}.context", "the columns of opportunities", str(feature.context), columns.get("opportunities", ())
        )


def _aggregate_findings(name: str, feature: Feature, columns: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for field in ("table", "aggregate", "look_back_days", "delay_days"):
        if getattr(feature, field) is None:
            yield Finding(
                code="OP102", source=SOURCE, subject=f"{name}.{field}",
                message="is missing: an aggregate needs table, aggregate, look_back_days and delay_days",
                next_step=f"write {field}, or context if this is a column of the opportunity",
            )  # fmt: skip
    yield from _time_findings(name, feature)
    yield from _column_findings(name, feature, columns)


def _time_findings(name: str, feature: Feature) -> Iterator[Finding]:
    if feature.delay_days is not None and feature.delay_days < 0:
        yield _sees_the_future(name, f"delay_days is {feature.delay_days}: a fact cannot arrive before it happens")
    for field, least in (("look_back_days", 1), ("delay_days", None)):
        days = getattr(feature, field)
        if days is not None and (days > MOST_DAYS or (least is not None and days < least)):
            yield Finding(
                code="OP104", source=SOURCE, subject=f"{name}.{field}",
                message=f"is {days}: expected {least or 0} to {MOST_DAYS} days",
                next_step="write a whole number of days",
            )  # fmt: skip
    if feature.table in OUTCOME_TABLES:
        yield _sees_the_future(name, f"table {feature.table!r} holds what happened after decisions")


def _column_findings(name: str, feature: Feature, columns: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    if feature.table is None or feature.table in OUTCOME_TABLES:
        return
    if feature.table not in columns or feature.table not in EVENT_TIME:
        known = [table for table in EVENT_TIME if table in columns]
        yield _missing_column(f"{name}.table", "the tables with a time", feature.table, known)
        return
    if feature.aggregate in NEEDS_COLUMN and feature.column is None:
        yield Finding(
            code="OP105", source=SOURCE, subject=f"{name}.column",
            message=f"is missing: {feature.aggregate} needs a column", next_step=f"name a column of {feature.table}",
        )  # fmt: skip
    if feature.column is not None and feature.column not in columns[feature.table]:
        yield _missing_column(
            f"{name}.column", f"the columns of {feature.table}", feature.column, columns[feature.table]
        )
    if feature.where is not None:
        yield from _where_findings(name, feature.where, columns[feature.table])
    for column in _outcomes(columns, sorted(_used(feature, columns))):
        step = "leave it out, or rename it in the SQL of its table if it was known before"
        yield _sees_the_future(name, f"{column!r} of {feature.table} has the name of a column of outcomes", step)


def _outcomes(columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    """Return those of the names that outcomes have too, ids aside: SQL does not tell capitals apart."""
    followed = {name.casefold() for name in columns.get("outcomes", ())}
    return [name for name in names if name.casefold() in followed and not name.casefold().endswith("_id")]


def _where_findings(name: str, where: str, columns: Sequence[str]) -> Iterator[Finding]:
    try:
        read_condition(where, columns)
    except NotACondition as error:
        yield Finding(
            code="OP109", source=SOURCE, subject=f"{name}.where", message=f"is {where!r} and {error}",
            next_step="write a condition on one row of the table, or prepare the column in the table's SQL",
        )  # fmt: skip


def _used(feature: Feature, columns: Mapping[str, Sequence[str]]) -> set[str]:
    """Return every column that a feature uses, those of a condition included."""
    used = {name for name in (feature.context, feature.column) if name is not None}
    try:
        return used | read_condition(feature.where or "true", columns.get(feature.table or "", ())).columns
    except NotACondition:
        return used


def _protected_findings(name: str, used: set[str], protected: Sequence[str]) -> Iterator[Finding]:
    hidden = {column.casefold() for column in protected}
    for column in sorted(column for column in used if column.casefold() in hidden):
        yield Finding(
            code="OP106", source=SOURCE, subject=name,
            message=f"uses {column!r}, a protected column: expected it in no feature, price or limit",
            next_step="remove the feature; fairness tables read the column by themselves",
        )  # fmt: skip


def _sees_the_future(name: str, why: str, step: str = "declare only what was known before the opportunity") -> Finding:
    return Finding(
        code="OP103", source=SOURCE, subject=name, message=f"sees the future: {why}",
        next_step=step,
    )  # fmt: skip


def _missing_column(name: str, table: str, given: str, known: Sequence[str]) -> Finding:
    near = get_close_matches(given, known, 1, 0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    return Finding(
        code="OP107", source=SOURCE, subject=name,
        message=f"is {given!r}: expected one of {table}: {', '.join(known) or 'none'}.{hint}",
        next_step="correct the name, or add it to the SQL of the table",
    )  # fmt: skip
