"""The arguments that all commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from opportune.project import Project

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The project folder.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where artefacts go; default: the folder out in the project.")]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="The instant of the list to plan, such as 2003-10-01.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def open_project(directory: Path, out: Path | None, as_of: str | None) -> "Project":
    """Open the project with progress told on a terminal and none in a pipe."""
    from opportune.cli.progress import on_step
    from opportune.project import Project

    return Project.open(directory, out=out, as_of=as_of, on_step=on_step)
