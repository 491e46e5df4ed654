"""Run: the steps from rows to report, each reused while its inputs stay the same."""

from opportune.workflow.pipeline import STEPS, run_until
from opportune.workflow.planned import PlannedList, read_planned
from opportune.workflow.settings import Settings, load_settings
from opportune.workflow.steps import StepRun, Steps, read_json, write_timings
from opportune.workflow.summary import write_summary

__all__ = [
    "STEPS",
    "PlannedList",
    "Settings",
    "StepRun",
    "Steps",
    "load_settings",
    "read_json",
    "read_planned",
    "run_until",
    "write_summary",
    "write_timings",
]
