"""One run at a time in a folder of output: a second is refused, and one that is killed leaves no lock behind."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opportune.domain import BadInput, Finding
from opportune.workflow.steps import STATE


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold ``out`` while steps run. BadInput (OP846) where another process holds it.

    The operating system gives the lock back when the process that has it ends, however it ends.
    """
    (out / STATE).mkdir(parents=True, exist_ok=True)
    with (out / STATE / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput([_taken(out)]) from None
        yield


def _taken(out: Path) -> Finding:
    return Finding(
        code="OP846", source=str(out), subject="output folder",
        message="another run is writing here: expected one at a time",
        next_step="wait until it is done, or give this one a folder of its own with --out",
    )  # fmt: skip
