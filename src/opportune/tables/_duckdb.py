"""The DuckDB engine: the only module that imports duckdb."""

import re
from contextlib import chdir
from pathlib import Path

import duckdb
import msgspec
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
        duckdb.PermissionException,
        "OP849",
        "reads a file where tables alone say what was known",
        "bring the rows into a table of tables/*.sql, which says when each was known, and select from it",
    ),
    (
        duckdb.ConversionException,
        "OP024",
        "converts a value that does not fit its type",
        "mend the data; where such a value means not known, write TRY_CAST, which gives null",
    ),
    (duckdb.Error, "OP025", "fails", "run the SQL by itself in DuckDB to see more"),
)

_HINTS = (
    ('bindings: "column0"', "look whether the file is empty: its first line must name the columns"),
    ("No function matches the given name and argument types", "convert the columns, such as amount::DOUBLE"),
)
"""What to do about messages of DuckDB that lead a reader astray, by words of theirs."""


class Engine:
    """One in-memory DuckDB database in UTC, without network or extensions; paths in SQL start at the project folder.

    Where it ``reads_files`` not, SQL reads registered tables alone.
    """

    def __init__(self, directory: Path, threads: int = 2, *, reads_files: bool = True) -> None:
        self._directory = directory
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "enable_external_access": reads_files,
            },
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET file_search_path = '{quoted(str(directory.resolve()))}'")
        self._connection.execute("SET enable_progress_bar = false")

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table available to SQL under a name, replacing an earlier one."""
        self._connection.register(name, table)

    def query(self, sql: str, source: str = "query", key: str = "") -> pa.Table:
        """Return the rows of a SELECT. BadInput naming ``source`` when DuckDB refuses it, with line and column.

        ``key`` says where in ``source`` the SQL came from, when it is only a part of it.
        Anything but one SELECT is refused unread: a project's text never writes, copies or attaches.
        """
        try:
            kinds = [statement.type for statement in self._connection.extract_statements(sql)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise BadInput([_not_one_select(source, key, [kind.name for kind in kinds])])
            # DuckDB looks into the working folder before its search path: a stray file there must not stand in.
            with chdir(self._directory):
                return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            finding = _finding(error, source, key)
            raise BadInput([finding if key else _placed(finding, self._drawn_error(sql), sql)]) from error

    def query_file(self, file: str) -> pa.Table:
        """Return the rows of an SQL file of the project. BadInput (OP001, OP002) when it cannot be read."""
        try:
            return self.query((self._directory / file).read_text(encoding="utf-8"), file)
        except (OSError, UnicodeDecodeError) as error:
            code = "OP002" if isinstance(error, UnicodeDecodeError) else "OP001"
            message = f"cannot be read: expected an SQL file in UTF-8 ({type(error).__name__})"
            step = "write it, or correct the name"
            raise BadInput([Finding(code=code, source=file, subject="", message=message, next_step=step)]) from error

    def _drawn_error(self, sql: str) -> str:
        """Return DuckDB's message with its drawing of the place, which only a direct execution makes."""
        try:
            with chdir(self._directory):
                self._connection.execute(sql)
        except duckdb.Error as error:
            return str(error)
        return ""

    def columns(self, table: str) -> list[str]:
        """Return the column names of a registered table."""
        return list(self._connection.sql(f'SELECT * FROM "{table}" LIMIT 0').columns)

    def tables(self) -> list[str]:
        """Return the names of the registered tables, sorted."""
        rows = self._connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        return sorted(name for (name,) in rows)


def _finding(error: duckdb.Error, source: str, key: str) -> Finding:
    code, what, step = next((code, what, step) for kind, code, what, step in _KINDS if isinstance(error, kind))
    message = f"{what}: {_short(str(error))}"
    step = next((hint for words, hint in _HINTS if words in message), step)
    return Finding(code=code, source=source, subject=key, message=message, next_step=step)


def _placed(finding: Finding, error: str, sql: str) -> Finding:
    """Return the finding with line and column of what DuckDB's message draws or names, where the SQL holds it."""
    start = _drawn(error, sql)
    if start is None:
        start = _named(error, sql)
    if start is None:
        return finding
    line = sql.count("\n", 0, start) + 1
    column = start - (sql.rfind("\n", 0, start) + 1) + 1
    return msgspec.structs.replace(finding, line=line, column=column)


def _drawn(error: str, sql: str) -> int | None:
    """Return the offset in the SQL under the caret of the message. Of a long line DuckDB draws a part, between dots.

    The drawn line is looked up in the SQL: DuckDB counts lines from the first that is no comment.
    """
    picture = re.search(r"LINE (\d+): (.*)\n( *)\^", error)
    if picture is None:
        return None
    shown = picture[2]
    dots = len(shown) - len(shown.lstrip("."))
    begins = sql.find(shown.strip("."))
    return None if begins < 0 else begins - dots + len(picture[3]) - len(f"LINE {picture[1]}: ")


def _named(error: str, sql: str) -> int | None:
    """Return the offset of the column, table or file that the message names, outside comments."""
    name = re.search(r'column "([^"]+)"|Table with name (\S+)|pattern "([^"]+)"', error)
    if name is None:
        return None
    word = re.escape(next(filter(None, name.groups())))
    code = re.sub(r"--[^\n]*", lambda comment: " " * len(comment[0]), sql)
    found = re.search(rf"(?<!\w){word}(?!\w)", code)
    return found.start() if found else None


def _not_one_select(source: str, key: str, kinds: list[str]) -> Finding:
    given = ", ".join(kinds) or "no statement"
    message = f"holds {given}: expected one SELECT"
    return Finding(code="OP026", source=source, subject=key, message=message, next_step="write one SELECT per file")


def _short(message: str) -> str:
    """Return DuckDB's message as one line: without its prefix, its blank lines and the picture of the SQL."""
    lines = [
        line.strip() for line in message.splitlines() if line.strip() and not line.strip().startswith(("^", "LINE"))
    ]
    return re.sub(r"^\w+( \w+)? Error: ", "", " ".join(lines[:3]))[:240]
