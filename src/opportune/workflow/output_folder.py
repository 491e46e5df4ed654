"""The folder of output: steps replace whole folders in it, so none is taken that holds what opportune did not write."""

from collections.abc import Collection
from pathlib import Path

from opportune.domain import BadInput, Finding
from opportune.workflow.pipeline import BACK_TEST, STEPS
from opportune.workflow.steps import STATE

LEAVES = tuple(leaf.partition("/")[0] for step in (*STEPS, BACK_TEST) for leaf in step.leaves)
"""What runs write at the top of an output folder, beside ``summary.json`` and ``timings.json``."""
KEPT = frozenset({"releases", "reports", "evidence"})
"""Folders in which single files are written, and nothing else is touched."""
BESIDE = frozenset({"what-ifs", "value", "apr"})
"""What other commands leave in an output folder, also in one in which nothing has run yet."""
ENDINGS = frozenset({".parquet", ".json", ".ubj"})
"""Of the files in the folders that are replaced whole."""


def check_output_folder(out: str | Path, project: Path) -> None:
    """Raise BadInput (OP861) where running in ``out`` could replace what opportune did not write.

    The project folder, what it lies in, and any folder inside it that is in use are refused. Elsewhere a folder is
    known to be ours by its steps (``.steps``), which a run makes before all else.
    """
    found, here = Path(out).resolve(), project.resolve()
    if not str(out).strip():
        raise BadInput([_refused(out, "is empty")])
    if found == here or found in here.parents:
        raise BadInput([_refused(out, "holds the project itself: its tables would be replaced")])
    taken = _taken(found, here in found.parents)
    if taken:
        raise BadInput([_refused(out, f"holds {taken}, which opportune did not write: it would be replaced")])


def check_replaced(folder: Path, written: Collection[str]) -> None:
    """Raise BadInput (OP861) where a folder that is to be replaced holds files of other names than ``written``."""
    other = [path for path in _visible(folder) if path.name not in written]
    if other:
        raise BadInput(
            [_refused(folder, f"holds {other[0].name}, which opportune did not write: it would be replaced")]
        )


def _taken(out: Path, inside: bool) -> str | None:
    """Return the first file or folder in ``out`` that a run would replace and that is not its own; None without one."""
    top = _visible(out)
    if not (out / STATE).is_dir():
        names = {*LEAVES, "summary.json", "timings.json"}
        return next((path.name for path in top if path.name in names or (inside and path.name not in BESIDE)), None)
    replaced = [path for path in top if path.name in LEAVES and path.name not in KEPT]
    files = (file for path in replaced if path.is_dir() for file in sorted(path.rglob("*")))
    other = (file for file in files if file.is_file() and file.suffix not in ENDINGS and file.name[0] != ".")
    return next((file.relative_to(out).as_posix() for file in other), None)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []


def _refused(out: str | Path, why: str) -> Finding:
    return Finding(
        code="OP861", source="--out", subject=str(out),
        message=f"{why}. Expected a new folder, or one of an earlier run",
        next_step="name another folder, or leave --out away: out in the project is the default",
    )  # fmt: skip
