"""The application: commands, and how errors become messages and exit statuses."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

import typer
from typer.exceptions import TyperException

from opportune.cli import apr, check, diff, evaluate, explain, new, plan, release, report, run, train, uses, value

if TYPE_CHECKING:
    from opportune.domain import Finding

EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130
MOST_LINES = 12
INTERRUPTED = threading.Event()

app = typer.Typer(
    name="opportune",
    help="Decide which loan offer, if any, each customer should see, and prove what the decision was worth.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (new, check, train, plan, evaluate, release, report, run, uses, diff, explain, apr, value):
    app.command(name=command.NAME)(command.command)


def main() -> None:
    """Run the command line and exit: 0 done, 1 a promise was broken, 2 bad input, 3 internal error, 130 interrupted."""
    signal.signal(signal.SIGINT, _interrupt)
    sys.exit(status_of(sys.argv[1:] or ["--help"]))


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Note the interruption, then raise it: a compiled library may turn it into an error of its own, or swallow it."""
    INTERRUPTED.set()
    signal.default_int_handler(number, frame)


def status_of(arguments: list[str]) -> int:
    """Run one command line and return its exit status, with anything that went wrong said on standard error.

    With ``--json`` it is said on standard output, as one object.
    """
    try:
        # Typer returns the status of an Exit, such as 130 after an interruption, and None when a command is done.
        status = app(arguments, standalone_mode=False) or 0
        return EXIT_INTERRUPTED if INTERRUPTED.is_set() else status
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read the output has gone, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED
    except Exception as error:
        from opportune.domain import Interrupted

        if INTERRUPTED.is_set() and not isinstance(error, Interrupted):
            return EXIT_INTERRUPTED
        return told(error, as_json="--json" in arguments)


def told(error: Exception, as_json: bool = False) -> int:
    """Say what went wrong, and return the exit status."""
    status, findings = failure(error)
    if status == EXIT_INTERNAL and os.environ.get("OPPORTUNE_TRACEBACK"):
        raise error
    if as_json:
        from opportune.cli.printing import print_failure

        print_failure(status, findings)
    else:
        lines = [_line(finding) for finding in findings]
        shown = lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1]
        print("\n".join(shown), file=sys.stderr)
        if len(shown) < len(lines):
            print(f"... and {len(lines) - len(shown)} more. Next: --json lists them all", file=sys.stderr)
    return status


def failure(error: Exception) -> "tuple[int, list[Finding]]":
    """Return the exit status and the findings of an error, errors first; a fault of ours becomes a finding too.

    Warnings are told with them: a row that went to quarantine is often the cause of the error.
    """
    from opportune.domain import BadInput, BrokenPromise, Interrupted

    if isinstance(error, BadInput | BrokenPromise | Interrupted):
        return error.exit_status, sorted(error.findings, key=lambda finding: finding.severity != "error")
    if isinstance(error, TyperException):
        return 2, [_said("OP820", "opportune", f"{error.format_message().rstrip('.')}.", "opportune --help")]
    if isinstance(error, OSError):
        source = str(error.filename or "files")
        return 2, [_said("OP821", source, error.strerror or str(error), "check the path, its rights and the disk")]
    message = f"{type(error).__name__}: {error}. This is a fault of opportune, not of your data."
    step = "run again with OPPORTUNE_TRACEBACK=1 and report what it prints"
    return EXIT_INTERNAL, [_said("OP899", "opportune", message, step)]


def _line(finding: "Finding") -> str:
    return finding.text() if finding.severity == "error" else f"{finding.severity}: {finding.text()}"


def _said(code: str, source: str, message: str, step: str) -> "Finding":
    from opportune.domain import Finding

    return Finding(code=code, source=source, subject="", message=message, next_step=step)
