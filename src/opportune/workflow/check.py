"""Check: tables against their contracts; good rows, quarantined rows with reasons, and every finding."""

from pathlib import Path

import msgspec

from opportune.domain import BadInput, errors
from opportune.tables import Engine, check_tables, write_json
from opportune.workflow.settings import Settings
from opportune.workflow.train import check_declarations


def check(settings: Settings, out: Path) -> None:
    """Write ``tables/``, ``quarantine/`` and ``findings.json``. BadInput with every finding when one is an error."""
    engine = Engine(settings.directory)
    checked = check_tables(settings.directory, engine, out)
    write_json(out / "findings.json", [msgspec.to_builtins(finding) for finding in checked.findings])
    if errors(list(checked.findings)):
        raise BadInput(checked.findings)
    check_declarations(settings, engine)
