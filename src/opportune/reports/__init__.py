"""Tell: one page for each audience, made from artefacts only."""

from opportune.reports.artefacts import Artefacts
from opportune.reports.diff import diff_page
from opportune.reports.page import portfolio_page

__all__ = ["Artefacts", "diff_page", "portfolio_page"]
