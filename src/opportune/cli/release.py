"""`opportune release`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_json

NAME = "release"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Seal everything that a decision needs, if every gate holds."""
    sealed = open_project(directory, out, as_of).release()
    if as_json:
        print_json({"release": sealed})
    else:
        print(f"sealed release {sealed}")
