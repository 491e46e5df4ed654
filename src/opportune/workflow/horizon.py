"""Horizon: what a plan sees, the list and after it the opportunities that a forecast expects.

An expected opportunity is like one that was: those of its surface and segment in the week up to the latest one stand
for it, in turn and in an order that the seed fixes. So it has their features, and offers of it their value and uses.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from opportune.decisioning import Rulebook, candidates
from opportune.domain import BadInput, Candidates, Facts, Finding, Opportunities, Plan, group_label
from opportune.numerics import keyed_uniform
from opportune.workflow.forecast_rows import ForecastRow, forecast_rows
from opportune.workflow.frames import FIXED, batch_of, context_columns, read_facts
from opportune.workflow.horizon_weeks import TABLE
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    from opportune.tables import Engine

TEMPLATE_DAYS = 7
"""How far before the latest opportunity of a surface and segment others may lie that stand for those to come."""

T = TypeVar("T", Opportunities, Facts, Candidates)
B = TypeVar("B", Opportunities, Candidates)
Group = tuple[str, str]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan sees: the first ``listed`` of ``everyone`` are the list, the others belong to rows of the forecast.

    ``row_of`` (n - listed,) says which of ``rows``.
    """

    batch: Opportunities
    facts: Facts
    everyone: Candidates
    listed: int
    rows: tuple[ForecastRow, ...]
    row_of: np.ndarray

    @property
    def ahead(self) -> int:
        """How many opportunities are a forecast."""
        return len(self.row_of)

    def told(self, made: Plan) -> Plan:
        """Return the plan of all with a certificate that says how many of them are a forecast."""
        return msgspec.structs.replace(made, certificate=msgspec.structs.replace(made.certificate, ahead=self.ahead))

    def of_list(self, made: Plan) -> Plan:
        """Return what the plan of all chooses for the list."""
        listed = slice(self.listed)
        return msgspec.structs.replace(
            made, opportunity_id=made.opportunity_id[listed], choice=made.choice[listed],
            probability=None if made.probability is None else made.probability[listed],
        )  # fmt: skip


def see(
    settings: Settings, out: Path, engine: "Engine", rulebook: Rulebook, batch: Opportunities, facts: Facts
) -> Seen:
    """Return the list with what is expected inside the horizon; the list alone where the project looks no further.

    BadInput (OP838) when opportunities have no such segment, (OP839) when the forecast ends before the horizon does,
    (OP841) when nothing can stand for what it expects.
    """
    everyone = candidates(batch, facts, rulebook)
    nothing = np.zeros(0, dtype=np.int64)
    listed = Seen(batch=batch, facts=facts, everyone=everyone, listed=len(batch), rows=(), row_of=nothing)
    if settings.horizon is None or not settings.horizon.weeks:
        return listed
    rows = forecast_rows(engine, settings.plan_at, settings.horizon.weeks)
    templates, groups = _templates(settings, engine)
    _refuse_unlike(settings, rows, groups)
    known = read_facts(out, list(settings.features), templates.opportunity_id, settings.plan_at)
    row_of, turn = _in_turn(settings.identity.seed, rows, groups, templates.opportunity_id)
    ids, at = _ids(rows, row_of), np.array([row.week for row in rows], dtype="datetime64[us]")[row_of]
    coming = candidates(templates, known, rulebook).rows(turn)
    coming = _called(coming, ids, attributes={**coming.attributes, "at": at})
    return Seen(
        batch=_joined(batch, _called(templates.take(turn), ids)),
        facts=_joined(facts, msgspec.structs.replace(known.take(turn), opportunity_id=ids)),
        everyone=_joined(everyone, coming),
        listed=len(batch),
        rows=rows,
        row_of=row_of,
    )


def _templates(settings: Settings, engine: "Engine") -> tuple[Opportunities, dict[Group, np.ndarray]]:
    """Return the opportunities that stand for others, and which of them (indices) each surface and segment has."""
    assert settings.horizon is not None
    segment, columns = settings.horizon.segment, engine.columns("opportunities")
    if segment in FIXED or segment not in columns:
        raise BadInput([_no_segment(segment, [name for name in columns if name not in FIXED])])
    named = f'"{segment}"'
    latest = f'max("at") OVER (PARTITION BY surface, {named})'
    rows = engine.query(
        f"SELECT * FROM opportunities WHERE \"at\" <= TIMESTAMPTZ '{settings.plan_at}' AND {named} IS NOT NULL "
        f'QUALIFY "at" > {latest} - INTERVAL {TEMPLATE_DAYS} DAY ORDER BY opportunity_id'
    )
    if not rows.num_rows:
        raise BadInput([_no_segment(segment, [name for name in columns if name not in FIXED])])
    batch = batch_of(rows, settings.plan_at, context_columns(settings))
    names = [group_label(each) for each in batch.context[segment].tolist()]
    places: dict[Group, list[int]] = {}
    for row, group in enumerate(zip(batch.surface.tolist(), names, strict=True)):
        places.setdefault(group, []).append(row)
    return batch, {group: np.array(members) for group, members in places.items()}


def _refuse_unlike(settings: Settings, rows: tuple[ForecastRow, ...], groups: dict[Group, np.ndarray]) -> None:
    wanted = dict.fromkeys((row.surface, row.segment) for row in rows if row.opportunities)
    surfaces = settings.catalogue.surfaces
    findings = [_unlike(group, groups) for group in wanted if group not in groups]
    findings += [_unoffered(group, surfaces) for group in wanted if group in groups and group[0] not in surfaces]
    if findings:
        raise BadInput(findings)


def _in_turn(
    seed: int, rows: tuple[ForecastRow, ...], groups: dict[Group, np.ndarray], ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each expected opportunity its row and its template: all of a group in turn, on from week to week."""
    drawn = keyed_uniform(seed, "forecast", ids)
    order = {group: members[np.argsort(drawn[members], kind="stable")] for group, members in groups.items()}
    used = dict.fromkeys(groups, 0)
    found = [np.zeros(0, dtype=np.int64)]
    for row in rows:
        if row.opportunities:
            group = (row.surface, row.segment)
            turns = used[group] + np.arange(row.opportunities)
            found.append(order[group][turns % len(order[group])])
            used[group] += row.opportunities
    return np.repeat(np.arange(len(rows)), [row.opportunities for row in rows]), np.concatenate(found)


def _ids(rows: tuple[ForecastRow, ...], row_of: np.ndarray) -> np.ndarray:
    """Return ``forecast WEEK SURFACE SEGMENT #j`` for each expected opportunity."""
    heads = [f"forecast {row.week} {row.surface} {row.segment} #" for row in rows]
    numbers = [j for row in rows for j in range(1, row.opportunities + 1)]
    return np.array([f"{heads[row]}{j}" for row, j in zip(row_of.tolist(), numbers, strict=True)], dtype=object)


def _called(templates: B, ids: np.ndarray, **changes: Any) -> B:
    """Return templates as expected opportunities: under ids of their own, each of another customer."""
    return msgspec.structs.replace(templates, opportunity_id=ids, customer_id=ids, **changes)


def _joined(first: T, second: T) -> T:
    """Return two batches of one kind as one: arrays over rows are put together, all else is the first's."""
    whole: dict[str, Any] = {}
    for name, held in msgspec.structs.asdict(first).items():
        other = getattr(second, name)
        if isinstance(held, np.ndarray):
            whole[name] = np.concatenate([held, other])
        elif isinstance(held, dict):
            whole[name] = {key: np.concatenate([values, other[key]]) for key, values in held.items()}
    return msgspec.structs.replace(first, **whole)


def _no_segment(segment: str, known: list[str]) -> Finding:
    message = f"is {segment!r}: expected a column of tables/opportunities.sql with values ({', '.join(known)})"
    return _finding("OP838", "limits.toml", "horizon.segment", message, "correct the name")


def _unlike(group: Group, groups: dict[Group, np.ndarray]) -> Finding:
    known = ", ".join(f"{surface} {segment}" for surface, segment in sorted(groups))
    message = f"has no opportunity up to the instant of the list that could stand for those expected; there are {known}"
    step = "correct surface and segment, or add such opportunities of the past to tables/opportunities.sql"
    return _finding("OP841", TABLE, _named(group), message, step)


def _unoffered(group: Group, surfaces: tuple[str, ...]) -> Finding:
    message = f"is on a surface that offers.toml does not name ({', '.join(surfaces)}): no offer could be planned there"
    return _finding("OP841", TABLE, _named(group), message, "add it to `surfaces`, or leave it out of the forecast")


def _named(group: Group) -> str:
    return f"surface '{group[0]}', segment '{group[1]}'"


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
