"""The DuckDB engine: the only module that imports duckdb."""

import re
from pathlib import Path

import duckdb
import pyarrow as pa

from opportune.domain import BadInput, Finding
from opportune.tables.sql import quoted

_KINDS = (
    (
        duckdb.ParserException,
        "OP020",
        "is not SQL that DuckDB can read",
        "correct the syntax; one SELECT per file",
    ),
    (
        duckdb.BinderException,
        "OP021",
        "names something that does not exist",
        "correct the name of the column or function",
    ),
    (
        duckdb.CatalogException,
        "OP021",
        "names something that does not exist",
        "correct the name of the table or function",
    ),
    (
        duckdb.IOException,
        "OP022",
        "reads a file that cannot be read",
        "check the path; it is relative to the project folder",
    ),
    (
        duckdb.InvalidInputException,
        "OP023",
        "reads data that DuckDB refuses",
        "check the file's format and encoding",
    ),
    (
        duckdb.ConversionException,
        "OP024",
        "converts a value that does not fit its type",
        "use TRY_CAST, or mend the data",
    ),
    (duckdb.Error, "OP025", "fails", "run the SQL by itself in DuckDB to see more"),
)


class Engine:
    """One in-memory DuckDB database in UTC, without network or extensions; paths in SQL start at the project folder."""

    def __init__(self, directory: Path, threads: int = 2) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET file_search_path = '{quoted(str(directory.resolve()))}'")
        self._connection.execute("SET enable_progress_bar = false")

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table available to SQL under a name, replacing an earlier one."""
        self._connection.register(name, table)

    def query(self, sql: str, source: str = "query") -> pa.Table:
        """Return the rows of a SELECT. BadInput naming ``source`` when DuckDB refuses it.

        Anything but one SELECT is refused unread: a project's text never writes, copies or attaches.
        """
        try:
            kinds = [statement.type for statement in self._connection.extract_statements(sql)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise BadInput([_not_one_select(source, [kind.name for kind in kinds])])
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise BadInput([_finding(error, source)]) from error

    def columns(self, table: str) -> list[str]:
        """Return the column names of a registered table."""
        return list(self._connection.sql(f'SELECT * FROM "{table}" LIMIT 0').columns)

    def tables(self) -> list[str]:
        """Return the names of the registered tables, sorted."""
        rows = self._connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        return sorted(name for (name,) in rows)


def _finding(error: duckdb.Error, source: str) -> Finding:
    code, what, step = next((code, what, step) for kind, code, what, step in _KINDS if isinstance(error, kind))
    message = f"{what}: {_short(str(error))}"
    return Finding(code=code, source=source, subject="", message=message, next_step=step)


def _not_one_select(source: str, kinds: list[str]) -> Finding:
    given = ", ".join(kinds) or "no statement"
    message = f"holds {given}: expected one SELECT"
    return Finding(code="OP026", source=source, subject="", message=message, next_step="write one SELECT per file")


def _short(message: str) -> str:
    """Return DuckDB's message as one line: without its prefix, its blank lines and the picture of the SQL."""
    lines = [
        line.strip() for line in message.splitlines() if line.strip() and not line.strip().startswith(("^", "LINE"))
    ]
    line_number = re.search(r"LINE (\d+):", message)
    where = f" (line {line_number.group(1)} of the SQL)" if line_number else ""
    text = re.sub(r"^\w+( \w+)? Error: ", "", " ".join(lines[:3]))
    return text[:240] + where
