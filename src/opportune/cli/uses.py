"""`opportune uses`."""

from pathlib import Path
from typing import Annotated

import typer

from opportune.cli.arguments import Directory, Json, Out, open_project
from opportune.cli.printing import print_json, print_table

NAME = "uses"


def command(
    name: Annotated[str, typer.Argument(help="A table, column, feature, model, resource, limit, offer or source.")],
    directory: Directory = Path(),
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Say which features, models, rules, limits and releases depend on a name."""
    found = open_project(directory, out, None).uses(name)
    if as_json:
        from opportune.cli.outputs import UsesSaid

        print_json(UsesSaid(name=name, uses=tuple(found)))
        return
    rows = [
        [use.kind, use.name, "directly" if use.through == name else f"through {use.through}", use.source]
        for use in found
    ]
    print_table(f"{len(found)} depend on {name}", ["kind", "name", "how", "declared in"], rows, words=4)
