"""The arguments that all commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from opportune.project import Project

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The project folder.")]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="PATH", help="Where artefacts go; default: the folder out in the project."),
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="The instant of the list to plan, such as 2003-10-01.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FILE.NAME.KEY=VALUE", help="A what-if: limits.mailings.at_most=8000."),
]
AssumeOption = Annotated[
    list[str] | None, typer.Option("--assume", metavar="FILE.NAME=VALUE", help="A what-if: economics.funding=0.25.")
]
ScenarioOption = Annotated[str | None, typer.Option("--scenario", help="A [[scenario]] of economics.toml.")]
HorizonOption = Annotated[
    str | None, typer.Option("--horizon", metavar="WEEKS", help="See what the table forecast expects: 13w.")
]
CustomerOption = Annotated[
    str | None, typer.Option("--customer", metavar="ID", help="Tell why this customer gets what they get.")
]
WithoutOption = Annotated[str | None, typer.Option("--without", help="A source of sources.toml: what is it worth?")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def open_project(
    directory: Path,
    out: str | None,
    as_of: str | None,
    changes: Sequence[str] | None = None,
    scenario: str | None = None,
    horizon: str | None = None,
) -> "Project":
    """Open the project, or a what-if of it, with progress told on a terminal and none in a pipe."""
    from opportune.cli.progress import on_step
    from opportune.project import Project

    return Project.open(
        directory, out=out, as_of=as_of, changes=changes or (), scenario=scenario, horizon=horizon, on_step=on_step
    )
