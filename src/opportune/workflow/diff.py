"""Diff: what changes between the plans of two out folders, told and written as a page."""

from pathlib import Path

import msgspec

from opportune.reports import diff_page
from opportune.tables import write_text
from opportune.workflow.change import PlanChange, plan_change, settings_between
from opportune.workflow.recorded import recorded_settings


def diff(older: Path, newer: Path) -> tuple[PlanChange, str]:
    """Return the change from one plan to another and its currency; write ``reports/diff.html`` beside the newer one."""
    recorded = recorded_settings(newer)
    change = plan_change(older / "plan", newer, settings_between(older, newer))
    page = diff_page(recorded.identity.name, recorded.identity.currency, str(older), msgspec.to_builtins(change))
    write_text(newer / "reports" / "diff.html", page)
    return change, recorded.identity.currency
