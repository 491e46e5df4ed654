"""Declarations against tables: every column, feature and piece of SQL that the settings name must exist."""

from collections.abc import Iterator
from difflib import get_close_matches

from opportune.allocation import check_limits, columns_of
from opportune.domain import BadInput, Finding, errors
from opportune.features import Feature, NotACondition, check_features, read_condition
from opportune.models import check_models
from opportune.offers import check_eligibility
from opportune.tables import Engine
from opportune.workflow.completion import decision_sql
from opportune.workflow.cross_checks import resources_of
from opportune.workflow.fairness import group_sql
from opportune.workflow.given_rows import run_tests
from opportune.workflow.logged_checks import check_log, check_numbers_logged
from opportune.workflow.settings import Settings
from opportune.workflow.sources import check_sources
from opportune.workflow.subsets import subset_sql

OUTCOMES = ("took_up", "interest", "amount_lent", "amount_months", "term_months", "arrears")
"""What the value of a booked loan needs of the table outcomes."""


def check_declarations(settings: Settings, engine: Engine) -> None:
    """Check features, eligibility and models against the columns that exist. BadInput with every error."""
    columns = {table: engine.columns(table) for table in engine.tables()}
    outcomes = [name for name in columns.get("outcomes", []) if name not in {"decision_id", "observed_until"}]
    terms = [settings.catalogue.price.term]
    findings = [
        *_read_columns(settings, columns),
        *_sql_findings(settings, engine),
        *check_features(settings.features, columns, settings.protected),
        *check_eligibility(settings.eligibility, list(settings.features), settings.protected),
        *_pack_findings(settings),
        *_protected_findings(settings, columns),
        *check_numbers_logged(settings, engine),
        *_limit_findings(settings, columns.get("opportunities", [])),
        *check_sources(settings, engine),
        *check_models(settings.models, list(settings.features), terms, outcomes, settings.protected),
    ]
    if not errors(findings):
        findings += check_log(settings, engine)
    if errors(findings):
        raise BadInput(findings)


def check_tests(settings: Settings, engine: Engine) -> None:
    """Run the project's own tests. BadInput with every feature that comes out as something else."""
    failed = list(run_tests(settings, engine))
    if failed:
        raise BadInput(failed)


def _pack_findings(settings: Settings) -> Iterator[Finding]:
    for source, pack in settings.rules.items():
        yield from check_eligibility(pack.condition, list(settings.features), settings.protected, source, "condition")


def _protected_findings(settings: Settings, columns: dict[str, list[str]]) -> Iterator[Finding]:
    """Yield a finding for each protected name that nothing has, and for each that prices, folds or tries depend on."""
    known = {name.casefold(): name for names in (*columns.values(), settings.features) for name in names}
    for name in settings.protected:
        if name.casefold() not in known:
            near = get_close_matches(name.casefold(), known, 1, 0.7)
            hint = f" Did you mean {known[near[0]]}?" if near else ""
            message = f"names {name!r}, which no table has: nothing is protected by it.{hint}"
            step = "correct the name, or remove it"
            yield Finding(code="OP831", source="opportune.toml", subject="protected", message=message, next_step=step)
    barred = {name.casefold() for name in settings.protected}
    for source, key, column in (
        ("offers.toml", "price.band", settings.catalogue.price.band),
        ("opportune.toml", "cluster", settings.identity.cluster),
        ("limits.toml", "exploration.tried", settings.exploration.tried),
    ):
        if column is not None and column.casefold() in barred:
            message = f"is {column!r}, which is protected or a proxy: expected a column that is neither"
            step = "name another column; fairness tables read protected ones by themselves"
            yield Finding(code="OP832", source=source, subject=key, message=message, next_step=step)


def _limit_findings(settings: Settings, columns: list[str]) -> Iterator[Finding]:
    """Yield a finding for each limit that is about a column which is missing, protected or a proxy."""
    yield from check_limits(settings.limits, resources_of(settings), columns)
    barred = {name.lower() for name in settings.protected}
    for limit in settings.limits:
        for field, names in columns_of(limit).items():
            for name in names:
                if name.lower() in barred:
                    message = f"reads {name!r}, which is protected or a proxy: expected limits to know nothing of it"
                    step = "leave it to the fairness tables of evidence.toml"
                    subject = f"limit '{limit.name}'.{field}"
                    yield Finding(code="OP507", source="limits.toml", subject=subject, message=message, next_step=step)


def _sql_findings(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Yield what DuckDB finds wrong with the SQL inside TOML, by preparing it without reading a row."""
    tables = engine.tables()
    known_of = engine.columns("customers") if "customers" in tables else ()
    pieces = [
        ("features.toml", f"{name}.where", f"SELECT 1 FROM {feature.table} AS e WHERE ({where})")
        for name, feature in settings.features.items()
        if feature.table in tables and (where := _condition(feature, engine.columns(feature.table)))
    ]
    pieces += [
        ("evidence.toml", f"fairness.{name}", group_sql(sql, settings.plan_at, known_of))
        for name, sql in settings.evidence.fairness.items()
    ]
    pieces += [
        ("evidence.toml", f"subset '{each.name}'.where", subset_sql(each.where)) for each in settings.evidence.subset
    ]
    if settings.evidence.immature is not None:
        pieces += [
            ("evidence.toml", key, decision_sql(key, sql)) for key, sql in settings.evidence.immature.sql.items()
        ]
    for source, key, sql in pieces:
        try:
            engine.query(f"{sql} LIMIT 0", source, key)
        except BadInput as error:
            yield from error.findings


def _condition(feature: Feature, columns: list[str]) -> str | None:
    """Return the SQL of a feature's condition; None where it has none, or one that the check of features refuses."""
    try:
        return read_condition(feature.where, columns).sql if feature.where else None
    except NotACondition:
        return None


def _read_columns(settings: Settings, columns: dict[str, list[str]]) -> list[Finding]:
    """Return a finding for each column that the settings name and the tables do not have."""
    tried = settings.exploration.tried
    wanted = [
        ("opportunities", settings.identity.cluster, "`cluster` in opportune.toml"),
        ("opportunities", settings.catalogue.price.band, "`price.band` in offers.toml"),
        ("decisions", settings.catalogue.price.term, "`price.term` in offers.toml"),
        *([] if "probabilities" in columns else [("decisions", "stratum", "the probabilities of logged offers")]),
        *(("outcomes", name, "the value of a loan") for name in OUTCOMES),
        *([("opportunities", tried, "`exploration.tried` in limits.toml")] if tried else []),
    ]
    return [
        Finding(
            code="OP816",
            source=f"tables/{table}.sql",
            subject=name,
            message=f"is not a column: expected it for {reason}; there are {', '.join(columns.get(table, []))}",
            next_step=f"add it to tables/{table}.sql, or correct the name",
        )
        for table, name, reason in wanted
        if name not in columns.get(table, [])
    ]
