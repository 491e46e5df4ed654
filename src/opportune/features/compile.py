"""From declarations to one SELECT: as-of by construction, because no row passes the join before it was known."""

from collections.abc import Mapping, Sequence

from opportune.features.condition import read_condition
from opportune.features.declare import Feature
from opportune.tables import money_sum_sql

EVENT_TIME = {
    "events": "event_time",
    "customers": "known_from",
    "applications": "applied_at",
    "loans": "originated_at",
}
"""The instant at which a row of each table happened."""

ROW_KEY = {
    "events": "event_id",
    "customers": "customer_id",
    "applications": "application_id",
    "loans": "loan_id",
}
"""The key that decides between two rows of one instant, so that `latest` has one answer."""

OWN_ROW = {"applications": " AND e.opportunity_id IS DISTINCT FROM s.opportunity_id"}
"""What keeps a row out of its own opportunity: an application on the day of its offer is what followed from it."""

KNOWN_AT_SUFFIX = "__known_at"


def compile_features(features: Mapping[str, Feature], columns: Mapping[str, Sequence[str]]) -> str:
    """Return SQL in DuckDB's dialect: one row per row of ``opportunities``, a column and a ``__known_at`` per feature.

    ``columns`` names the columns of each table. Each table is joined once; its features are conditional aggregates
    over that join, so the cost is one pass per table however many features it has. A count of nothing is 0, every
    other aggregate of nothing is null.
    """
    by_table = _by_table(features)
    joins = [_table_query(table, members, columns[table]) for table, members in by_table.items()]
    common = ",\n".join(f"of_{table} AS (\n{query}\n)" for table, query in zip(by_table, joins, strict=True))
    selected = ["o.opportunity_id", *(_selected(name, feature) for name, feature in features.items())]
    lines = ["SELECT " + ",\n    ".join(selected), "FROM opportunities AS o"]
    lines += [f"LEFT JOIN of_{table} ON of_{table}.opportunity_id = o.opportunity_id" for table in by_table]
    lines.append("ORDER BY o.opportunity_id")
    return (f"WITH {common}\n" if common else "") + "\n".join(lines)


def _by_table(features: Mapping[str, Feature]) -> dict[str, dict[str, Feature]]:
    grouped: dict[str, dict[str, Feature]] = {}
    for name, feature in features.items():
        if feature.table is not None:
            grouped.setdefault(feature.table, {})[name] = feature
    return grouped


def _selected(name: str, feature: Feature) -> str:
    if feature.context is not None:
        return f'o."{feature.context}" AS "{name}", o.at AS "{name}{KNOWN_AT_SUFFIX}"'
    value = f'of_{feature.table}."{name}"'
    # Whoever has no row at all in the join would have a null count, others 0: which of them depends on other features.
    value = f"coalesce({value}, 0)" if feature.aggregate == "count" else value
    return f'{value} AS "{name}", of_{feature.table}."{name}{KNOWN_AT_SUFFIX}"'


def _table_query(table: str, features: Mapping[str, Feature], columns: Sequence[str]) -> str:
    happened = f"e.{EVENT_TIME[table]}"
    longest = max(feature.look_back_days or 0 for feature in features.values())
    timed = "arrived_at" in columns
    arrived = f"greatest(e.arrived_at, {happened})" if timed else happened
    known = " AND e.arrived_at IS NOT NULL" if timed else ""  # `greatest` leaves a null out: it would be known at once
    values = ",\n".join(_value(name, each, happened, arrived, table, columns) for name, each in features.items())
    return (
        f"  SELECT s.opportunity_id,\n{values}\n"
        f"  FROM opportunities AS s JOIN {table} AS e ON e.customer_id = s.customer_id\n"
        f"    AND {arrived} <= s.at AND {happened} > s.at - INTERVAL {longest} DAY{known}{OWN_ROW.get(table, '')}\n"
        f"  GROUP BY s.opportunity_id"
    )


def _value(name: str, feature: Feature, happened: str, arrived: str, table: str, columns: Sequence[str]) -> str:
    known = f"greatest({arrived}, {happened} + INTERVAL {feature.delay_days} DAY)"
    window = f"{happened} > s.at - INTERVAL {feature.look_back_days} DAY AND {known} <= s.at"
    where = f" AND ({read_condition(feature.where, columns).sql})" if feature.where else ""
    keep = f"FILTER (WHERE {window}{where})"
    aggregate = _aggregate(feature, f"(ROW({happened}, e.{ROW_KEY[table]}))", happened)
    return f'    {aggregate.format(keep=keep)} AS "{name}",\n    max({known}) {keep} AS "{name}{KNOWN_AT_SUFFIX}"'


def _aggregate(feature: Feature, order: str, happened: str) -> str:
    column = f'e."{feature.column}"'
    match feature.aggregate:
        case "count":
            return "count(*) {keep}"
        case "sum":
            return money_sum_sql(column, "{keep}")
        case "mean":
            return f"{money_sum_sql(column, '{keep}')} / nullif(count({column}) {{keep}}, 0)"
        case "latest":
            return f"arg_max_null({column}, {order}) {{keep}}"
        case "days_since_latest":
            return f"date_diff('day', max({happened}) {{keep}}, any_value(s.at))"
        case _:
            return f"{feature.aggregate}({column}) {{keep}}"
