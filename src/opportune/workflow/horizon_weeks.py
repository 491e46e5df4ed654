"""How many weeks a plan looks ahead: what is asked for, and what a project must have for it."""

import re

import msgspec

from opportune.domain import BadInput, Finding
from opportune.workflow.settings import Settings

TABLE = "tables/forecast.sql"


def with_horizon(settings: Settings, text: str) -> Settings:
    """Return the settings with the weeks of a text such as ``13w``; ``0w`` plans the list alone.

    BadInput for any other text (OP836), and for a project that has no forecast (OP837) or names no segment that may be
    one (OP838).
    """
    found = re.fullmatch(r"(\d{1,4})w", text)
    if found is None:
        message = f"is {text!r}: expected a number of weeks such as 13w"
        raise BadInput([_finding("OP836", "--horizon", "", message, "write the weeks as a whole number and a w")])
    weeks = int(found[1])
    if settings.horizon is None:
        if not weeks:
            return settings
        message = "is missing: expected the column of opportunities that the forecast is by"
        raise BadInput(
            [_finding("OP837", "limits.toml", "horizon", message, 'write [horizon] with segment = "COLUMN"')]
        )
    asked = msgspec.structs.replace(settings, horizon=msgspec.structs.replace(settings.horizon, weeks=weeks))
    if problems := check_horizon(asked):
        raise BadInput(problems)
    return asked


def check_horizon(settings: Settings) -> list[Finding]:
    """Return what a project that looks ahead lacks, and a segment that plans must know nothing of."""
    horizon, findings = settings.horizon, []
    if horizon is None:
        return []
    if horizon.segment.lower() in {name.lower() for name in settings.protected}:
        message = f"is {horizon.segment!r}, which is protected or a proxy: expected plans to know nothing of it"
        findings.append(_finding("OP838", "limits.toml", "horizon.segment", message, "name another column"))
    if horizon.weeks and not (settings.directory / TABLE).is_file():
        message = f"is missing: a plan {horizon.weeks} weeks ahead needs the opportunities that are expected"
        step = "write a SELECT of week, surface, segment and opportunities"
        findings.append(_finding("OP837", TABLE, "", message, step))
    return findings


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
