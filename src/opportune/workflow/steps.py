"""Steps reused by content: a step runs again only when its code, its settings or its inputs changed."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from opportune.tables import canonical_json, sha256_bytes, sha256_file, write_json
from opportune.workflow.differences import differences

STATE = ".steps"
LIBRARIES = (
    "altair", "duckdb", "glum", "highspy", "numba", "numpy", "pyarrow", "scikit-learn", "scipy", "sqlglot",
    "vl-convert-python", "xgboost", "xgboost-cpu",
)  # fmt: skip
"""Whose version can change the bytes of an artefact."""


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did: seconds taken and whether its earlier outputs were reused."""

    name: str
    seconds: float
    reused: bool


class StepForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a step would run now, and why; a step after one that runs may still find its inputs unchanged."""

    name: str
    runs: bool
    why: tuple[str, ...]


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finished step: the code, settings and earlier outputs that it read, and the SHA-256 of each file that it left.

    ``inputs`` is plain data; ``before`` maps each earlier step to one hash of its outputs; ``outputs`` maps the path
    of a file below ``out`` to its hash.
    """

    code: str
    inputs: dict[str, Any]
    before: dict[str, str]
    outputs: dict[str, str]


class Steps:
    """Runs steps in one output folder and remembers which outputs belong to which inputs.

    A step is reused while this package's code, the step's settings and inputs, and the outputs of the steps before it
    are what they were. Its outputs are verified by hash before they are reused: a file changed by hand is made again.
    """

    def __init__(self, out: Path, on_start: Callable[[str], None] = lambda name: None) -> None:
        self.out = out
        self.runs: list[StepRun] = []
        self.forecasts: list[StepForecast] = []
        self._on_start = on_start
        self._done: dict[str, str] = {}

    def forecast(self, name: str, inputs: Mapping[str, Any], after: tuple[str, ...], leaves: tuple[str, ...]) -> None:
        """Note whether the step would run, without running it."""
        running = {each.name for each in self.forecasts if each.runs}
        record = read_record(self.out, name)
        self._done[name] = _digest(record.outputs) if record is not None else ""
        reasons = self._reasons(record, inputs, after, leaves)
        reasons += [f"{step} runs first" for step in after if step in running]
        self.forecasts.append(StepForecast(name=name, runs=bool(reasons), why=tuple(reasons)))

    def run(
        self,
        name: str,
        inputs: Mapping[str, Any],
        after: tuple[str, ...],
        leaves: tuple[str, ...],
        work: Callable[[], None],
    ) -> None:
        """Run ``work`` unless all that it reads is what is recorded and its outputs are untouched.

        ``leaves`` names the files and folders below ``out`` that the step makes.
        """
        started = time.perf_counter()
        record = read_record(self.out, name)
        reused = record is not None and not self._reasons(record, inputs, after, leaves)
        if not reused:
            self._on_start(name)
            work()
            record = StepRecord(
                code=code_hash(), inputs=dict(inputs), before=self._before(after), outputs=self._hashes(leaves)
            )
            write_json(_record_path(self.out, name), record)
        assert record is not None
        self._done[name] = _digest(record.outputs)
        self.runs.append(StepRun(name=name, seconds=time.perf_counter() - started, reused=reused))

    def _reasons(
        self, record: StepRecord | None, inputs: Mapping[str, Any], after: tuple[str, ...], leaves: tuple[str, ...]
    ) -> list[str]:
        """Return why the recorded result cannot stand; nothing when it can."""
        if record is None:
            return ["it has not run here"]
        reasons = ["opportune or a library of it changed"] if record.code != code_hash() else []
        reasons += differences(record.inputs, json.loads(canonical_json(dict(inputs))))
        reasons += [f"{step} left other results" for step in after if record.before.get(step) != self._done[step]]
        return reasons + (["its files were changed or removed"] if record.outputs != self._hashes(leaves) else [])

    def _before(self, after: tuple[str, ...]) -> dict[str, str]:
        return {step: self._done[step] for step in after}

    def _hashes(self, leaves: tuple[str, ...]) -> dict[str, str]:
        files = [path for leaf in leaves for path in _files_below(self.out / leaf)]
        return {path.relative_to(self.out).as_posix(): sha256_file(path) for path in sorted(files)}


def read_record(out: Path, name: str) -> StepRecord | None:
    """Return what is recorded of a step in an output folder; None when it has not run, or another version wrote it."""
    try:
        return msgspec.json.decode(_record_path(out, name).read_bytes(), type=StepRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _record_path(out: Path, name: str) -> Path:
    return out / STATE / f"{name}.json"


def _digest(outputs: Mapping[str, str]) -> str:
    return sha256_bytes(canonical_json(dict(outputs)))


def _files_below(path: Path) -> list[Path]:
    if path.is_dir():
        return [each for each in path.rglob("*") if each.is_file()]
    return [path] if path.is_file() else []


@cache
def code_hash() -> str:
    """Return one hash for all code that makes artefacts, this package's and the versions of ``LIBRARIES``.

    A changed line, or another version, makes every step run again.
    """
    root = Path(__file__).parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".sql", ".j2", ".css"})
    ours = {str(path.relative_to(root)): sha256_file(path) for path in files}
    return sha256_bytes(canonical_json({**ours, **{name: _version(name) for name in LIBRARIES}}))


def _version(library: str) -> str | None:
    """Return the installed version; None without one, such as that of XGBoost under its other name."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def write_timings(out: Path, runs: list[StepRun]) -> None:
    """Write ``timings.json``: seconds per step and the peak memory of this process. The only artefact with a clock."""
    timings = {
        "steps": [{"name": run.name, "seconds": round(run.seconds, 3), "reused": run.reused} for run in runs],
        "total_seconds": round(sum(run.seconds for run in runs), 3),
        "peak_memory_mib": _peak_memory_mib(),
    }
    write_json(out / "timings.json", timings)


def _peak_memory_mib() -> int | None:
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def read_json(path: Path) -> Any:
    """Return the content of a JSON artefact."""
    return json.loads(path.read_text(encoding="utf-8"))
