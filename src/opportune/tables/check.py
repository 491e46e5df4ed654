"""Check: a project's SQL against the contracts. Good rows go on, bad rows to quarantine with reasons, none away."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec
import pyarrow as pa

from opportune.domain import BadInput, Finding
from opportune.tables._duckdb import Engine
from opportune.tables.contracts import CONTRACTS, CROSS_RULES, SQL_TYPES, Column, Contract, Rule
from opportune.tables.files import listed, replace_directory, write_parquet
from opportune.tables.quarantine import REASONS, ROW, Test, across, named_for_readers, parted

UNREAD = "__unread"
"""The optional columns of a row that hold something which is not of their kind, as ``|name|``; dropped once tested."""
OURS = (ROW, REASONS, UNREAD)


class Counts(msgspec.Struct, frozen=True):
    """Rows of a table that went on and rows that went to quarantine."""

    good: int
    quarantined: int


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: counts per table, every finding, and the good rows of each table."""

    tables: dict[str, Counts]
    good: dict[str, pa.Table]
    findings: tuple[Finding, ...]


def check_tables(
    directory: Path, engine: Engine, out: Path | None, currency: str | None, beside: Sequence[str] = ()
) -> Checked:
    """Run each ``tables/*.sql``, test its rows and register the good ones in ``engine`` under the table's name.

    ``beside`` names SQL files that are no contract tables and are read by others, such as amounts of limits.
    Money is in ``currency``: a table with a column of that name must hold no other; None when it is not known. Writes
    ``quarantine/*.parquet`` below ``out`` unless it is None. Never raises on bad data.
    """
    findings: list[Finding] = []
    raw = {
        path.stem: table for path in _sql_files(directory, findings, beside) for table in _read(path, engine, findings)
    }
    findings.extend(_future_columns(raw))
    split = {name: _split(name, table, currency, engine, findings) for name, table in raw.items()}
    for rule in CROSS_RULES:
        if rule.table in split and rule.partner in split:
            split[rule.table] = across(rule, split, engine, findings)
    split = {name: (good.drop_columns(ROW), named_for_readers(bad)) for name, (good, bad) in split.items()}
    for name, (good, _) in split.items():
        engine.register(name, good)
    if out is not None:
        doubted = {name: bad for name, (_, bad) in split.items() if bad.num_rows}
        replace_directory(out / "quarantine", lambda directory: _write(directory, doubted))
    counts = {name: Counts(good.num_rows, bad.num_rows) for name, (good, bad) in split.items()}
    return Checked(tables=counts, findings=tuple(findings), good={name: good for name, (good, _) in split.items()})


def _sql_files(directory: Path, findings: list[Finding], beside: Sequence[str]) -> list[Path]:
    """Return the SQL files of contract tables; anything else by name is a finding."""
    paths = [path for path in listed(directory / "tables", ".sql") if f"tables/{path.name}" not in beside]
    if not paths:
        message = "holds no .sql file: expected one SELECT per table"
        findings.append(_finding("OP004", "tables", "", message, f"write tables for any of {', '.join(CONTRACTS)}"))
    for path in paths:
        if path.stem not in CONTRACTS:
            near = get_close_matches(path.stem, CONTRACTS, 1, 0.7)
            hint = f" Did you mean {near[0]}?" if near else f" Expected one of {', '.join(CONTRACTS)}."
            message = f"{path.stem!r} is no contract table.{hint}"
            findings.append(_finding("OP005", f"tables/{path.name}", "", message, "rename the file"))
    return [path for path in paths if path.stem in CONTRACTS]


def _read(path: Path, engine: Engine, findings: list[Finding]) -> Iterator[pa.Table]:
    """Yield the rows of one SQL file, or nothing and a finding."""
    source = f"tables/{path.name}"
    try:
        table = engine.query(path.read_text(encoding="utf-8"), source)
    except BadInput as error:
        findings.extend(error.findings)
        return
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 at byte {error.start}: expected UTF-8 text"
        findings.append(_finding("OP002", source, "", message, "save the file as UTF-8"))
        return
    if table.num_rows == 0:
        findings.append(
            _finding("OP006", source, "", "gives no rows: expected at least one", "check its WHERE and FROM")
        )
        return
    ours = [name for name in table.column_names if name.casefold() in OURS]
    for name in ours:
        findings.append(
            _finding("OP009", source, name, "is a name that the check keeps for itself", "rename the column")
        )
    missing = [c.name for c in CONTRACTS[path.stem].columns if c.required and c.name not in table.column_names]
    for name in missing:
        near = get_close_matches(name, table.column_names, 1, 0.7)
        hint = f" Did you mean it by {near[0]}?" if near else ""
        findings.append(_finding("OP007", source, name, f"is missing: expected this column.{hint}", f"add `AS {name}`"))
    if not missing and not ours:
        yield table


def _future_columns(raw: dict[str, pa.Table]) -> Iterator[Finding]:
    """No outcome can be in an opportunity: a column of both tables would let a decision see what followed."""
    if "opportunities" in raw and "outcomes" in raw:
        followed = {name.casefold() for name in raw["outcomes"].column_names}  # SQL does not tell capitals apart
        for name in raw["opportunities"].column_names:
            if name.casefold() in followed and not name.casefold().endswith("_id"):
                message = "is a column of outcomes too: an opportunity cannot hold what happened after it"
                yield _finding("OP008", "tables/opportunities.sql", name, message, "remove it from opportunities.sql")


def _split(
    name: str, table: pa.Table, currency: str | None, engine: Engine, findings: list[Finding]
) -> tuple[pa.Table, pa.Table]:
    contract = CONTRACTS[name]
    tests = _tests(contract, table.column_names, currency)
    table = table.append_column(ROW, pa.array(range(1, table.num_rows + 1), pa.int64()))
    engine.register("_raw", table)
    typed = ", ".join(_typed(column, contract) for column in table.column_names)
    unread = _unread(_optional(contract, table.column_names))
    engine.register("_typed", engine.query(f"SELECT {typed}, {unread} FROM _raw", f"tables/{name}.sql"))
    good, bad = parted(name, tests, "FROM _typed AS t", engine, findings)
    refused = any(each.source == f"tables/{name}.sql" and each.severity == "error" for each in findings)
    if good.num_rows == 0 and not refused:
        message = f"keeps no row: all {bad.num_rows:,} are in quarantine"
        findings.append(_finding("OP006", f"tables/{name}.sql", "", message, f"see quarantine/{name}.parquet"))
    return good.drop_columns(UNREAD), bad.drop_columns(UNREAD)


def _typed(column: str, contract: Contract) -> str:
    kinds = {declared.name: declared.kind for declared in contract.columns}
    if column not in kinds:
        return f'"{column}"'
    return f'TRY_CAST("{column}" AS {SQL_TYPES[kinds[column]]}) AS "{column}"'


def _optional(contract: Contract, present: list[str]) -> list[Column]:
    """Return the columns that are there and may hold nulls: in them a failed conversion must not pass for a null."""
    return [column for column in contract.columns if not column.required and column.name in present]


def _unread(columns: list[Column]) -> str:
    marks = [
        f"""CASE WHEN TRY_CAST("{each.name}" AS {SQL_TYPES[each.kind]}) IS NULL AND "{each.name}" IS NOT NULL
            THEN '|{each.name}|' ELSE '' END"""
        for each in columns
    ]
    return f"concat({', '.join(marks)}) AS {UNREAD}" if marks else f"'' AS {UNREAD}"


def _tests(contract: Contract, present: list[str], currency: str | None) -> list[Test]:
    optional = _optional(contract, present)
    filled = [column for column in contract.columns if column.required or (column.filled and column in optional)]
    tests = [_column_test(column, column.name in contract.key) for column in filled]
    tests += [_unread_test(column) for column in optional if not column.filled]
    tests += [_rule_test(rule) for rule in contract.rules if set(rule.needs) <= set(present)]
    if currency is not None and "currency" in present:
        tests.append(_currency_test(currency))
    keys = ", ".join(f'"{key}"' for key in contract.key)
    given = " AND ".join(f'"{key}" IS NOT NULL' for key in contract.key)
    duplicated = f"count(*) OVER (PARTITION BY {keys}) > 1 AND {given}"
    unique = f"{' and '.join(contract.key)} must be unique"
    return [*tests, Test("OP030", unique, duplicated, "error", contract.key[0])]


def _currency_test(currency: str) -> Test:
    says = f"currency must be {currency}, as in opportune.toml: money of two currencies is never added"
    return Test("OP036", says, f"currency IS DISTINCT FROM '{currency}'", "error", "currency")


def _column_test(column: Column, is_key: bool) -> Test:
    says = f"{column.name} must be given, as {_article(column.kind)}"
    return Test("OP032", says, f'"{column.name}" IS NULL', "error" if is_key else "warning", column.name)


def _unread_test(column: Column) -> Test:
    says = f"{column.name} must be {_article(column.kind)} where it is given"
    return Test("OP038", says, f"contains({UNREAD}, '|{column.name}|')", "warning", column.name)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}" if kind != "text" else "text"


def _rule_test(rule: Rule) -> Test:
    optional = " AND ".join(f'"{name}" IS NOT NULL' for name in rule.needs)
    return Test(rule.code, rule.says, f"{optional} AND NOT coalesce({rule.sql}, false)", rule.severity, rule.needs[0])


def write_tables(out: Path, good: Mapping[str, pa.Table]) -> None:
    """Write ``tables/*.parquet`` below ``out``, the good rows of a check: all of them, in the place of earlier ones."""
    replace_directory(out / "tables", lambda directory: _write(directory, good))


def _write(directory: Path, tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        write_parquet(directory / f"{name}.parquet", table)


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
