"""Steps reused by content: a step runs again only when its code, its settings or its inputs changed."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from opportune.tables import canonical_json, sha256_bytes, sha256_file, write_json

STATE = ".steps"


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did: seconds taken and whether its earlier outputs were reused."""

    name: str
    seconds: float
    reused: bool


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The content key of a finished step and the SHA-256 of each file that it left, by path below ``out``."""

    key: str
    outputs: dict[str, str]


class Steps:
    """Runs steps in one output folder and remembers which outputs belong to which inputs.

    A step's key is the hash of this package's code, the step's settings and inputs, and the outputs of the steps
    before it. Its outputs are verified by hash before they are reused, so a file changed by hand is made again.
    """

    def __init__(self, out: Path, on_start: Callable[[str], None] = lambda name: None) -> None:
        self.out = out
        self.runs: list[StepRun] = []
        self._on_start = on_start
        self._done: dict[str, StepRecord] = {}

    def run(
        self,
        name: str,
        inputs: Mapping[str, Any],
        after: tuple[str, ...],
        leaves: tuple[str, ...],
        work: Callable[[], None],
    ) -> None:
        """Run ``work`` unless its key is the one recorded and its outputs are untouched.

        ``leaves`` names the files and folders below ``out`` that the step makes.
        """
        started = time.perf_counter()
        key = self._key(name, inputs, after)
        record = self._recorded(name)
        reused = record is not None and record.key == key and record.outputs == self._hashes(leaves)
        if not reused:
            self._on_start(name)
            work()
            record = StepRecord(key=key, outputs=self._hashes(leaves))
            write_json(self._path(name), record)
        assert record is not None
        self._done[name] = record
        self.runs.append(StepRun(name=name, seconds=time.perf_counter() - started, reused=reused))

    def _key(self, name: str, inputs: Mapping[str, Any], after: tuple[str, ...]) -> str:
        before = {step: self._done[step].outputs for step in after}
        parts = {"step": name, "code": code_hash(), "inputs": dict(inputs), "before": before}
        return sha256_bytes(canonical_json(parts))

    def _recorded(self, name: str) -> StepRecord | None:
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=StepRecord)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _path(self, name: str) -> Path:
        return self.out / STATE / f"{name}.json"

    def _hashes(self, leaves: tuple[str, ...]) -> dict[str, str]:
        files = [path for leaf in leaves for path in _files_below(self.out / leaf)]
        return {path.relative_to(self.out).as_posix(): sha256_file(path) for path in sorted(files)}


def _files_below(path: Path) -> list[Path]:
    if path.is_dir():
        return [each for each in path.rglob("*") if each.is_file()]
    return [path] if path.is_file() else []


@cache
def code_hash() -> str:
    """Return one hash for all code of this package: a changed line makes every step run again."""
    root = Path(__file__).parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".sql", ".j2", ".css"})
    return sha256_bytes(canonical_json({str(path.relative_to(root)): sha256_file(path) for path in files}))


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
