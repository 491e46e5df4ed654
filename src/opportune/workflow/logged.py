"""Logged decisions joined to their opportunities and outcomes: what teaches, and what is judged."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, AsOf, BadInput, Finding
from opportune.economics import booked_columns
from opportune.evaluation import LoggedDecisions
from opportune.features import feature_column
from opportune.offers import Catalogue
from opportune.workflow.frames import texts
from opportune.workflow.left_alone import offer_sql, offered_nothing, with_left_alone
from opportune.workflow.logging_policy import logging_policy, stratum_sql
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine

TOOK_UP = "took_up"
"""The outcome that every booked loan has: whether the offer was taken."""
ARRAYS = (
    "decision_id", "opportunity_id", "customer_id", "slot", "decided_at", "stratum", "band", "cluster", "step",
    "left_alone", "probability", "alone", "outside", "known",
)  # fmt: skip
NAMED_ARRAYS = ("terms", "outcomes")


class Scope(msgspec.Struct, frozen=True):
    """Which decisions are meant: as SQL over decisions ``d`` and opportunities ``o``, and in words."""

    sql: str
    says: str


def made_between(start: AsOf, until: AsOf) -> Scope:
    """Return the scope of the decisions made in [start, until)."""
    sql = f"d.decided_at >= TIMESTAMPTZ '{start}' AND d.decided_at < TIMESTAMPTZ '{until}'"
    return Scope(sql, f"decisions from {start} to {until}")


def made_before(until: AsOf | None) -> Scope:
    """Return the scope of the decisions made before an instant; all of them without one."""
    if until is None:
        return Scope("true", "all decisions")
    return Scope(f"d.decided_at < TIMESTAMPTZ '{until}'", f"decisions before {until}")


def made_about(list_at: AsOf) -> Scope:
    """Return the scope of the decisions about the opportunities of one instant, whenever they were made."""
    return Scope(f"o.\"at\" = TIMESTAMPTZ '{list_at}'", f"decisions about the list of {list_at}")


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of a scope, ordered by opportunity, as arrays of length n.

    ``step`` is the catalogue's offer that was logged, -1 outside the catalogue and in the rows of the mask
    ``left_alone``, which were offered nothing; ``probability`` (n, K) is the logging policy's P(offer), ``alone`` (n,)
    its P(no offer) and ``outside`` (n,) its P(an offer outside the catalogue), given in the table ``probabilities`` or
    estimated within ``stratum``. ``terms`` and ``outcomes`` map names to numbers (NaN: not known or not
    applicable). ``known`` (n,) is false where there is no row in ``outcomes`` yet, or one that was observed too late;
    ``immature`` counts such decisions of the scope, here or not.
    """

    decision_id: np.ndarray
    opportunity_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    decided_at: np.ndarray
    stratum: np.ndarray
    band: np.ndarray
    cluster: np.ndarray
    step: np.ndarray
    left_alone: np.ndarray
    probability: np.ndarray
    alone: np.ndarray
    outside: np.ndarray
    known: np.ndarray
    terms: dict[str, np.ndarray]
    outcomes: dict[str, np.ndarray]
    immature: int

    def __len__(self) -> int:
        return len(self.decision_id)

    def take(self, rows: np.ndarray) -> "History":
        """Return the history of the given rows (indices or mask)."""
        kept = {name: getattr(self, name)[rows] for name in ARRAYS}
        named = {name: {key: values[rows] for key, values in getattr(self, name).items()} for name in NAMED_ARRAYS}
        return msgspec.structs.replace(self, **kept, **named)

    def as_logged(self, offer_ids: tuple[str, ...], outcome: dict[str, np.ndarray]) -> LoggedDecisions:
        """Return the history as a log with the given outcomes (n,), unknown where ``known`` is false.

        Which offers a decision could have been is what its probabilities say. Where some offered nothing, ``NO_OFFER``
        is one of them, behind ``offer_ids``.
        """
        logged = LoggedDecisions(
            decision_id=self.decision_id, customer_id=self.customer_id, slot=self.slot, offer_ids=offer_ids,
            action=self.step, eligible=np.ones((len(self), len(offer_ids)), dtype=bool), probability=self.probability,
            outside=self.outside, cluster=self.cluster, decided_at=self.decided_at,
            outcome={name: np.where(self.known, values, np.nan) for name, values in outcome.items()},
        )  # fmt: skip
        return with_left_alone(logged, self.left_alone, self.alone)


def outcome_columns(settings: Settings) -> list[str]:
    """Return the columns of outcomes that the project names; others pass through and are read by nothing."""
    named = [name for spec in settings.models.values() for name in (spec.target, spec.given) if name is not None]
    return sorted({TOOK_UP, *booked_columns(settings.assumptions), *named})


def history(engine: "Engine", settings: Settings, scope: Scope, observed_by: AsOf) -> History:
    """Return the decisions of a scope whose outcomes were observed by ``observed_by``; it may hold none.

    The logging policy is estimated on all decisions of the scope, so a share does not depend on who has matured.
    BadInput where a decision has no cluster, no price of what it offered or no stratum (OP608, OP817, OP818).
    """
    found = everyone(engine, settings, scope, observed_by)
    return found.take(found.known)


def everyone(engine: "Engine", settings: Settings, scope: Scope, observed_by: AsOf | None) -> History:
    """Return all decisions of a scope, those too whose outcome is not yet known (``observed_by`` None: by now)."""
    catalogue, cluster, there = settings.catalogue, settings.identity.cluster, engine.columns("outcomes")
    outcomes = [name for name in outcome_columns(settings) if name in there]
    optional = f"{stratum_sql(engine)} AS stratum, {offer_sql(engine)} AS offer_id"
    rows = engine.query(_sql(outcomes, catalogue, cluster, optional, scope))
    _refuse_unknown(rows, cluster, catalogue.price.term)
    observed = _times(rows, "observed_until")
    latest = np.datetime64("9999-12-31") if observed_by is None else np.datetime64(observed_by.at.replace(tzinfo=None))
    return _from_rows(engine, rows, outcomes, catalogue, observed <= latest)  # false where there is no outcome


def _sql(named: list[str], catalogue: Catalogue, cluster: str, optional: str, scope: Scope) -> str:
    outcomes = ", ".join(f'u."{name}" AS "u.{name}"' for name in named)  # an outcome may be called price, or band
    return f"""
        SELECT d.decision_id, d.opportunity_id, d.customer_id, d.slot, d.decided_at, {optional}, u.observed_until,
            o."{catalogue.price.band}" AS band, o."{cluster}"::VARCHAR AS cluster,
            d."{catalogue.price.term}" AS price, {outcomes}
        FROM decisions AS d
        JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id
        LEFT JOIN outcomes AS u ON u.decision_id = d.decision_id
        WHERE {scope.sql}
        ORDER BY d.opportunity_id, d.decision_id"""


def _refuse_unknown(rows: "pa.Table", cluster: str, price: str) -> None:
    unpriced = np.asarray(rows["price"].is_null()) & ~offered_nothing(texts(rows, "offer_id"))
    findings = [
        Finding(code=code, source=source, subject=subject, message=f"is null in {count} decisions: {expected}",
                next_step=step)
        for code, source, subject, count, expected, step in (
            ("OP608", "tables/decisions.sql", price, int(unpriced.sum()), "expected the price of the offer",
             f"give the price; where nothing was offered, write '{NO_OFFER_ID}' as offer_id"),
            ("OP818", "tables/opportunities.sql", cluster, rows["cluster"].null_count,
             "expected what their customers share, so that folds and intervals can keep it together",
             "give each opportunity a value, or name another column as `cluster` in opportune.toml"),
        )
        if count
    ]  # fmt: skip
    if findings:
        raise BadInput(findings)


def _from_rows(
    engine: "Engine", rows: "pa.Table", outcomes: list[str], catalogue: Catalogue, known: np.ndarray
) -> History:
    band, price = texts(rows, "band"), feature_column(rows, "price")
    left_alone = offered_nothing(texts(rows, "offer_id"))
    step = np.where(left_alone, -1, catalogue.step_of(band, price))
    names = ("decision_id", "opportunity_id", "customer_id", "slot", "cluster")
    logging = logging_policy(engine, rows, step, left_alone, catalogue)
    return History(
        **{name: texts(rows, name) for name in names},
        decided_at=_times(rows, "decided_at"),
        stratum=logging.stratum,
        band=band,
        step=step,
        left_alone=left_alone,
        probability=logging.probability,
        alone=logging.alone,
        outside=logging.outside,
        terms={catalogue.price.term: price},
        outcomes={name: feature_column(rows, f"u.{name}") for name in outcomes},
        known=known,
        immature=int(np.sum(~known)),
    )


def _times(rows: "pa.Table", name: str) -> np.ndarray:
    return np.asarray(rows[name].to_numpy()).astype("datetime64[us]")
