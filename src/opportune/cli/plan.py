"""`opportune plan`."""

from pathlib import Path

import msgspec

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_json, print_plan

NAME = "plan"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Plan the list under the limits, with its certificate."""
    planned = open_project(directory, out, as_of).plan()
    certificate = msgspec.to_builtins(planned.certificate)
    if as_json:
        print_json({"prices": planned.prices, **certificate})
    else:
        print_plan(certificate)
