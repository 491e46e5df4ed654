"""Rows against tests: the good go on, the bad to quarantine with all that they fail, and each fault is told once."""

from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from opportune.domain import Finding, Severity
from opportune.tables._duckdb import Engine
from opportune.tables.contracts import CONTRACTS, CrossRule

ROW = "__row"
"""The number of a row in the result of its SQL, from 1; it goes to quarantine and to messages, and no further."""
REASONS = "__reasons"
"""What a row fails, in words; empty for good rows. A table may have columns `reasons` and `row` of its own."""


class Test(msgspec.Struct, frozen=True):
    """One thing that each row must pass; ``failing`` is SQL that is true where it does not."""

    code: str
    says: str
    failing: str
    severity: Severity
    column: str


def parted(
    name: str, tests: list[Test], rows: str, engine: Engine, findings: list[Finding]
) -> tuple[pa.Table, pa.Table]:
    """Split rows ``t`` into good and quarantined, say each reason with its count and first keys, register the good."""
    flags = ", ".join(f"CASE WHEN {test.failing} THEN '{_sql_text(test)}' END" for test in tests)
    order = ", ".join(f't."{key}"' for key in CONTRACTS[name].key)
    sql = f"SELECT t.*, concat_ws('; ', {flags}) AS {REASONS} {rows} ORDER BY {order}"
    engine.register("_whole", engine.query(sql, f"tables/{name}.sql"))
    good = engine.query(f"SELECT * EXCLUDE ({REASONS}) FROM _whole WHERE {REASONS} = ''")
    bad = engine.query(f"SELECT * FROM _whole WHERE {REASONS} <> ''")
    engine.register(name, good)
    if bad.num_rows:
        findings.extend(_row_findings(name, tests, bad))
    return good, bad


def _sql_text(test: Test) -> str:
    return f"[{test.code}] {test.says}".replace("'", "''")


def _row_findings(name: str, tests: list[Test], bad: pa.Table) -> Iterator[Finding]:
    for test in tests:
        failing = bad.filter(pc.match_substring(bad[REASONS], f"[{test.code}] {test.says}")).sort_by(ROW)
        if failing.num_rows:
            yield _row_finding(name, test, failing)


def _row_finding(name: str, test: Test, failing: pa.Table) -> Finding:
    first = failing.slice(0, 1).to_pylist()[0]
    key = " ".join(str(first[column]) for column in CONTRACTS[name].key)
    others = failing.num_rows - 1
    more = "" if not others else ", as does 1 more row" if others == 1 else f", as do {others:,} more rows"
    return Finding(
        code=test.code, source=f"tables/{name}.sql", subject=f"row {first[ROW]}, column {test.column} ({key})",
        message=f"breaks a rule{more}: {test.says}", severity=test.severity,
        next_step=f"see quarantine/{name}.parquet, then mend the data or the SQL",
    )  # fmt: skip


def across(
    rule: CrossRule, split: dict[str, tuple[pa.Table, pa.Table]], engine: Engine, findings: list[Finding]
) -> tuple[pa.Table, pa.Table]:
    """Test the good rows of a table against its partner; the failing ones join the quarantine.

    A row whose partner is in quarantine goes there with it, told as a consequence (OP049) and no fault of its own.
    """
    good, bad = split[rule.table]
    engine.register("_good", good)
    engine.register("_bad", split[rule.partner][1])
    broken = Test(
        rule.code, rule.says, f"q.{rule.on} IS NULL AND NOT coalesce({rule.sql}, false)", rule.severity, rule.column
    )
    says = f"a row whose partner in {rule.partner} is in quarantine goes there too"
    taken = Test("OP049", says, f"q.{rule.on} IS NOT NULL", "warning", rule.on)
    rows = f"""FROM _good AS t LEFT JOIN "{rule.partner}" AS p ON p.{rule.on} = t.{rule.on}
        LEFT JOIN (SELECT DISTINCT {rule.on} FROM _bad) AS q ON q.{rule.on} = t.{rule.on}"""
    kept, failed = parted(rule.table, [broken, taken], rows, engine, findings)
    return kept, pa.concat_tables([bad, failed])


def named_for_readers(bad: pa.Table) -> pa.Table:
    """Return quarantined rows with our columns as `row` and `reasons`, but where the table has such columns itself."""
    theirs = {name.casefold() for name in bad.column_names}
    return bad.rename_columns({ours: ours.strip("_") for ours in (ROW, REASONS) if ours.strip("_") not in theirs})
