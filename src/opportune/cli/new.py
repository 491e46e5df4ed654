"""`opportune new`."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "new"


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must not exist.")],
) -> None:
    """Make a commented project folder with a little generated data that runs as it is."""
    from opportune.workflow.scaffold import scaffold

    scaffold(directory)
    print(f"made {directory}: next, opportune run {directory}")
