"""`opportune check`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import print_json

NAME = "check"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Check the tables against their contracts."""
    from opportune.domain import BadInput, Finding

    try:
        project = open_project(directory, out, as_of)
    except BadInput as error:  # the tables do not depend on the settings: tell all problems in one go
        from opportune.workflow.check import table_findings

        raise BadInput([*error.findings, *table_findings(directory)]) from error
    findings = tuple(Finding(**each) for each in project.check())
    if as_json:
        from opportune.cli.outputs import CheckSaid

        print_json(CheckSaid(findings=findings))
        return
    for finding in findings:
        print(finding.text())
    print(f"{len(findings)} findings, none of them an error.")
