"""Tell: one page for each audience, made from artefacts only."""

from opportune.reports.artefacts import Artefacts
from opportune.reports.charts import comparison_chart, frontier_chart, gain_chart, waterfall_chart
from opportune.reports.diff import diff_page
from opportune.reports.page import portfolio_page

__all__ = [
    "Artefacts",
    "comparison_chart",
    "diff_page",
    "frontier_chart",
    "gain_chart",
    "portfolio_page",
    "waterfall_chart",
]
