"""The files that a project's SQL reads, so that a step knows when its data changed."""

from collections.abc import Sequence
from pathlib import Path

from opportune.tables import listed, sha256_file


def table_inputs(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each SQL file, of each data file that one names and of each test, by path.

    A data file is any text literal in the SQL that names, or matches as a pattern, existing files. Data that cannot be
    named so (a database server) is not seen: such a project says `--out` anew or deletes ``out``.
    """
    paths = [*_with_data(directory, listed(directory / "tables", ".sql")), *listed(directory / "tests", ".toml")]
    return _hashes(directory, paths)


def sql_inputs(directory: Path, files: Sequence[str]) -> dict[str, str]:
    """Return the same of a few SQL files of the project; one that is missing is told when it is read."""
    return _hashes(
        directory, _with_data(directory, [directory / file for file in files if (directory / file).is_file()])
    )


def _with_data(directory: Path, sql_files: Sequence[Path]) -> list[Path]:
    return [*sql_files, *sorted({path for sql in sql_files for path in _named_files(directory, sql)})]


def _hashes(directory: Path, paths: Sequence[Path]) -> dict[str, str]:
    return {str(path.relative_to(directory)): sha256_file(path) for path in paths}


def _named_files(directory: Path, sql: Path) -> list[Path]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(sql.read_text(encoding="utf-8"), read="duckdb")
    except (SqlglotError, UnicodeDecodeError):
        return []  # the check of tables says what is wrong with it
    literals = [token.text for token in tokens if token.token_type == sqlglot.TokenType.STRING]
    return [path for literal in literals for path in _matching(directory, literal)]


def _matching(directory: Path, literal: str) -> list[Path]:
    """Return the files below the project that a literal names; text that is no relative path names none."""
    if not literal.strip() or literal.startswith(("/", "..")) or "\x00" in literal or len(literal) > 400:
        return []
    try:
        return [path for path in directory.glob(literal) if path.is_file()]
    except (ValueError, NotImplementedError):
        return []
