"""The page for a portfolio manager: headline, pictures with their tables, method and limits. One file, no network."""

from importlib.resources import files

import jinja2
from markupsafe import Markup

from opportune.reports.artefacts import Artefacts
from opportune.reports.figures import figures
from opportune.reports.sentences import (
    CAPPED,
    METHOD,
    RAW,
    amount,
    broken_limits,
    crossed_bound,
    headline,
    interval,
    missing,
    plain,
    verdicts,
)


def portfolio_page(told: Artefacts) -> str:
    """Return the report as one self-contained HTML document."""
    template = environment().from_string(template_text("portfolio.html.j2"))
    return template.render(
        told=told,
        style=Markup(template_text("style.css")),
        headline=headline(told),
        verdicts={"Shown": verdicts(told, shown=True), "Not shown": verdicts(told, shown=False)},
        missing=missing(told),
        broken=broken_limits(told),
        tables=_evidence_tables(told),
        figures=figures(told),
        safe=Markup,
    )


def environment() -> jinja2.Environment:
    """Return the template environment of every page: escaped, and an error where a name is missing."""
    made = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"amount": amount, "interval": interval, "crossed": crossed_bound, "plain": plain}
    return made


def template_text(name: str) -> str:
    """Return a file of the folder ``templates``."""
    return (files("opportune.reports") / "templates" / name).read_text(encoding="utf-8")


def _evidence_tables(told: Artefacts) -> list[dict[str, object]]:
    return [
        {
            "differences": differences,
            "raw": told.estimates(RAW, METHOD, differences),
            "capped": told.estimates(CAPPED, METHOD, differences),
            "unmodelled": told.estimates(RAW, "snipw", differences),
        }
        for differences in (False, True)
    ]
