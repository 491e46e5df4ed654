"""The code of these pages runs: `console` blocks in a folder of their own, `python` and `sql` blocks too.

In a console block a line `$ command` is run, and what it prints is compared with the lines below it; `...` stands for
anything. Pages run on a new project, made by their own first command.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def console(example: Example) -> str | None:
    """Run each command of a block and compare what it prints."""
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", example.parsed, re.MULTILINE):
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
        said = done.stdout + done.stderr
        pattern = re.escape(expected.strip()).replace(r"\.\.\.", "(?s:.*?)")
        if not re.fullmatch(pattern, said.strip()):
            return f"$ {command}\nsaid:\n{said}\nexpected:\n{expected}"
    return None


def sql(example: Example) -> str | None:
    """Run a SELECT of the example project; it must give rows."""
    connection = duckdb.connect(config={"file_search_path": str(ROOT / "examples/reengagement")})
    rows = connection.sql(f"SELECT count(*) FROM ({example.parsed})").fetchall()[0][0]
    return None if rows else "gives no rows"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page runs in an empty folder."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("page"))
    yield
    os.chdir(before)


pytest_collect_file = Sybil(
    parsers=[
        SkipParser(),
        CodeBlockParser(language="console", evaluator=console),
        CodeBlockParser(language="sql", evaluator=sql),
        PythonCodeBlockParser(),
    ],
    patterns=["**/*.md"],
    fixtures=["folder"],
).pytest()
