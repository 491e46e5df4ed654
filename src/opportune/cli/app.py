"""The application: commands, and how errors become messages and exit statuses."""

import os
import sys

import typer

from opportune.cli import check, evaluate, new, plan, release, report, run, train

EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130
MOST_FINDINGS = 12

app = typer.Typer(
    name="opportune",
    help="Decide which loan offer, if any, each customer should see, and prove what the decision was worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (new, check, train, plan, evaluate, release, report, run):
    app.command(name=command.NAME)(command.command)


def main() -> None:
    """Run the command line and exit: 0 done, 1 a promise was broken, 2 bad input, 3 internal error, 130 interrupted."""
    try:
        app(standalone_mode=False)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        sys.exit(told(error))
    sys.exit(0)


def told(error: Exception) -> int:
    """Say on standard error what went wrong, and return the exit status."""
    from click.exceptions import Abort, ClickException, NoArgsIsHelpError

    if isinstance(error, Abort):
        return EXIT_INTERRUPTED
    if isinstance(error, NoArgsIsHelpError):
        error.show()
        return 0
    if isinstance(error, ClickException):
        print(f"opportune: [OP820] {error.format_message()} Next: opportune --help", file=sys.stderr)
        return 2
    return _told_ours(error)


def _told_ours(error: Exception) -> int:
    from opportune.domain import BadInput, BrokenPromise, OpportuneError

    if isinstance(error, BadInput | BrokenPromise):
        lines = [finding.line() for finding in error.findings if finding.severity == "error"]
        print("\n".join(lines[:MOST_FINDINGS]), file=sys.stderr)
        if len(lines) > MOST_FINDINGS:
            print(f"... and {len(lines) - MOST_FINDINGS} more of this kind.", file=sys.stderr)
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
