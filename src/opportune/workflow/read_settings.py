"""Reading a project folder: every TOML file to records, with every finding collected before anything runs."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from opportune.domain import BadInput, Finding, Limit, errors
from opportune.economics import FIGURES, Assumption, Assumptions, Economics, Scenario, check_assumptions
from opportune.features import Feature
from opportune.models import ModelSpec
from opportune.offers import (
    Band,
    Catalogue,
    Eligibility,
    PriceAxis,
    RulePack,
    check_catalogue,
    check_packs,
)
from opportune.tables import convert, listed, read_toml
from opportune.workflow.cross_checks import cross_checks
from opportune.workflow.evidence_spec import EvidenceSpec, PolicySpec, Versus, WhatIfSubset
from opportune.workflow.folder import Change, Folder
from opportune.workflow.read_instalment import read_instalment
from opportune.workflow.settings import (
    Exploration,
    Frontier,
    Horizon,
    Identity,
    Objective,
    Protected,
    Settings,
    TimeSplit,
)
from opportune.workflow.source_spec import Source

FILES = (
    "opportune.toml", "features.toml", "models.toml", "offers.toml", "economics.toml", "limits.toml", "evidence.toml",
)  # fmt: skip
"""The TOML files that every project has."""
LONGEST_OFFER = 3650
"""Days, ten years: an offer that binds for longer is a slip of the pen."""


def load_settings(directory: Path, changes: Sequence[Change] = (), scenario: str | None = None) -> Settings:
    """Read and check every TOML file of a project, with the changes and the scenario of a what-if on top.

    BadInput with all findings when any is an error.
    """
    if not (directory / "opportune.toml").is_file():
        raise BadInput([_no_project(directory)])
    folder = Folder(directory, tuple(changes))
    findings = [*folder.unknown(FILES), *folder.twice()]
    parts: dict[str, Any] = {}
    parts |= _opportune(folder, findings)
    parts["sources"] = _sources(folder, findings)
    parts["features"] = _table_of(folder, "features.toml", Feature, findings)
    parts["models"] = _models(folder, findings)
    parts |= _offers(folder, findings)
    parts["rules"] = _rules(folder, findings)
    currency = parts["identity"].currency if parts.get("identity") else ""
    assumptions, scenarios = _assumptions(folder, scenario, currency, findings)
    parts |= _limits(folder, findings)
    parts["assumptions"] = _beside(assumptions, scenarios, parts["limits"], findings)
    parts["evidence"] = _evidence(folder, findings)
    if errors(findings):
        raise BadInput(findings)
    settings = Settings(directory=directory, **parts)
    problems = errors(cross_checks(settings))
    if problems:
        raise BadInput(problems)
    return settings


def _opportune(folder: Folder, findings: list[Finding]) -> dict[str, Any]:
    source = "opportune.toml"
    raw = folder.read(source, findings)
    if raw is None:
        return {}
    time = convert(_dates_as_text(raw.pop("time", {})), TimeSplit, source, "time", findings)
    protected = convert(raw.pop("protected", {}), Protected, source, "protected", findings)
    identity = convert(raw, Identity, source, "", findings)
    return {
        "identity": identity,
        "time": time,
        "protected": (*protected.columns, *protected.proxies) if protected else (),
    }


def _dates_as_text(entry: Any) -> Any:
    """Return a table with TOML's own dates as ISO 8601, so that quotes are a matter of taste."""
    if not isinstance(entry, dict):
        return entry
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in entry.items()}


def _sources(folder: Folder, findings: list[Finding]) -> dict[str, Source]:
    """Return the sources of sources.toml; a project need not have one."""
    if not (folder.directory / "sources.toml").is_file():
        return {}
    found = _table_of(folder, "sources.toml", Source, findings)
    return {name: source for name, source in found.items() if source is not None}


def _table_of(folder: Folder, source: str, kind: type, findings: list[Finding]) -> dict[str, Any]:
    raw = folder.read(source, findings) or {}
    return {name: convert(entry, kind, source, name, findings) for name, entry in raw.items()}


def _models(folder: Folder, findings: list[Finding]) -> dict[str, Any]:
    """``[defaults]`` holds the fields that every role shares; a role's own fields win."""
    source = "models.toml"
    raw = dict(folder.read(source, findings) or {})
    defaults = raw.pop("defaults", {})
    return {
        role: convert({**defaults, **entry} if isinstance(entry, dict) else entry, ModelSpec, source, role, findings)
        for role, entry in raw.items()
    }


class CatalogueHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scalars at the top of offers.toml."""

    product: str
    surfaces: tuple[str, ...]
    expires_after_days: int
    claim: str

    def __post_init__(self) -> None:
        if not 1 <= self.expires_after_days <= LONGEST_OFFER:
            raise ValueError(f"expires_after_days is {self.expires_after_days}: expected 1 to {LONGEST_OFFER} days")


def _offers(folder: Folder, findings: list[Finding]) -> dict[str, Any]:
    source = "offers.toml"
    raw = folder.read(source, findings)
    if raw is None:
        return {}
    price = convert(raw.pop("price", {}), PriceAxis, source, "price", findings)
    bands = _list_of(raw.pop("band", []), Band, source, "band", findings)
    eligibility = _list_of(raw.pop("eligibility", []), Eligibility, source, "eligibility", findings)
    head = convert(raw, CatalogueHead, source, "", findings)
    if head is None or price is None:
        return {"catalogue": None, "eligibility": eligibility}
    catalogue = Catalogue(price=price, bands=bands, **msgspec.structs.asdict(head))
    findings.extend(check_catalogue(catalogue))
    return {"catalogue": catalogue, "eligibility": eligibility}


def _rules(folder: Folder, findings: list[Finding]) -> dict[str, RulePack]:
    """Return the rule packs by the file that holds them."""
    packs = {}
    for path in listed(folder.directory / "rules", ".toml"):
        source = f"rules/{path.name}"
        raw = read_toml(path, findings)
        if raw is None:
            continue
        conditions = _list_of(raw.pop("condition", []), Eligibility, source, "condition", findings)
        pack = convert(raw, RulePack, source, "", findings)
        if pack is not None:
            packs[source] = msgspec.structs.replace(pack, condition=conditions)
    findings.extend(check_packs(packs))
    return packs


def _list_of(entries: Any, kind: type, source: str, key: str, findings: list[Finding]) -> tuple[Any, ...]:
    if not isinstance(entries, list):
        message = f"is {entries!r}: expected a list of tables"
        findings.append(_finding("OP011", source, key, message, f"write [[{key}]] with its fields"))
        return ()
    found = [convert(entry, kind, source, _path(key, i, entry), findings) for i, entry in enumerate(entries)]
    return tuple(entry for entry in found if entry is not None)


def _path(key: str, index: int, entry: Any) -> str:
    """Return how messages name one entry of a list: by its name where it has one."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{key} '{name}'" if isinstance(name, str) else f"{key}[{index}]"


def _assumptions(
    folder: Folder, scenario: str | None, currency: str, findings: list[Finding]
) -> tuple[Economics | None, dict[str, Scenario]]:
    """Return the assumptions in the scenario that is asked for, and every scenario by name."""
    source = "economics.toml"
    raw = folder.read(source, findings)
    if raw is None:
        return None, {}
    scenarios = {each.name: each for each in _list_of(raw.pop("scenario", []), Scenario, source, "scenario", findings)}
    if scenario is not None and scenario not in scenarios:
        findings.append(_no_scenario(scenario, list(scenarios)))
    chosen = scenarios.get(scenario or "")
    if raw.get("kind") == "instalment":
        return read_instalment(raw, folder.directory, currency, chosen, findings), scenarios
    return _flat(raw, chosen, findings), scenarios


def _flat(raw: dict[str, Any], scenario: Scenario | None, findings: list[Finding]) -> Assumptions | None:
    """Return the assumptions of flat-rate loans, the kind of a file that names none."""
    source = "economics.toml"
    figures = {name: convert(entry, Assumption, source, name, findings) for name, entry in raw.items()}
    for name in (*(name for name in FIGURES if name not in raw), *(name for name in raw if name not in FIGURES)):
        findings.append(_assumption_finding(source, name))
    known: dict[str, Any] = {name: figure for name, figure in figures.items() if name in FIGURES and figure is not None}
    if len(known) < len(FIGURES):
        return None
    assumptions = Assumptions(**known)
    if scenario is not None:
        assumptions = msgspec.structs.replace(assumptions, scenario=scenario)
    findings.extend(check_assumptions(assumptions))
    return assumptions


def _beside(
    assumptions: Economics | None, known: dict[str, Scenario], limits: tuple[Limit, ...], findings: list[Finding]
) -> Economics | None:
    """Return the assumptions with the scenarios that limits name, in which their uses are wanted too."""
    named = {name: limit.name for limit in limits for name in limit.in_scenarios}
    for name in sorted(set(named) - set(known)):
        step = "write it as a [[scenario]] of economics.toml, or name another"
        message = f"names {name!r}: expected scenarios of economics.toml ({', '.join(known) or 'none'})"
        findings.append(_finding("OP824", "limits.toml", f"limit '{named[name]}'.in_scenarios", message, step))
    beside = tuple(known[name] for name in sorted(set(named) & set(known)))
    return assumptions if assumptions is None else msgspec.structs.replace(assumptions, beside=beside)


def _no_scenario(given: str, known: list[str]) -> Finding:
    near = get_close_matches(given, known, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known) or 'none'}."
    step = "write it as a [[scenario]] of economics.toml, or name another"
    return _finding("OP824", "--scenario", given, f"is not a scenario of economics.toml. {hint}", step)


def _assumption_finding(source: str, name: str) -> Finding:
    if name in FIGURES:
        return _finding("OP401", source, name, "is missing: the value of a loan needs it", f"write [{name}]")
    near = get_close_matches(name, FIGURES, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected {', '.join(FIGURES)}."
    return _finding("OP401", source, name, f"is not an assumption. {hint}", "correct or remove it")


def _limits(folder: Folder, findings: list[Finding]) -> dict[str, Any]:
    source = "limits.toml"
    raw = folder.read(source, findings) or {}
    limits = _list_of(raw.pop("limit", []), Limit, source, "limit", findings)
    objective = convert(raw.pop("objective", {"maximise": "value"}), Objective, source, "objective", findings)
    exploration = convert(raw.pop("exploration", {}), Exploration, source, "exploration", findings)
    frontier = raw.pop("frontier", None)
    if frontier is not None:
        frontier = convert(frontier, Frontier, source, "frontier", findings)
    horizon = raw.pop("horizon", None)
    if horizon is not None:
        horizon = convert(horizon, Horizon, source, "horizon", findings)
    for name in raw:
        step = "write objective, limit, exploration, frontier or horizon"
        findings.append(_finding("OP801", source, name, "is not a part of limits.toml", step))
    return {
        "objective": objective, "limits": limits, "frontier": frontier, "exploration": exploration, "horizon": horizon,
    }  # fmt: skip


def _evidence(folder: Folder, findings: list[Finding]) -> EvidenceSpec | None:
    source = "evidence.toml"
    raw = folder.read(source, findings)
    if raw is None:
        return None
    kinds = {"policy": PolicySpec, "compare": Versus, "subset": WhatIfSubset}
    lists = {key: _list_of(raw.pop(key, []), kind, source, key, findings) for key, kind in kinds.items()}
    spec: EvidenceSpec | None = convert(raw, EvidenceSpec, source, "", findings)
    return msgspec.structs.replace(spec, **lists) if spec is not None else None


def _no_project(directory: Path) -> Finding:
    message = "no opportune.toml here: expected a project folder"
    return _finding("OP800", str(directory), "", message, "name a project folder, or make one with `opportune new DIR`")


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
