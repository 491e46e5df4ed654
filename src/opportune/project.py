"""The front door: a project folder as an object whose methods are the verbs of the command line."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.domain import AsOf, BadInput, BrokenPromise, Finding
from opportune.domain.display import html_table
from opportune.tables import located
from opportune.workflow import (
    PlannedList,
    Settings,
    StepForecast,
    StepRun,
    check_output_folder,
    check_time,
    doubts_checked,
    doubts_planned,
    forecast_until,
    load_settings,
    read_change,
    read_json,
    read_planned,
    released_plan,
    run_until,
    what_if_folder,
    with_horizon,
    without_source,
    write_summary,
    write_timings,
)

if TYPE_CHECKING:
    from opportune.evaluation import LoggedDecisions
    from opportune.workflow.change import PlanChange
    from opportune.workflow.one_customer import CustomerExplained
    from opportune.workflow.uses import Use
    from opportune.workflow.worth import SourceWorth


PLAN_AT = "time.plan_at"


def _silent(name: str) -> None:
    del name


class Project:
    """A lender's project. Each verb runs the steps that it needs, reuses what is unchanged and returns the result.

    >>> import opportune as op
    >>> project = op.Project.open("examples/reengagement")   # doctest: +SKIP
    >>> project.plan().certificate.gap                       # doctest: +SKIP
    """

    def __init__(
        self, settings: Settings, out: Path, on_step: Callable[[str], None] = _silent, as_of: str | None = None
    ) -> None:
        self.settings = settings
        self.out = out
        self.on_step = on_step
        self.as_of = as_of
        self.runs: list[StepRun] = []

    @classmethod
    def open(
        cls,
        directory: str | Path = ".",
        *,
        out: str | Path | None = None,
        as_of: str | None = None,
        changes: Sequence[str] = (),
        scenario: str | None = None,
        horizon: str | None = None,
        on_step: Callable[[str], None] = _silent,
    ) -> "Project":
        """Read and check a project folder. BadInput with every finding when it cannot be used.

        ``as_of`` replaces the instant of the list to plan; ``out`` replaces the folder ``out`` inside the project, and
        is refused where a run would replace what opportune did not write (OP861).
        ``horizon``, such as ``13w``, lets the plan see what the table `forecast` expects in so many weeks.
        A what-if has ``changes`` (such as ``limits.mailings.at_most=8000``) or a ``scenario`` of economics.toml; it
        works in a folder of its own below ``out/what-ifs``.
        """
        directory = Path(directory)
        with _lines_of(directory):
            settings = load_settings(directory, [read_change(text) for text in changes], scenario)
            settings = settings if horizon is None else with_horizon(settings, horizon)
        if as_of is not None:
            settings = _with_plan_at(settings, as_of)
        check_output_folder(directory / "out" if out is None else out, directory)
        folder = directory / "out" if out is None else Path(out)
        labels = (*changes, *([scenario] if scenario else []))
        return cls(settings, what_if_folder(folder, labels) if labels else folder, on_step, as_of)

    def forecast(self, verb: str) -> list[StepForecast]:
        """Return which steps a verb would run now, and why, without running any."""
        return forecast_until(self.settings, self.out, verb)

    def __repr__(self) -> str:
        identity = self.settings.identity
        return f"Project({identity.name!r}, list of {self.settings.time.plan_at}, out {str(self.out)!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook: the question, and which steps would run now."""
        del include, exclude
        rows = [[step.name, "would run" if step.runs else "done", "; ".join(step.why)] for step in self.forecast("run")]
        table = html_table(self.settings.identity.question, ["step", "", "because"], rows)
        return {"text/plain": repr(self), "text/html": table}

    def check(self) -> list[dict[str, Any]]:
        """Check the tables against their contracts; return the findings, those about the settings too."""
        self._run("check")
        return list(msgspec.to_builtins(doubts_checked(self.settings, self.out)))

    def train(self) -> list[dict[str, Any]]:
        """Compute features and learn the models; return their cards."""
        self._run("train")
        return [read_json(path) for path in sorted((self.out / "model-cards").glob("*.json"))]

    def training(self) -> dict[str, Any]:
        """Return how many decisions taught the models, lay outside the catalogue, or had no known outcome."""
        return dict(read_json(self.out / "models" / "index.json"))

    def planned(self) -> PlannedList:
        """Return the plan that lies in ``out``, without planning."""
        return read_planned(self.out)

    def doubts(self) -> list[Finding]:
        """Return what is doubtful about the plan that lies in ``out``: its settings, its tables, an empty plan."""
        return doubts_planned(self.settings, self.out, self.planned().certificate)

    def plan(self, as_of: str | None = None) -> PlannedList:
        """Plan the list, of ``as_of`` if given; return its certificate, limit prices and one row per opportunity."""
        if as_of is not None:
            self.settings, self.as_of = _with_plan_at(self.settings, as_of), as_of
        self._run("plan")
        return read_planned(self.out)

    def change(self) -> "PlanChange | None":
        """Return what the plan changes against the one that the last release was sealed with; None without one."""
        from opportune.workflow.change import plan_change

        released = released_plan(self.out)
        if released is None:
            return None
        with _lines_of(self.settings.directory):
            return plan_change(released, self.out, ())

    def explain_customer(self, customer_id: str) -> "CustomerExplained":
        """Return why the plan that lies in ``out`` chose as it did for one customer: winner, runner-up and charges.

        BadInput (OP845) for a customer who is not on its list.
        """
        from opportune.workflow.one_customer import explain_customer

        return explain_customer(self.settings, self.out, customer_id)

    def worth(self, source: str) -> "SourceWorth":
        """Return what a source of sources.toml is worth: train and plan once with it and once without, and compare."""
        from opportune.workflow.sources import features_of
        from opportune.workflow.worth import source_worth

        self._run("plan")
        spare = without_source(self.settings, source)
        other = Project(spare, what_if_folder(self.out, (f"without-{source}",)), self.on_step, self.as_of)
        other._run("plan")
        features = features_of(self.settings.sources[source], self.settings.features)
        return source_worth(self.settings, source, features, self.out, other.out)

    def uses(self, name: str) -> "list[Use]":
        """Return which features, models, rules, limits and releases depend on a name, directly or through others."""
        from opportune.workflow.uses import uses_of

        with _lines_of(self.settings.directory):
            return uses_of(self.settings, self.out, name)

    def evaluate(self) -> dict[str, Any]:
        """Judge the plan on what happened; return the evidence."""
        self._run("evaluate")
        return self.evidence()

    def evidence(self) -> dict[str, Any]:
        """Return the evidence of the last evaluation."""
        return dict(read_json(self.out / "evidence" / "evidence.json"))

    def back_test(self) -> dict[str, Any]:
        """Plan every list of the past again with what was known then, and judge it; return plans and estimates."""
        self._run("back-test")
        return dict(read_json(self.out / "evidence" / "back-test.json"))

    def logged(self, as_of: str | None = None) -> "LoggedDecisions":
        """Return all decisions as a log to judge any policy on, with what was known at an instant, without one by now.

        Measures are ``contribution_per_customer`` and the outcomes that the settings name; NaN is not yet known.
        """
        from opportune.workflow.project_log import project_log

        self._run("check")
        return project_log(self.settings, self.out, None if as_of is None else _instant(as_of))

    def swap_set(self) -> dict[str, Any]:
        """Return the swap set of the last evaluation: who changes from today's policy to the plan, by segment."""
        return dict(read_json(self.out / "evidence" / "swap_set.json"))

    def release(self) -> str:
        """Seal a release; return its hash. BrokenPromise when a gate fails."""
        self._run("release")
        return str(read_json(self.out / "releases" / "latest.json")["hash"])

    def gates(self) -> list[Finding]:
        """Return what forbids a release of the plan that lies in ``out``; nothing where every gate holds."""
        from opportune.workflow.release import gates

        return gates(self.out)

    def report(self) -> Path:
        """Write the report; return its path."""
        self._run("report")
        return self.out / "reports" / "portfolio.html"

    def run(self) -> dict[str, Any]:
        """Do all of the above in order; write ``summary.json`` and ``timings.json`` and return the summary."""
        self._run("run")
        sealed = any(run.name == "release" for run in self.runs)
        summary = write_summary(self.out, read_json(self.out / "releases" / "latest.json")["hash"] if sealed else None)
        write_timings(self.out, self.runs)
        return summary

    def timings(self) -> dict[str, Any]:
        """Return what ``timings.json`` holds: seconds per step of the last run, and peak memory."""
        return dict(read_json(self.out / "timings.json"))

    def _run(self, last: str) -> None:
        with _lines_of(self.settings.directory, self.as_of):
            self.runs = run_until(self.settings, self.out, last, self.on_step).runs


@contextmanager
def _lines_of(directory: Path, as_of: str | None = None) -> Iterator[None]:
    """Give findings about the project's TOML files the lines that they are about, on their way out.

    Of a list that ``--as-of`` asked for, the option is told and not the file, which says another.
    """
    try:
        yield
    except (BadInput, BrokenPromise) as error:
        findings = [
            finding if as_of is None or finding.subject != PLAN_AT else _of_option(finding, as_of)
            for finding in error.findings
        ]
        raise type(error)(located(findings, directory)) from error


def _instant(as_of: str) -> AsOf:
    try:
        return AsOf.parse(as_of)
    except ValueError as error:
        message = "is no instant: expected a date or an instant such as 2003-10-01"
        raise BadInput(
            [Finding(code="OP807", source="--as-of", subject=as_of, message=message, next_step="correct it")]
        ) from error


def _with_plan_at(settings: Settings, as_of: str) -> Settings:
    instant = _instant(as_of)
    time = msgspec.structs.replace(settings.time, plan_at=str(instant))
    findings = check_time(time)
    if findings:
        raise BadInput([_of_option(finding, as_of) for finding in findings])
    return msgspec.structs.replace(settings, time=time)


def _of_option(finding: Finding, as_of: str) -> Finding:
    """Return a finding about the instant of the list as one about ``--as-of``: the file alone would be right."""
    message = f"does not fit: {finding.subject} {finding.message}"
    step = "name an instant after training, out of the column `at` of tables/opportunities.sql"
    return msgspec.structs.replace(finding, source="--as-of", subject=as_of, message=message, next_step=step)
