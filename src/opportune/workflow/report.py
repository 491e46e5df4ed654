"""Report: the artefacts of a run, told on one page."""

from pathlib import Path

from opportune.reports import Artefacts, portfolio_page
from opportune.tables import write_text
from opportune.workflow.release import gates
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json


def report(settings: Settings, out: Path) -> None:
    """Write ``reports/portfolio.html``."""
    artefacts = Artefacts(
        name=settings.identity.name,
        question=settings.identity.question,
        currency=settings.identity.currency,
        headline=settings.evidence.headline,
        certificate=read_json(out / "plan" / "certificate.json"),
        frontier=read_json(out / "plan" / "frontier.json"),
        evidence=read_json(out / "evidence" / "evidence.json"),
        model_cards=[read_json(path) for path in sorted((out / "model-cards").glob("*.json"))],
        findings=read_json(out / "findings.json"),
        gates=[finding.text() for finding in gates(out)],
    )
    write_text(out / "reports" / "portfolio.html", portfolio_page(artefacts))
