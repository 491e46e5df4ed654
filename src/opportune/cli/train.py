"""`opportune train`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import number, print_json, print_table

NAME = "train"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Compute features and learn the models."""
    cards = open_project(directory, out, as_of).train()
    if as_json:
        print_json({"models": cards})
        return
    print_table(
        "Models",
        ["role", "rows", "learners"],
        [[c["role"], number(c["rows"], 0), ", ".join(c["learners"])] for c in cards],
    )
