"""One decision by itself beside the same decision in a batch: one definition, two prices."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.result import result
from opportune.decisioning import attributes_of, candidates, choose, decide, open_release, unit_charges
from opportune.domain import Facts, Opportunities, Opportunity
from opportune.project import Project
from opportune.tables import Engine
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, read_facts

ROWS = 20_000
REPEATS = 50


def decision_results(demo: Path) -> list[dict]:
    """Return milliseconds of one decision, and microseconds per row of a batch beside it."""
    with tempfile.TemporaryDirectory() as out:
        project = Project.open(demo, out=out)
        release = open_release(Path(out) / "releases" / project.release())
        batch, facts = _batch(project, open_tables(Path(out), demo))
        one, its_facts = _one(batch), facts.take(np.array([0]))
        decide(one, its_facts, release)
        single = seconds(lambda: decide(one, its_facts, release), REPEATS) / REPEATS
        charges = unit_charges(release.limits, release.manifest.prices, attributes_of(batch))
        many = seconds(lambda: choose(candidates(batch, facts, release.rulebook), charges), 1) / len(batch)
    return [
        result("decisioning.decide_one", 1e3 * single, "ms"),
        result("decisioning.decide_batch", 1e6 * many, "us a row", rival=("one at a time", 1e6 * single)),
    ]


def _batch(project: Project, engine: Engine) -> tuple[Opportunities, Facts]:
    settings = project.settings
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    facts = read_facts(project.out, list(settings.features), batch.opportunity_id, settings.plan_at)
    rows = np.arange(min(ROWS, len(batch)))
    return batch.take(rows), facts.take(rows)


def _one(batch: Opportunities) -> Opportunity:
    return Opportunity(
        opportunity_id=str(batch.opportunity_id[0]), customer_id=str(batch.customer_id[0]), slot=str(batch.slot[0]),
        at=batch.at, surface=str(batch.surface[0]), stage=batch.stage,
        context={name: values[0] for name, values in batch.context.items()},
    )  # fmt: skip


def seconds(work: Callable[[], object], times: int) -> float:
    """Return the seconds that so many calls take."""
    started = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - started
