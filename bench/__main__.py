"""`make bench`: measure, print one line each, and write bench/results.json and docs/reference/benchmarks.md.

A result is {name, value, unit, rival, against, ratio, bar, met}: ``ratio`` is value / rival where a rival, named by
``against``, did the same work in the same run, ``bar`` the figure promised, ``met`` whether it was kept.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.allocation import allocation_results
from bench.coverage import coverage_results
from bench.decisions import decision_results
from bench.economics import economics_results
from bench.evaluation import evaluation_results
from bench.page import write_page
from bench.result import result, told
from bench.timing import REPEATS
from bench.uplift import uplift_results
from bench.value import value_results

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "examples" / "reengagement"


def main() -> None:
    """Measure everything and exit with 1 when a bar was missed."""
    results = []
    for each in measured():
        print(told(each), flush=True)
        results.append(each)
    (ROOT / "bench" / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    write_page(results, ROOT / "docs" / "reference" / "benchmarks.md")
    sys.exit(any(each["met"] is False for each in results))


def measured() -> Iterator[dict]:
    """Yield every result as soon as it is measured, the short ones first."""
    yield from start_results()
    yield from demo_results()
    yield from decision_results(DEMO)
    yield from economics_results()
    yield from value_results()
    yield from uplift_results()
    yield from evaluation_results()
    yield from allocation_results()
    yield from coverage_results()


def start_results() -> list[dict]:
    """Return the medians of importing the package and of its help, each beside Python alone."""
    bare = median_run("-c", "pass")
    imported = median_run("-c", "import opportune")
    helped = median_run("-m", "opportune.cli", "--help")
    return [
        result("cli.import", imported - bare, "s above bare Python", bar=0.2),
        result("cli.help", helped, "s", rival=("Python's own start", bare), bar=0.3),
    ]


def demo_results() -> list[dict]:
    """Return the demo's seconds and memory from nothing, and its seconds with nothing changed."""
    with tempfile.TemporaryDirectory() as out:
        cold = run("-m", "opportune.cli", "run", str(DEMO), "--out", out)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        warm = run("-m", "opportune.cli", "run", str(DEMO), "--out", out)
    return [
        result("workflow.demo_cold", cold, "s", bar=90.0),
        result("workflow.demo_memory", memory, "MiB", bar=2048.0),
        result("workflow.demo_warm", warm, "s", rival=("the first run", cold), bar=5.0),
    ]


def run(*arguments: str) -> float:
    """Return the seconds that a fresh Python process takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - started


def median_run(*arguments: str) -> float:
    """Return the median seconds of a few such processes."""
    return median(run(*arguments) for _ in range(REPEATS))


if __name__ == "__main__":
    main()
