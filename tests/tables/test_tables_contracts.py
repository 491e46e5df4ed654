"""The contracts of tables are frozen: a column that is renamed, dropped or newly required breaks every project."""

from opportune.tables import CONTRACTS

FROZEN = {
    "customers": "customer_id! known_from! arrived_at?",
    "events": "event_id! customer_id event_time arrived_at?",
    "opportunities": "opportunity_id! customer_id slot at surface stage",
    "applications": "application_id! customer_id opportunity_id applied_at requested_amount status reasons? claim? "
    "arrived_at?",
    "decisions": "decision_id! opportunity_id customer_id slot decided_at offer_id? probability? stratum?",
    "probabilities": "decision_id! offer_id! probability",
    "outcomes": "decision_id! observed_until",
    "loans": "loan_id! customer_id originated_at principal decision_id? arrived_at?",
    "payments": "payment_id! loan_id paid_at amount",
    "programmes": "programme_id! merchant_id effective_from! effective_to?",
}
"""The columns of each table in order: ``!`` is in the key, ``?`` may be left out."""
KINDS = {
    "instant": {"known_from", "arrived_at", "event_time", "at", "applied_at", "decided_at", "observed_until",
                "originated_at", "paid_at", "effective_from", "effective_to"},
    "money": {"requested_amount", "principal", "amount"},
    "fraction": {"probability"},
}  # fmt: skip


def mark(contract, column):
    return column.name + ("!" if column.name in contract.key else "" if column.required else "?")


def test_the_columns_of_contracts_never_change():
    found = {name: " ".join(mark(each, column) for column in each.columns) for name, each in CONTRACTS.items()}
    assert found == FROZEN


def test_the_kinds_of_columns_never_change():
    kinds = {column.name: column.kind for contract in CONTRACTS.values() for column in contract.columns}
    expected = {name: kind for kind, names in KINDS.items() for name in names}
    assert kinds == {name: expected.get(name, "text") for name in kinds}
