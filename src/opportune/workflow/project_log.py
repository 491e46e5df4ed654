"""A project's decisions and outcomes as a log on which any policy can be judged, as known at an instant."""

from pathlib import Path

from opportune.domain import AsOf
from opportune.evaluation import LoggedDecisions
from opportune.workflow.frames import open_tables
from opportune.workflow.logged import everyone, made_before
from opportune.workflow.settings import Settings
from opportune.workflow.trial import RAW, realised


def project_log(settings: Settings, out: Path, as_of: AsOf | None) -> LoggedDecisions:
    """Return all decisions made before an instant with the outcomes observed by it; None is by now.

    Measures are the contribution and every outcome that the settings name; NaN is not yet known, or not applicable.
    BadInput where a decision has no cluster, price or stratum (OP608, OP817, OP818), or a booked column is missing
    (OP476).
    """
    past = everyone(open_tables(out, settings.directory), settings, made_before(as_of), as_of)
    outcome = {RAW: realised(past, settings).total(), **past.outcomes}
    return past.as_logged(settings.catalogue.offer_ids, outcome)
