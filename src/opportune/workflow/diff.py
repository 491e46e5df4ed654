"""Diff: what changes from one plan, or a release's plan, to the plan of an out folder; told and written as a page."""

from pathlib import Path

import msgspec

from opportune.reports import diff_page
from opportune.tables import write_text
from opportune.workflow.change import PlanChange, plan_change, settings_between
from opportune.workflow.planned import plan_of_release
from opportune.workflow.recorded import recorded_settings


def diff(older: Path, newer: Path) -> tuple[PlanChange, str]:
    """Return the change to the plan of out folder ``newer`` and its currency; write ``reports/diff.html`` beside it.

    ``older`` is an out folder too, or a sealed release ``out/releases/<hash>``, whose settings are not compared.
    """
    recorded = recorded_settings(newer)
    released = plan_of_release(older)
    settings = settings_between(older, newer) if released is None else ()
    change = plan_change(older / "plan" if released is None else released, newer, settings)
    page = diff_page(recorded.identity.name, recorded.identity.currency, str(older), msgspec.to_builtins(change))
    write_text(newer / "reports" / "diff.html", page)
    return change, recorded.identity.currency
