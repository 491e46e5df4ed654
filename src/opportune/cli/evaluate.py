"""`opportune evaluate`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_evidence, print_json

NAME = "evaluate"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Judge the plan and its rivals on what happened."""
    evidence = open_project(directory, out, as_of).evaluate()
    if as_json:
        print_json(evidence)
        return
    print_evidence(evidence["estimates"], "contribution_per_customer", "dr")
    print(f"\n{evidence['assumption']}")
