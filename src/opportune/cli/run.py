"""`opportune run`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, open_project
from opportune.cli.printing import (
    print_completed,
    print_doubts,
    print_evidence,
    print_explored,
    print_findings,
    print_horizon,
    print_json,
    print_left_out,
    print_plan,
    print_timings,
    print_untaught,
    print_verdicts,
)

if TYPE_CHECKING:
    from opportune.project import Project

NAME = "run"


def command(directory: Directory = Path(), out: Out = None, as_of: AsOfOption = None, as_json: Json = False) -> None:
    """Check, train, plan, evaluate, release and report, in order; unchanged steps are reused.

    Where a gate fails all is written but the release, what failed is said last, and the exit status is 1.
    """
    project = open_project(directory, out, as_of)
    summary = project.run()
    if as_json:
        print_json(summary)
    else:
        _print(project, summary)
    failed = project.gates()
    if failed:
        print("\n".join(finding.text() for finding in failed), file=sys.stderr)
        raise typer.Exit(1)


def _print(project: "Project", summary: dict[str, Any]) -> None:
    planned = project.planned()
    print_plan(planned.certificate)
    print_doubts(project.doubts())
    print_explored(planned.certificate, project.settings.identity.currency)
    print_horizon(planned.horizon)
    evidence = project.evidence()
    print_evidence(evidence["estimates"], "contribution_per_customer", "dr")
    print_untaught(evidence["training"])
    print_completed(evidence)
    print_left_out(evidence)
    print_findings(evidence)
    print_timings(project.timings())
    sealed = summary["release"]
    print(f"\nrelease {sealed[:12]}" if sealed else "\nno release: a gate failed, see the report")
    print(f"report  {project.out / 'reports' / 'portfolio.html'}")
    print_verdicts(evidence)
