"""Check: contracts, quarantine with reasons, engines, settings and whole files.

Names load when first used: reading settings or writing JSON needs no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opportune.tables.files import (
    canonical_json,
    link_tree,
    listed,
    replace_directories,
    replace_directory,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
    write_parquet,
    write_text,
)
from opportune.tables.locate import located
from opportune.tables.settings import convert, read_toml
from opportune.tables.sql import keyed_uniform_sql, money_sum_sql, quoted

if TYPE_CHECKING:
    from opportune.tables._duckdb import Engine
    from opportune.tables.candidates_file import CandidatesFile
    from opportune.tables.candidates_table import candidates_of_table
    from opportune.tables.check import Checked, check_tables, write_tables
    from opportune.tables.contracts import CONTRACTS, SQL_TYPES, Contract

_LAZY = {
    "CandidatesFile": "candidates_file",
    "candidates_of_table": "candidates_table",
    "Engine": "_duckdb",
    "Checked": "check",
    "check_tables": "check",
    "write_tables": "check",
    "CONTRACTS": "contracts",
    "SQL_TYPES": "contracts",
    "Contract": "contracts",
}

__all__ = [
    "CONTRACTS",
    "SQL_TYPES",
    "CandidatesFile",
    "Checked",
    "Contract",
    "Engine",
    "candidates_of_table",
    "canonical_json",
    "check_tables",
    "convert",
    "keyed_uniform_sql",
    "link_tree",
    "listed",
    "located",
    "money_sum_sql",
    "quoted",
    "read_toml",
    "replace_directories",
    "replace_directory",
    "sha256_bytes",
    "sha256_file",
    "write_bytes",
    "write_json",
    "write_parquet",
    "write_tables",
    "write_text",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"opportune.tables.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'opportune.tables' has no attribute {name!r}")
