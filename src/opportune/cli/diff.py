"""`opportune diff`."""

from pathlib import Path
from typing import Annotated

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import print_json
from opportune.cli.printing_changes import print_change

NAME = "diff"
Older = Annotated[Path, typer.Argument(help="An out folder with a plan, or a release: DIR/out/releases/HASH.")]
Newer = Annotated[Path, typer.Argument(help="An out folder with a plan: DIR/out, or one below DIR/out/what-ifs.")]


def command(older: Older, newer: Newer, as_json: Json = False) -> None:
    """Say what changes between two plans of a list: who, value, limits, with intervals; write reports/diff.html."""
    from opportune.workflow.diff import diff

    change, currency = diff(older, newer)
    if as_json:
        from opportune.cli.outputs import DiffSaid

        print_json(DiffSaid(change=change))
        return
    print_change(change, currency, str(older))
    print(f"\nreport {newer / 'reports' / 'diff.html'}")
