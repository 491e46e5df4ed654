"""`opportune evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from opportune.cli.arguments import AsOfOption, AssumeOption, Directory, Json, Out, ScenarioOption, open_project
from opportune.cli.printing import (
    print_completed,
    print_evidence,
    print_findings,
    print_json,
    print_left_out,
    print_realised,
    print_tail,
    print_verdicts,
)
from opportune.cli.printing_changes import print_back_test, print_swap_set

NAME = "evaluate"
BackTestOption = Annotated[
    bool, typer.Option("--back-test", help="Also plan every past list again with what was known then, and judge it.")
]


def command(
    directory: Directory = Path(),
    out: Out = None,
    as_of: AsOfOption = None,
    assumed: AssumeOption = None,
    scenario: ScenarioOption = None,
    back_test: BackTestOption = False,
    as_json: Json = False,
) -> None:
    """Judge the plan and its rivals on what happened; with an assumption changed, plan and judge under it."""
    project = open_project(directory, out, as_of, assumed, scenario)
    evidence = project.evaluate()
    past = project.back_test() if back_test else None
    if as_json:
        print_json(evidence if past is None else {**evidence, "back_test": past})
    else:
        print_evidence(evidence["estimates"], "contribution_per_customer", "dr")
        print_tail(evidence["tail"])
        print_realised(evidence["planned_against_realised"])
        print_completed(evidence)
        print_left_out(evidence)
        print_findings(evidence)
        print_verdicts(evidence)
        print_swap_set(project.swap_set())
        if past is not None:
            print_back_test(past)
