"""Report: the artefacts of a run, told on one page."""

from pathlib import Path

import msgspec

from opportune.economics import assumptions_of, contribution_says
from opportune.reports import Artefacts, portfolio_page
from opportune.tables import write_text
from opportune.workflow.doubts import doubts_planned
from opportune.workflow.horizon_told import read_horizon
from opportune.workflow.planned import read_planned
from opportune.workflow.release import gates
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json


def report(settings: Settings, out: Path) -> None:
    """Write ``reports/portfolio.html``."""
    ahead = read_horizon(out)
    artefacts = Artefacts(
        name=settings.identity.name,
        question=settings.identity.question,
        currency=settings.identity.currency,
        contribution=contribution_says(settings.assumptions),
        assumptions=msgspec.to_builtins(assumptions_of(settings.assumptions)),
        certificate=read_json(out / "plan" / "certificate.json"),
        frontier=read_json(out / "plan" / "frontier.json"),
        frontier_uses=_frontier_uses(settings),
        examples=read_json(out / "plan" / "examples.json"),
        holdout=read_json(out / "plan" / "holdout.json"),
        horizon=None if ahead is None else msgspec.to_builtins(ahead),
        limit_costs=read_json(out / "plan" / "limit_costs.json"),
        clusters=f"clusters ({settings.identity.cluster.replace('_', ' ')})",
        evidence=read_json(out / "evidence" / "evidence.json"),
        swap_set=read_json(out / "evidence" / "swap_set.json"),
        model_cards=[read_json(path) for path in sorted((out / "model-cards").glob("*.json"))],
        findings=msgspec.to_builtins(doubts_planned(settings, out, read_planned(out).certificate)),
        gates=[finding.text() for finding in gates(out)],
    )
    write_text(out / "reports" / "portfolio.html", portfolio_page(artefacts))


def _frontier_uses(settings: Settings) -> tuple[str, str | None] | None:
    """Return what the limit that the frontier varies sums, and per what; None where it is not about the whole list."""
    declared = settings.frontier
    limit = next((limit for limit in settings.limits if declared and limit.name == declared.limit), None)
    if limit is None or limit.where or limit.within or limit.opening or (limit.per and (limit.by or limit.period)):
        return None
    return limit.uses, limit.per
