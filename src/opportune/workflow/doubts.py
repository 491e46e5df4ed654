"""Doubts: what is asked and not refused, about settings, tables, and a plan that offers nothing."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from opportune.domain import Certificate, Finding, Places
from opportune.tables import located
from opportune.workflow.cross_checks import cross_checks
from opportune.workflow.frames import read_facts
from opportune.workflow.places import read_places
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json

FAR = 0.5
"""Shares of missing values that differ by more are told."""


def doubts_checked(settings: Settings, out: Path) -> list[Finding]:
    """Return what is doubtful in the settings as they are now, and in the tables as they were checked.

    Settings are asked about anew: the check of tables is reused while a setting that no table knows of changes.
    """
    of_tables = msgspec.convert(read_json(out / "findings.json"), list[Finding])
    return [*located(cross_checks(settings), settings.directory), *of_tables]


def doubts_planned(settings: Settings, out: Path, certificate: Certificate) -> list[Finding]:
    """Return the same with what is doubtful in the plan that lies in ``out``."""
    return [
        *nothing_offered(certificate),
        *located(about_nobody(read_places(out)), settings.directory),
        *located(missing_otherwise(settings, out), settings.directory),
        *doubts_checked(settings, out),
    ]


def missing_otherwise(settings: Settings, out: Path) -> list[Finding]:
    """Return a warning (OP862) for each feature whose share of missing values on the list is far from that in training.

    A model that rarely saw the value missing, or known, says little of customers for whom it is.
    """
    import pyarrow.parquet as pq

    taught, listed = (
        pq.read_table(out / path, columns=["opportunity_id"])["opportunity_id"].to_numpy()
        for path in ("features/out_of_fold.parquet", "plan/plan.parquet")
    )
    then, now = (read_facts(out, list(settings.features), ids, settings.plan_at) for ids in (taught, listed))
    shares = [(name, _missing(then.values[name]), _missing(now.values[name])) for name in settings.features]
    return [_missing_finding(*each) for each in shares if abs(each[2] - each[1]) > FAR]


def _missing(values: np.ndarray) -> float:
    known = [each is not None for each in values] if values.dtype == object else ~np.isnan(values)
    return 1.0 - float(np.mean(known))


def _missing_finding(name: str, then: float, now: float) -> Finding:
    message = f"is missing for {now:.0%} of the list and was for {then:.0%} of those who taught the models"
    step = "look whether its source stopped, arrives later, or was renamed; forecasts lean on it as it was"
    return Finding(
        code="OP862", source="features.toml", subject=name, message=message, next_step=step, severity="warning"
    )


def about_nobody(places: Sequence[Places]) -> list[Finding]:
    """Return a warning (OP847) for each limit whose conditions no opportunity meets: it looks kept."""
    step = "look at its `where`, and at the values of that column on the list"
    return [
        Finding(code="OP847", source="limits.toml", subject=f"limit '{each.limit.name}'", severity="warning",
                message="is about none of the opportunities: it limits nothing", next_step=step)
        for each in places if not each.everywhere and not sum(each.sizes)
    ]  # fmt: skip


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
