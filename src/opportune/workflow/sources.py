"""Sources in use: whether features respect what a source allows, and a project that does without one."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from opportune.domain import BadInput, Finding
from opportune.features import Feature
from opportune.workflow.settings import Settings
from opportune.workflow.source_spec import Source

if TYPE_CHECKING:
    from opportune.tables import Engine

FILE = "sources.toml"


def features_of(source: Source, features: Mapping[str, Feature]) -> list[str]:
    """Return the features that a source feeds: by their column, or by a column of theirs in the opportunity."""
    return [name for name, feature in features.items() if source.feeds(*_column(feature))]


def _column(feature: Feature) -> tuple[str | None, str | None]:
    return ("opportunities", feature.context) if feature.context is not None else (feature.table, feature.column)


def without_source(settings: Settings, name: str) -> Settings:
    """Return the settings of a lender who does not buy a source: its features are in no model.

    BadInput when the source is not declared, or when a condition on who is eligible needs it.
    """
    if name not in settings.sources:
        raise BadInput([_no_source(name, list(settings.sources))])
    gone = features_of(settings.sources[name], settings.features)
    needing = [condition.name for condition in settings.conditions if condition.fact in gone]
    if needing:
        raise BadInput([_needed(name, needing)])
    models = {
        role: msgspec.structs.replace(
            spec,
            features=tuple(each for each in spec.features if each not in gone),
            monotone={each: sign for each, sign in spec.monotone.items() if each not in gone},
        )
        for role, spec in settings.models.items()
    }
    return msgspec.structs.replace(settings, models=models)


def check_sources(settings: Settings, engine: "Engine") -> Iterator[Finding]:
    """Yield findings about columns that do not exist, facts used too early or at a wrong stage, and codes left in."""
    columns = {table: engine.columns(table) for table in engine.tables()}
    for name, source in settings.sources.items():
        for column in source.columns:
            table, _, field = column.partition(".")
            if field not in columns.get(table, ()):
                yield _no_column(name, column, [f"{t}.{c}" for t, names in columns.items() for c in names])
            else:
                yield from _codes_left(name, column, source.no_hit.get(column, ()), engine)
        yield from _too_early(name, source, settings.features)
        yield from _wrong_stage(name, source, engine)


def _codes_left(name: str, column: str, codes: Sequence[float | str], engine: "Engine") -> Iterator[Finding]:
    table, _, field = column.partition(".")
    for code in codes:
        shown = f"'{code}'" if isinstance(code, str) else str(code)
        counted = f'SELECT count(*) AS n FROM "{table}" WHERE "{field}" = {shown}'
        found = engine.query(counted, FILE, f"{name}.no_hit")["n"][0].as_py()
        if found:
            message = f"of {column} is in {found:,} rows as {shown}: expected null where nothing was found"
            step = f"write nullif({field}, {shown}) in tables/{table}.sql"
            yield _finding("OP045", f"{name}.no_hit", message, step)


def _too_early(name: str, source: Source, features: Mapping[str, Feature]) -> Iterator[Finding]:
    for each in features_of(source, features):
        delay = features[each].delay_days
        if delay is not None and delay < source.arrival_delay_days:
            message = f"is {delay}, and {name} arrives {source.arrival_delay_days} days late: expected no less"
            yield Finding(
                code="OP108", source="features.toml", subject=f"{each}.delay_days", message=message,
                next_step=f"write delay_days = {source.arrival_delay_days}",
            )  # fmt: skip


def _wrong_stage(name: str, source: Source, engine: "Engine") -> Iterator[Finding]:
    stages = engine.query("SELECT DISTINCT stage FROM opportunities ORDER BY stage")["stage"].to_pylist()
    for stage in stages:
        if stage not in source.stages:
            message = f"are {', '.join(source.stages)}, and the opportunities are at {stage}: expected it among them"
            yield _finding("OP046", f"{name}.stages", message, "ask whether the contract allows it, or drop the source")


def _no_column(name: str, column: str, known: list[str]) -> Finding:
    near = get_close_matches(column, known, 1, 0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    message = f"name {column!r}, which is no column of a table.{hint}"
    return _finding("OP047", f"{name}.columns", message, "write table.column")


def _no_source(name: str, known: list[str]) -> Finding:
    near = get_close_matches(name, known, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known) or 'none'}."
    message = f"is {name!r}, which is no source of {FILE}. {hint}"
    return Finding(code="OP827", source="--without", subject="", message=message, next_step="name a source")


def _needed(name: str, conditions: list[str]) -> Finding:
    message = f"is {name!r}, and who is eligible depends on it ({', '.join(conditions)}): expected a source to spare"
    step = "change the condition first; without the source nobody could be offered anything"
    return Finding(code="OP828", source="--without", subject="", message=message, next_step=step)


def _finding(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=FILE, subject=subject, message=message, next_step=step)
