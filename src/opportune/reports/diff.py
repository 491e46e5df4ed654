"""The page of a diff: who changes, what it is worth, which limits move. One file, no network."""

from typing import Any

from markupsafe import Markup

from opportune.reports.page import environment, template_text


def diff_page(project: str, currency: str, against: str, change: dict[str, Any]) -> str:
    """Return the page of a change between two plans, from the change as plain data."""
    template = environment().from_string(template_text("diff.html.j2"))
    style = Markup(template_text("style.css"))
    return template.render(
        project=project, currency=currency, against=against, change=change, style=style,
        uses=[name for name in change["kinds"][0]["uses"] if name != "contacts"],
        no_label=sum(row["no_label"] for row in change["kinds"]),
    )  # fmt: skip
