"""The contracts of tables: columns with kinds, keys, and rules in words and SQL."""

from typing import Literal

import msgspec

Kind = Literal["text", "instant", "number", "money", "fraction", "integer", "flag"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "instant": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "money": "DOUBLE",
    "fraction": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
}


class Column(msgspec.Struct, frozen=True):
    """A column of a contract. A required one must exist and hold no nulls: null is not a pass.

    An optional one may hold nulls where it stands, unless it is ``filled``: then each row must have it, because a null
    would be read as an answer that nobody gave.
    """

    name: str
    kind: Kind
    required: bool = True
    filled: bool = False


class Rule(msgspec.Struct, frozen=True):
    """What must hold of each row, as SQL that must be true; a null result fails. ``needs`` are the columns in it."""

    code: str
    says: str
    sql: str
    needs: tuple[str, ...]
    severity: Literal["warning", "error"] = "warning"


class Contract(msgspec.Struct, frozen=True):
    """A table's agreed shape. Columns beyond these pass through unchanged."""

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()


ARRIVED_AT = Column("arrived_at", "instant", required=False, filled=True)
"""When a row was known here. A row without it cannot be placed in time, so it is not known at once: it is doubted."""


def _not_negative(column: str) -> Rule:
    return Rule("OP033", f"{column} must be zero or more", f'"{column}" >= 0', (column,))


def _booked(column: str) -> Rule:
    """Return the rule of a booked amount, a column that the settings may name: null and NaN are not known."""
    value = f'TRY_CAST("{column}" AS DOUBLE)'
    sql = f"coalesce(isnan({value}) OR (isfinite({value}) AND {value} >= 0), true)"
    return Rule("OP033", f"{column} must be zero or more", sql, (column,))


BOOKED = (
    "amount_lent", "amount_months", "interest", "interest_months", "term_months", "arrears",
    "balance_years", "payments_made", "paid", "months_open",
)  # fmt: skip
"""What the economics of flat-rate and of instalment loans read of outcomes, and that cannot be below zero."""

_STAGES = "('marketing', 'prescreen', 'prequalification', 'application', 'account_review')"

CONTRACTS = {
    contract.table: contract
    for contract in (
        Contract(
            "customers",
            ("customer_id", "known_from"),
            (Column("customer_id", "text"), Column("known_from", "instant"), ARRIVED_AT),
        ),
        Contract(
            "events",
            ("event_id",),
            (
                Column("event_id", "text"),
                Column("customer_id", "text"),
                Column("event_time", "instant"),
                ARRIVED_AT,
            ),
            (
                Rule(
                    "OP031",
                    "arrived_at must not be before event_time",
                    "arrived_at >= event_time",
                    ("arrived_at",),
                ),
            ),
        ),
        Contract(
            "opportunities",
            ("opportunity_id",),
            (
                Column("opportunity_id", "text"),
                Column("customer_id", "text"),
                Column("slot", "text"),
                Column("at", "instant"),
                Column("surface", "text"),
                Column("stage", "text"),
            ),
            (
                Rule("OP034", f"stage must be one of {_STAGES}", f"stage IN {_STAGES}", ("stage",)),
                Rule(
                    "OP030",
                    "customer_id, slot and at must be unique together",
                    'count(*) OVER (PARTITION BY customer_id, slot, "at") = 1',
                    ("customer_id", "slot", "at"),
                    "error",
                ),
            ),
        ),
        Contract(
            "forecast",
            ("week", "surface", "segment"),
            (
                Column("week", "instant"),
                Column("surface", "text"),
                Column("segment", "text"),
                Column("opportunities", "number"),
            ),
            (
                Rule(
                    "OP033",
                    "opportunities must be zero or more",
                    "isfinite(opportunities) AND opportunities >= 0",
                    ("opportunities",),
                    "error",
                ),
                Rule(
                    "OP039", "week must be a Monday, 00:00 UTC", "week = date_trunc('week', week)", ("week",), "error"
                ),
            ),
        ),
        Contract(
            "applications",
            ("application_id",),
            (
                Column("application_id", "text"),
                Column("customer_id", "text"),
                Column("opportunity_id", "text"),
                Column("applied_at", "instant"),
                Column("requested_amount", "money"),
                Column("status", "text"),
                Column("reasons", "text", required=False),
                Column("claim", "text", required=False),
                ARRIVED_AT,
            ),
            (_not_negative("requested_amount"),),
        ),
        Contract(
            "decisions",
            ("decision_id",),
            (
                Column("decision_id", "text"),
                Column("opportunity_id", "text"),
                Column("customer_id", "text"),
                Column("slot", "text"),
                Column("decided_at", "instant"),
                Column("offer_id", "text", required=False),
                Column("probability", "fraction", required=False),
                Column("stratum", "text", required=False),
            ),
            (
                Rule(
                    "OP035",
                    "probability must be above 0 and at most 1",
                    "probability > 0 AND probability <= 1",
                    ("probability",),
                ),
                Rule(
                    "OP030",
                    "opportunity_id must be unique: one decision for each opportunity",
                    "count(*) OVER (PARTITION BY opportunity_id) = 1",
                    ("opportunity_id",),
                    "error",
                ),
            ),
        ),
        Contract(
            "probabilities",
            ("decision_id", "offer_id"),
            (Column("decision_id", "text"), Column("offer_id", "text"), Column("probability", "fraction")),
            (
                Rule(
                    "OP035",
                    "probability must be 0 or more and at most 1",
                    "probability BETWEEN 0 AND 1",
                    ("probability",),
                    "error",
                ),
                Rule(
                    "OP037",
                    "the probabilities of a decision's offers must sum to 1",
                    "abs(sum(probability) OVER (PARTITION BY decision_id) - 1) <= 1e-6",
                    ("probability",),
                    "error",
                ),
            ),
        ),
        Contract(
            "outcomes",
            ("decision_id",),
            (Column("decision_id", "text"), Column("observed_until", "instant")),
            tuple(_booked(column) for column in BOOKED),
        ),
        Contract(
            "loans",
            ("loan_id",),
            (
                Column("loan_id", "text"),
                Column("customer_id", "text"),
                Column("originated_at", "instant"),
                Column("principal", "money"),
                Column("decision_id", "text", required=False),
                ARRIVED_AT,
            ),
            (_not_negative("principal"),),
        ),
        Contract(
            "payments",
            ("payment_id",),
            (
                Column("payment_id", "text"),
                Column("loan_id", "text"),
                Column("paid_at", "instant"),
                Column("amount", "money"),
            ),
        ),
        Contract(
            "programmes",
            ("programme_id", "effective_from"),
            (
                Column("programme_id", "text"),
                Column("merchant_id", "text"),
                Column("effective_from", "instant"),
                Column("effective_to", "instant", required=False),
            ),
        ),
    )
}
"""Every contract table by name. A project brings the ones that it has."""


class CrossRule(msgspec.Struct, frozen=True):
    """What must hold of each row of ``table`` beside its partner: ``sql`` over ``t`` joined to ``p`` by ``on``."""

    code: str
    table: str
    partner: str
    on: str
    column: str
    says: str
    sql: str
    severity: Literal["warning", "error"] = "error"


CROSS_RULES = (
    CrossRule(
        "OP042", "decisions", "opportunities", "opportunity_id", "opportunity_id",
        "a decision must belong to an opportunity", "p.opportunity_id IS NOT NULL",
    ),
    CrossRule(
        "OP043", "decisions", "opportunities", "opportunity_id", "decided_at",
        "decided_at must not be before the opportunity", 'p.opportunity_id IS NULL OR t.decided_at >= p."at"',
    ),
    CrossRule(
        "OP048", "decisions", "opportunities", "opportunity_id", "customer_id",
        "a decision must be about the customer and slot of its opportunity",
        "p.opportunity_id IS NULL OR (t.customer_id = p.customer_id AND t.slot = p.slot)",
    ),
    CrossRule(
        "OP040", "outcomes", "decisions", "decision_id", "decision_id",
        "an outcome must belong to a decision", "p.decision_id IS NOT NULL",
    ),
    CrossRule(
        "OP041", "outcomes", "decisions", "decision_id", "observed_until",
        "observed_until must not be before decided_at", "p.decision_id IS NULL OR t.observed_until >= p.decided_at",
    ),
    CrossRule(
        "OP044", "probabilities", "decisions", "decision_id", "decision_id",
        "a probability must belong to a decision", "p.decision_id IS NOT NULL",
    ),
)  # fmt: skip
"""Rules between two tables, applied in this order when a project has both: what goes to quarantine takes along
what follows from it."""
