"""`opportune report`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_json

NAME = "report"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Write the report: one self-contained HTML page."""
    path = open_project(directory, out, as_of).report()
    if as_json:
        print_json({"report": str(path)})
    else:
        print(path)
