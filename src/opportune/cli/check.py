"""`opportune check`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_json

NAME = "check"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Check the tables against their contracts."""
    from opportune.domain import Finding

    findings = open_project(directory, out, as_of).check()
    if as_json:
        print_json({"findings": findings})
        return
    for finding in findings:
        print(Finding(**finding).text())
    print(f"{len(findings)} findings, none of them an error.")
