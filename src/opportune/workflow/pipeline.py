"""The way from a lender's rows to a report, as a visible list of steps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from opportune.domain import BadInput, BrokenPromise, Finding
from opportune.workflow.alone import alone
from opportune.workflow.inputs import sql_inputs, table_inputs
from opportune.workflow.limit_amounts import named_files
from opportune.workflow.settings import Settings, settings_part
from opportune.workflow.steps import StepForecast, Steps, read_json


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: the settings that it reads, the steps before it, what it leaves below ``out``, and its work."""

    name: str
    reads: tuple[str, ...]
    after: tuple[str, ...]
    leaves: tuple[str, ...]
    work: Callable[[Settings, Path], Any]


def _check(settings: Settings, out: Path) -> None:
    from opportune.workflow.check import check

    check(settings, out)


def _train(settings: Settings, out: Path) -> None:
    from opportune.workflow.train import train

    train(settings, out)


def _plan(settings: Settings, out: Path) -> None:
    from opportune.workflow.plan import plan

    plan(settings, out)


def _evaluate(settings: Settings, out: Path) -> None:
    from opportune.tables import canonical_json, write_bytes
    from opportune.workflow.evaluate import evaluate
    from opportune.workflow.swap_set import swaps
    from opportune.workflow.trial import open_list

    opened = open_list(settings, out)
    # Both are whole before either is written: where one cannot be made, the last good state of both stays.
    made = {"evidence.json": evaluate(opened, out), "swap_set.json": swaps(opened)}
    for name, content in {name: canonical_json(content) for name, content in made.items()}.items():
        write_bytes(out / "evidence" / name, content)


def _back_test(settings: Settings, out: Path) -> None:
    from opportune.workflow.back_test import back_test

    back_test(settings, out)


def _release(settings: Settings, out: Path) -> None:
    from opportune.workflow.release import release

    release(settings, out)


def _report(settings: Settings, out: Path) -> None:
    from opportune.workflow.report import report

    report(settings, out)


# The settings that each step reads. A step sees more than it needs rather than less: a part that is missing here would
# let an old result stand after its setting changed.
CHECK = (
    "identity",
    "protected",
    "sources",
    "features",
    "models",
    "catalogue",
    "conditions",
    "evidence_sql",
    "limit_columns",
)
TRAIN = ("identity", "protected", "features", "models", "catalogue", "conditions", "time")
PLAN = (*TRAIN, "assumptions", "objective", "limits", "frontier", "holdout", "exploration", "horizon")
EVALUATE = (*PLAN, "evidence")

# Each work function imports its module when it runs, so that a second run with nothing changed loads none of them.
STEPS = (
    Step(name="check", reads=CHECK, after=(), leaves=("tables", "quarantine", "findings.json"), work=_check),
    Step(
        name="train", reads=TRAIN, after=("check",), leaves=("features", "offers", "models", "model-cards"), work=_train
    ),
    Step(name="plan", reads=PLAN, after=("check", "train"), leaves=("plan",), work=_plan),
    Step(
        name="evaluate",
        reads=EVALUATE,
        after=("check", "train", "plan"),
        leaves=("evidence/evidence.json", "evidence/swap_set.json"),
        work=_evaluate,
    ),
    Step(name="release", reads=PLAN, after=("train", "plan"), leaves=("releases",), work=_release),
    Step(
        name="report",
        reads=EVALUATE,
        after=("check", "train", "plan", "evaluate"),
        leaves=("reports/portfolio.html",),
        work=_report,
    ),
)

BACK_TEST = Step(
    name="back-test",
    reads=EVALUATE,
    after=("check",),
    leaves=("back-test", "evidence/back-test.json"),
    work=_back_test,
)
"""Only when asked for: it trains and plans once for each list of the past."""


def run_until(settings: Settings, out: Path, last: str, on_start: Callable[[str], None]) -> Steps:
    """Run the steps up to ``last``, reusing what is unchanged, and return what was run.

    A broken gate at ``release`` does not stop the steps after it: the report shows it. BadInput (OP846) where another
    run is at work in ``out``.
    """
    steps = Steps(out, on_start)
    with alone(out):
        for step in needed(last):
            work = partial(step.work, settings, out)
            try:
                steps.run(step.name, _inputs(settings, step), step.after, step.leaves, work)
            except BrokenPromise:
                if last == step.name or step.name != "release":
                    raise
            except BadInput as error:  # rows that went to quarantine are often the cause
                raise BadInput([*error.findings, *(() if step.name == "check" else _of_tables(out))]) from error
    return steps


def _of_tables(out: Path) -> list[Finding]:
    """Return what the check of the tables doubted."""
    return msgspec.convert(read_json(out / "findings.json"), list[Finding])


def forecast_until(settings: Settings, out: Path, last: str) -> list[StepForecast]:
    """Return which steps up to ``last`` would run now and why, without running any."""
    steps = Steps(out)
    for step in needed(last):
        steps.forecast(step.name, _inputs(settings, step), step.after, step.leaves)
    return steps.forecasts


def needed(last: str) -> tuple[Step, ...]:
    """Return the steps that ``last`` depends on, in order, itself included."""
    if last == "run":
        return STEPS
    steps = (*STEPS, BACK_TEST)
    wanted = {last}
    for step in reversed(steps):
        if step.name in wanted:
            wanted.update(step.after)
    return tuple(step for step in steps if step.name in wanted)


def _inputs(settings: Settings, step: Step) -> dict[str, Any]:
    of_limits, tables = named_files(settings.limits), {}
    if step.name == "check":
        tables = table_inputs(settings.directory, of_limits)
    if step.name in ("plan", BACK_TEST.name):
        tables = sql_inputs(settings.directory, of_limits)
    return {**settings_part(settings, step.reads), "tables": tables}
