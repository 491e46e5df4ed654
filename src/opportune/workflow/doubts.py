"""Doubts: what is asked and not refused, about settings, tables, and a plan that offers nothing."""

from pathlib import Path

import msgspec

from opportune.domain import Certificate, Finding
from opportune.tables import located
from opportune.workflow.cross_checks import cross_checks
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json


def doubts_checked(settings: Settings, out: Path) -> list[Finding]:
    """Return what is doubtful in the settings as they are now, and in the tables as they were checked.

    Settings are asked about anew: the check of tables is reused while a setting that no table knows of changes.
    """
    of_tables = msgspec.convert(read_json(out / "findings.json"), list[Finding])
    return [*located(cross_checks(settings), settings.directory), *of_tables]


def doubts_planned(settings: Settings, out: Path, certificate: Certificate) -> list[Finding]:
    """Return the same with what is doubtful in the plan that lies in ``out``."""
    return [*nothing_offered(certificate), *doubts_checked(settings, out)]


def nothing_offered(certificate: Certificate) -> list[Finding]:
    """Return a warning (OP843) about a plan that offers nothing to anybody, with the reason that its prices prove.

    Where no limit has a price, the bound is the sum of what each one's best offer is worth: no offer is worth anything.
    """
    if certificate.offered or (certificate.explored is not None and certificate.explored.offers):
        return []
    binding = [f"{row.name} (bound {row.limit:g})" for row in certificate.rows if row.price > 0.0]
    message = f"offers nothing to any of {certificate.opportunities:,} opportunities: "
    if binding:
        message += f"no offer is worth what it uses at the price of {', '.join(binding)}"
        step = "try another bound with --set; plan/limit_costs.json says what the plan is worth without each limit"
    else:
        message += "no eligible offer is worth more than it costs, whatever the limits"
        step = "look at the costs of economics.toml, and at the value of each offer in plan/candidates.parquet"
    return [Finding(code="OP843", source="plan", subject="", message=message, next_step=step, severity="warning")]
