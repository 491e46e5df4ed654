"""The application: commands, and how errors become messages and exit statuses."""

import os
import sys

import typer
from typer.exceptions import TyperException

from opportune.cli import check, evaluate, new, plan, release, report, run, train

EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130
MOST_LINES = 12

app = typer.Typer(
    name="opportune",
    help="Decide which loan offer, if any, each customer should see, and prove what the decision was worth.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (new, check, train, plan, evaluate, release, report, run):
    app.command(name=command.NAME)(command.command)


def main() -> None:
    """Run the command line and exit: 0 done, 1 a promise was broken, 2 bad input, 3 internal error, 130 interrupted."""
    sys.exit(status_of(sys.argv[1:] or ["--help"]))


def status_of(arguments: list[str]) -> int:
    """Run one command line and return its exit status, with anything that went wrong said on standard error."""
    try:
        # Typer returns the status of an Exit, such as 130 after an interruption, and None when a command is done.
        return app(arguments, standalone_mode=False) or 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        return told(error)


def told(error: Exception) -> int:
    """Say on standard error what went wrong, and return the exit status."""
    if isinstance(error, typer.Abort):
        return EXIT_INTERRUPTED
    if isinstance(error, TyperException):
        print(f"opportune: [OP820] {error.format_message().rstrip('.')}. Next: opportune --help", file=sys.stderr)
        return 2
    return _told_ours(error)


def _told_ours(error: Exception) -> int:
    from opportune.domain import BadInput, BrokenPromise, OpportuneError

    if isinstance(error, BadInput | BrokenPromise):
        lines = [finding.text() for finding in error.findings if finding.severity == "error"]
        shown = lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1]
        print("\n".join(shown), file=sys.stderr)
        if len(shown) < len(lines):
            print(f"... and {len(lines) - len(shown)} more. --json lists them all", file=sys.stderr)
        return error.exit_status
    if os.environ.get("OPPORTUNE_TRACEBACK"):
        raise error
    if isinstance(error, OSError):
        print(
            f"{error.filename or 'files'} [OP821] {error.strerror or error}. Next: check the path and its rights",
            file=sys.stderr,
        )
        return 2
    where = "" if isinstance(error, OpportuneError) else f"{type(error).__name__}: "
    print(
        f"opportune: [OP899] {where}{error}. This is a fault of opportune, not of your data. "
        "Next: run again with OPPORTUNE_TRACEBACK=1 and report what it prints",
        file=sys.stderr,
    )
    return EXIT_INTERNAL
