"""Run: the steps from rows to report, each reused while its inputs stay the same."""

from opportune.workflow.cross_checks import check_time
from opportune.workflow.doubts import doubts_checked, doubts_planned
from opportune.workflow.folder import read_change
from opportune.workflow.horizon_weeks import with_horizon
from opportune.workflow.output_folder import check_output_folder
from opportune.workflow.pipeline import STEPS, forecast_until, run_until
from opportune.workflow.planned import PlannedList, read_planned, released_plan
from opportune.workflow.read_settings import load_settings
from opportune.workflow.settings import Settings
from opportune.workflow.sources import without_source
from opportune.workflow.steps import StepForecast, StepRun, Steps, read_json, write_timings
from opportune.workflow.summary import write_summary
from opportune.workflow.what_if import what_if_folder

__all__ = [
    "STEPS",
    "PlannedList",
    "Settings",
    "StepForecast",
    "StepRun",
    "Steps",
    "check_output_folder",
    "check_time",
    "doubts_checked",
    "doubts_planned",
    "forecast_until",
    "load_settings",
    "read_change",
    "read_json",
    "read_planned",
    "released_plan",
    "run_until",
    "what_if_folder",
    "with_horizon",
    "without_source",
    "write_summary",
    "write_timings",
]
