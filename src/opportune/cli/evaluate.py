"""`opportune evaluate`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, AssumeOption, Directory, Json, Out, ScenarioOption, open_project
from opportune.cli.printing import (
    print_completed,
    print_evidence,
    print_json,
    print_realised,
    print_tail,
    print_verdicts,
)

NAME = "evaluate"


def command(
    directory: Directory = Path(),
    out: Out = None,
    as_of: AsOfOption = None,
    assumed: AssumeOption = None,
    scenario: ScenarioOption = None,
    as_json: Json = False,
) -> None:
    """Judge the plan and its rivals on what happened; with an assumption changed, plan and judge under it."""
    evidence = open_project(directory, out, as_of, assumed, scenario).evaluate()
    if as_json:
        print_json(evidence)
    else:
        print_evidence(evidence["estimates"], "contribution_per_customer", "dr")
        print_tail(evidence["tail"])
        print_realised(evidence["planned_against_realised"])
        print_completed(evidence)
        print_verdicts(evidence)
