"""Check: tables against their contracts; good rows, quarantined rows with reasons, and every finding."""

from pathlib import Path

from opportune.domain import BadInput, Finding, errors
from opportune.tables import Engine, check_tables, located, write_json, write_tables
from opportune.workflow.declarations import check_declarations, check_tests
from opportune.workflow.limit_amounts import named_files
from opportune.workflow.settings import Settings


def check(settings: Settings, out: Path) -> None:
    """Write ``tables/``, ``quarantine/`` and ``findings.json``, what is doubtful in the tables.

    BadInput with every finding when one is an error: ``tables/`` then stays as it was and fits the plan beside it;
    quarantine and findings tell of what was refused. Settings that contradict each other are refused before.
    """
    engine = Engine(settings.directory)
    checked = check_tables(settings.directory, engine, out, settings.identity.currency, named_files(settings.limits))
    found = checked.findings
    write_json(out / "findings.json", located(found, settings.directory))
    if errors(list(found)):
        raise BadInput(found)
    try:
        check_declarations(settings, engine)
        check_tests(settings, engine)
    except BadInput as error:  # what is doubtful in the tables may be the cause
        raise BadInput([*error.findings, *found]) from error
    write_tables(out, checked.good)


def table_findings(directory: Path) -> tuple[Finding, ...]:
    """Return what is doubtful in the tables of a folder whose settings cannot be read; nothing is written."""
    if not (directory / "tables").is_dir():
        return ()
    return check_tables(directory, Engine(directory), None, None).findings
