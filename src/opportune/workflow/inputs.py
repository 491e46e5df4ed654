"""The files that a project's SQL reads, so that a step knows when its data changed."""

import os
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from opportune.tables import listed, sha256_file


def table_inputs(directory: Path, beside: Sequence[str] = ()) -> dict[str, str]:
    """Return the SHA-256 of each SQL file, of each data file that one names and of each test, by path.

    A data file is any text literal or quoted name in the SQL that names, or matches as a pattern, existing files,
    inside the project or elsewhere. Data that cannot be named so (a database server, a path put together in SQL) is not
    seen: such a project says `--out` anew or deletes ``out``. SQL files of ``beside`` are no tables: limits read them.
    """
    tables = [path for path in listed(directory / "tables", ".sql") if _below(directory, path) not in beside]
    tests = [_below(directory, path) for path in listed(directory / "tests", ".toml")]
    return _hashes(directory, [*_with_data(directory, tables), *tests])


def sql_inputs(directory: Path, files: Sequence[str]) -> dict[str, str]:
    """Return the same of a few SQL files of the project; one that is missing is told when it is read."""
    return _hashes(
        directory, _with_data(directory, [directory / file for file in files if (directory / file).is_file()])
    )


def _with_data(directory: Path, sql_files: Sequence[Path]) -> list[str]:
    """Return the paths of SQL files and of the data that they name, as text from the project folder."""
    named = {path for sql in sql_files for path in _named_files(directory, sql)}
    return [*(_below(directory, sql) for sql in sql_files), *sorted(named)]


def _below(directory: Path, path: Path) -> str:
    return str(path.relative_to(directory))


def _hashes(directory: Path, paths: Sequence[str]) -> dict[str, str]:
    return {path: sha256_file(directory / path) for path in paths}


def _named_files(directory: Path, sql: Path) -> list[str]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(sql.read_text(encoding="utf-8"), read="duckdb")
    except (SqlglotError, UnicodeDecodeError):
        return []  # the check of tables says what is wrong with it
    kinds = sqlglot.TokenType
    quoted = {kinds.STRING, kinds.IDENTIFIER, kinds.HEREDOC_STRING, kinds.BYTE_STRING}  # '', "", $$$$ and E''
    texts = {token.text for token in tokens if token.token_type in quoted}
    return [path for text in texts for path in _matching(directory, text)]


def _matching(directory: Path, text: str) -> list[str]:
    """Return the files that a text names, each as the text writes it: from the project folder, or from the root."""
    if not text.strip() or "\x00" in text or len(text) > 400:
        return []
    # As DuckDB reads it: `~` is the home folder, and a pattern may start at the root, which pathlib refuses.
    pattern = os.path.expanduser(text)  # noqa: PTH111
    found = glob(pattern, root_dir=directory, recursive=True, include_hidden=True)  # noqa: PTH207
    return [path for path in found if (directory / path).is_file()]
