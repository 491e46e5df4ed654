"""Tests of a project: given rows, the feature rows that must come out. Files ``tests/*.toml``, run by `check`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.domain import Finding
from opportune.features import Feature, compute_features
from opportune.tables import CONTRACTS, SQL_TYPES, Engine, convert, listed, quoted, read_toml
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "missing"
"""What a test writes for a feature without a value: TOML has no null."""


class GivenRows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test: rows per table, and per opportunity the features that must come out of them."""

    says: str
    given: dict[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]


def run_tests(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Yield a finding for each feature of each test that comes out as something else."""
    for path in listed(settings.directory / "tests", ".toml"):
        findings: list[Finding] = []
        raw = read_toml(path, findings)
        test = None if raw is None else convert(raw, GivenRows, f"tests/{path.name}", "", findings)
        yield from findings
        if test is not None:
            yield from _run(test, f"tests/{path.name}", settings, engine)


def _run(test: GivenRows, source: str, settings: Settings, real: Engine) -> Iterator[Finding]:
    named = {name for row in test.expect for name in row} - {"opportunity_id"}
    for name in sorted(named - set(settings.features)):
        yield _finding(source, name, "is no feature", "name features of features.toml")
    features = {name: settings.features[name] for name in named & set(settings.features)}
    computed = {row["opportunity_id"]: row for row in _compute(test, features, settings.directory, real).to_pylist()}
    for i, expected in enumerate(test.expect):
        yield from _compare(expected, computed, features, source, f"expect[{i}]")


def _compute(test: GivenRows, features: Mapping[str, Feature], directory: Path, real: Engine) -> "pa.Table":
    """Return the features of the given rows: every table has the columns of the real one, null where none is given."""
    engine = Engine(directory)
    for table in real.tables():
        real_rows = real.query(f'SELECT * FROM "{table}" LIMIT 0')
        engine.register("_shape", real_rows)
        rows = test.given.get(table, [])
        union = " UNION ALL BY NAME ".join(_row_sql(row, table) for row in rows)
        by_name = f"SELECT * FROM _shape UNION ALL BY NAME ({union})" if rows else "SELECT * FROM _shape"
        engine.register(table, engine.query(by_name, "tests", table))
    return compute_features(engine, features)


def _row_sql(row: Mapping[str, Any], table: str) -> str:
    kinds = {column.name: SQL_TYPES[column.kind] for column in CONTRACTS[table].columns}
    cells = [
        f'CAST({_literal(value)} AS {kinds[name]}) AS "{name}"' if name in kinds else f'{_literal(value)} AS "{name}"'
        for name, value in row.items()
    ]
    return f"SELECT {', '.join(cells)}"


def _literal(value: Any) -> str:
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"'{instant.isoformat()}'"
    if isinstance(value, str | date):
        return f"'{quoted(str(value))}'"
    return str(value)


def _compare(
    expected: Mapping[str, Any],
    computed: Mapping[str, dict[str, Any]],
    features: Mapping[str, Feature],
    source: str,
    key: str,
) -> Iterator[Finding]:
    opportunity = str(expected.get("opportunity_id"))
    if opportunity not in computed:
        yield _finding(source, f"{key}.opportunity_id", f"is {opportunity!r}: expected a given opportunity", "name one")
        return
    for name in features:
        if name in expected and not _same(computed[opportunity][name], expected[name]):
            given = MISSING if computed[opportunity][name] is None else computed[opportunity][name]
            message = f"of {opportunity} comes out as {given}: expected {expected[name]}"
            yield _finding(source, f"{key}.{name}", message, "mend features.toml, or the test")


def _same(computed: Any, expected: Any) -> bool:
    if expected == MISSING:
        return computed is None
    if isinstance(expected, int | float) and computed is not None and not isinstance(computed, str):
        return abs(float(computed) - expected) <= 1e-9 * max(1.0, abs(expected))
    return bool(computed == expected)


def _finding(source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP120", source=source, subject=subject, message=message, next_step=step)
