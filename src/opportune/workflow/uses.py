"""What depends on a name: features, models, rules, limits, policies and releases, directly or through each other."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import msgspec

from opportune.domain import BadInput, Finding
from opportune.economics import FIGURES, QUANTITIES, RESOURCE_QUANTITIES
from opportune.tables import listed
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that depends on a name: its kind and own name, the file that says so, and through what it depends."""

    kind: str
    name: str
    source: str
    through: str


Node = tuple[str, str]
"""A kind and a name: the model `amount` is not the column `amount`."""


class _Link(msgspec.Struct, frozen=True):
    """One declared thing, the file that declares it, and what it needs."""

    kind: str
    name: str
    source: str
    needs: frozenset[Node]


def uses_of(settings: Settings, out: Path, name: str) -> list[Use]:
    """Return everything that depends on ``name``, nearest first. BadInput (OP829) when nothing has that name."""
    links = [*_links(settings), *_releases(out)]
    known = {node for link in links for node in (*link.needs, (link.kind, link.name))}
    reached = sorted(node for node in known if node[1] == name)
    if not reached:
        raise BadInput([_unknown(name, {each for _, each in known})])
    found: dict[Node, Use] = {}
    for through in reached:  # grows while it is walked: breadth first
        for link in links:
            node = (link.kind, link.name)
            if through in link.needs and node not in found:
                found[node] = Use(kind=link.kind, name=link.name, source=link.source, through=through[1])
                # A table names the column; what else reads that table does not depend on it.
                if node not in reached and link.kind != "table":
                    reached.append(node)
    return list(found.values())


def _links(settings: Settings) -> Iterator[_Link]:
    for path in listed(settings.directory / "tables", ".sql"):
        words = _columns(path.read_text(encoding="utf-8"))
        yield _Link("table", path.stem, f"tables/{path.name}", words)
    for name, source in settings.sources.items():
        for column in source.columns:
            yield _Link("column", column.partition(".")[2], "sources.toml", _nodes("source", name))
    yield from _learned(settings)
    yield from _value()
    yield from _plan(settings)
    yield from _evidence(settings)


def _learned(settings: Settings) -> Iterator[_Link]:
    for name, feature in settings.features.items():
        needs = _nodes("column", feature.context, feature.column) | _nodes("table", feature.table)
        yield _Link("feature", name, "features.toml", needs | _columns(feature.where))
    for role, spec in settings.models.items():
        columns = _nodes("column", *spec.terms, spec.target, spec.given)
        yield _Link("model", role, "models.toml", _nodes("feature", *spec.features) | columns)
    for condition in settings.eligibility:
        yield _Link("eligibility", condition.name, "offers.toml", _nodes("feature", condition.fact))
    for file, pack in settings.rules.items():
        yield _Link("rule pack", pack.name, file, _nodes("feature", *(each.fact for each in pack.condition)))


def _value() -> Iterator[_Link]:
    needs = _nodes("model", *QUANTITIES) | _nodes("assumption", *FIGURES)
    yield _Link("value", "value", "economics.toml", needs)
    for resource, quantities in RESOURCE_QUANTITIES.items():
        yield _Link("resource", resource, "economics.toml", _nodes("model", *quantities))


def _plan(settings: Settings) -> Iterator[_Link]:
    for limit in settings.limits:
        yield _Link(
            "limit",
            limit.name,
            "limits.toml",
            _nodes("resource", limit.uses, limit.per) | _columns(f"{limit.where or ''} {limit.by or ''}"),
        )
    if settings.frontier is not None:
        limit_name = settings.frontier.limit
        yield _Link("frontier", f"of {limit_name}", "limits.toml", _nodes("limit", limit_name))
    needs = _nodes("value", "value") | _nodes("limit", *(limit.name for limit in settings.limits))
    yield _Link("plan", "plan", "limits.toml", needs)


def _evidence(settings: Settings) -> Iterator[_Link]:
    for policy in settings.evidence.policy:
        needs = _nodes("offer", policy.offer) | _nodes("feature", policy.rank_by)
        needs |= _nodes("limit", policy.without) | _nodes("plan", "plan" if policy.follows_plan else None)
        yield _Link("policy", policy.name, "evidence.toml", needs)
    for name, sql in settings.evidence.fairness.items():
        yield _Link("fairness", name, "evidence.toml", _columns(sql))
    for subset in settings.evidence.subset:
        yield _Link("subset", subset.name, "evidence.toml", _columns(subset.where))


def _releases(out: Path) -> Iterator[_Link]:
    """Yield the sealed releases: each depends on the features, models and limits inside it."""
    for manifest in sorted((out / "releases").glob("*/manifest.json")):
        folder = manifest.parent
        needs = _nodes("feature", *read_json(folder / "features.json"))
        needs |= _nodes("limit", *(each["limit"]["name"] for each in read_json(folder / "limits.json")))
        needs |= _nodes("model", *(path.name for path in (folder / "models").iterdir()))
        yield _Link("release", folder.name[:12], f"releases/{folder.name[:12]}", needs)


def _columns(sql: str | None) -> frozenset[Node]:
    """Return the words of a piece of SQL outside comments and quoted text, as columns."""
    bare = re.sub(r"--[^\n]*|'[^']*'", " ", sql or "")
    return _nodes("column", *re.findall(r"[A-Za-z_]\w*", bare))


def _nodes(kind: str, *names: str | None) -> frozenset[Node]:
    return frozenset((kind, name) for name in names if name is not None)


def _unknown(name: str, known: set[str]) -> Finding:
    near = get_close_matches(name, sorted(known), 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else "Expected a column, feature, model, resource, limit or assumption."
    message = f"is a name that nothing has or uses. {hint}"
    return Finding(code="OP829", source="opportune uses", subject=repr(name), message=message, next_step="correct it")
