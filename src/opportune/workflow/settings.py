"""A project folder, read and cross-checked: every finding is collected before anything runs."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec

from opportune.domain import AsOf, BadInput, Finding, Limit, errors
from opportune.economics import QUANTITIES, RESOURCES, Assumption, Assumptions, check_assumptions
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
    conditions_at,
)
from opportune.tables import convert, read_toml
from opportune.workflow.evidence_spec import EvidenceSpec, PolicySpec, Versus, WhatIfSubset


class TimeSplit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which decisions teach, which list is planned, and up to when outcomes may teach. ISO 8601, UTC."""

    train_from: str
    train_until: str
    plan_at: str
    labels_as_of: str
    retrospective: str | None = None

    def __post_init__(self) -> None:
        for name in ("train_from", "train_until", "plan_at", "labels_as_of"):
            try:
                AsOf.parse(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected a date such as 2003-10-01") from error


class Protected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns that may enter fairness tables only."""

    columns: tuple[str, ...] = ()


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scalars at the top of opportune.toml."""

    name: str
    question: str
    currency: str
    engine: Literal["duckdb"]
    seed: int
    cluster: str
    """Column of opportunities whose rows share their luck: folds and intervals keep them together."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"currency is {self.currency!r}: expected three capital letters of ISO 4217, such as ZAR")


class Frontier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limit to vary and the bounds to try."""

    limit: str
    bounds: tuple[float, ...]


class Objective(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the plan maximises."""

    maximise: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a project folder declares, converted and checked."""

    directory: Path
    identity: Identity
    time: TimeSplit
    protected: tuple[str, ...]
    features: dict[str, Feature]
    models: dict[str, ModelSpec]
    catalogue: Catalogue
    eligibility: tuple[Eligibility, ...]
    rules: dict[str, RulePack]
    assumptions: Assumptions
    limits: tuple[Limit, ...]
    frontier: Frontier | None
    evidence: EvidenceSpec

    @property
    def plan_at(self) -> AsOf:
        """The instant of the list to plan."""
        return AsOf.parse(self.time.plan_at)

    @property
    def conditions(self) -> tuple[Eligibility, ...]:
        """What makes a customer eligible for the list: the project's own conditions and the rule packs in force."""
        return (*self.eligibility, *conditions_at(tuple(self.rules.values()), self.plan_at))

    @property
    def evidence_sql(self) -> dict[str, str]:
        """The SQL inside evidence.toml, by key."""
        subsets = {f"subset '{each.name}'.where": each.where for each in self.evidence.subset}
        return {**{f"fairness.{name}": sql for name, sql in self.evidence.fairness.items()}, **subsets}


def load_settings(directory: Path) -> Settings:
    """Read and check every TOML file of a project. BadInput with all findings when any is an error."""
    findings: list[Finding] = []
    if not (directory / "opportune.toml").is_file():
        raise BadInput([_no_project(directory)])
    parts: dict[str, Any] = {}
    parts |= _opportune(directory, findings)
    parts["features"] = _table_of(directory, "features.toml", Feature, findings)
    parts["models"] = _models(directory, findings)
    parts |= _offers(directory, findings)
    parts["rules"] = _rules(directory, findings)
    parts["assumptions"] = _assumptions(directory, findings)
    parts |= _limits(directory, findings)
    parts["evidence"] = _evidence(directory, findings)
    if errors(findings):
        raise BadInput(findings)
    settings = Settings(directory=directory, **parts)
    problems = errors(_cross_checks(settings))
    if problems:
        raise BadInput(problems)
    return settings


def _opportune(directory: Path, findings: list[Finding]) -> dict[str, Any]:
    source = "opportune.toml"
    raw = read_toml(directory / source, findings)
    if raw is None:
        return {}
    time = convert(_dates_as_text(raw.pop("time", {})), TimeSplit, source, "time", findings)
    protected = convert(raw.pop("protected", {}), Protected, source, "protected", findings)
    identity = convert(raw, Identity, source, "", findings)
    return {"identity": identity, "time": time, "protected": protected.columns if protected else ()}


def _dates_as_text(entry: Any) -> Any:
    """Return a table with TOML's own dates as ISO 8601, so that quotes are a matter of taste."""
    if not isinstance(entry, dict):
        return entry
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in entry.items()}


def _table_of(directory: Path, source: str, kind: type, findings: list[Finding]) -> dict[str, Any]:
    raw = read_toml(directory / source, findings) or {}
    return {name: convert(entry, kind, source, name, findings) for name, entry in raw.items()}


def _models(directory: Path, findings: list[Finding]) -> dict[str, Any]:
    """``[defaults]`` holds the fields that every role shares; a role's own fields win."""
    source = "models.toml"
    raw = dict(read_toml(directory / source, findings) or {})
    defaults = raw.pop("defaults", {})
    return {
        role: convert({**defaults, **entry} if isinstance(entry, dict) else entry, ModelSpec, source, role, findings)
        for role, entry in raw.items()
    }


class _CatalogueHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scalars at the top of offers.toml."""

    product: str
    surfaces: tuple[str, ...]
    expires_after_days: int
    claim: str


def _offers(directory: Path, findings: list[Finding]) -> dict[str, Any]:
    source = "offers.toml"
    raw = read_toml(directory / source, findings)
    if raw is None:
        return {}
    price = convert(raw.pop("price", {}), PriceAxis, source, "price", findings)
    bands = _list_of(raw.pop("band", []), Band, source, "band", findings)
    eligibility = _list_of(raw.pop("eligibility", []), Eligibility, source, "eligibility", findings)
    head = convert(raw, _CatalogueHead, source, "", findings)
    if head is None or price is None:
        return {"catalogue": None, "eligibility": eligibility}
    catalogue = Catalogue(price=price, bands=bands, **msgspec.structs.asdict(head))
    findings.extend(check_catalogue(catalogue))
    return {"catalogue": catalogue, "eligibility": eligibility}


def _rules(directory: Path, findings: list[Finding]) -> dict[str, RulePack]:
    """Return the rule packs by the file that holds them."""
    packs = {}
    for path in sorted((directory / "rules").glob("*.toml")):
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


def _assumptions(directory: Path, findings: list[Finding]) -> Assumptions | None:
    source = "economics.toml"
    raw = read_toml(directory / source, findings)
    if raw is None:
        return None
    converted = {name: convert(entry, Assumption, source, name, findings) for name, entry in raw.items()}
    fields = Assumptions.__struct_fields__
    for name in (*(name for name in fields if name not in raw), *(name for name in raw if name not in fields)):
        findings.append(_assumption_finding(source, name, name in fields))
    known = {name: entry for name, entry in converted.items() if entry is not None}
    if set(known) != set(Assumptions.__struct_fields__):
        return None
    assumptions = Assumptions(**known)
    findings.extend(check_assumptions(assumptions))
    return assumptions


def _assumption_finding(source: str, name: str, expected: bool) -> Finding:
    fields = Assumptions.__struct_fields__
    if expected:
        return _finding("OP401", source, name, "is missing: the value of a loan needs it", f"write [{name}]")
    near = get_close_matches(name, fields, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected {', '.join(fields)}."
    return _finding("OP401", source, name, f"is not an assumption. {hint}", "correct or remove it")


def _limits(directory: Path, findings: list[Finding]) -> dict[str, Any]:
    source = "limits.toml"
    raw = dict(read_toml(directory / source, findings) or {})
    limits = _list_of(raw.pop("limit", []), Limit, source, "limit", findings)
    convert(raw.pop("objective", {"maximise": "value"}), Objective, source, "objective", findings)
    frontier = raw.pop("frontier", None)
    if frontier is not None:
        frontier = convert(frontier, Frontier, source, "frontier", findings)
    for name in raw:
        step = "write objective, limit or frontier"
        findings.append(_finding("OP801", source, name, "is not a part of limits.toml", step))
    return {"limits": limits, "frontier": frontier}


def _evidence(directory: Path, findings: list[Finding]) -> EvidenceSpec | None:
    source = "evidence.toml"
    raw = read_toml(directory / source, findings)
    if raw is None:
        return None
    kinds = {"policy": PolicySpec, "compare": Versus, "subset": WhatIfSubset}
    lists = {key: _list_of(raw.pop(key, []), kind, source, key, findings) for key, kind in kinds.items()}
    spec: EvidenceSpec | None = convert(raw, EvidenceSpec, source, "", findings)
    return msgspec.structs.replace(spec, **lists) if spec is not None else None


def _cross_checks(settings: Settings) -> list[Finding]:
    """Return what is wrong between files, and with time."""
    from opportune.allocation import check_limits

    findings = [*check_limits(settings.limits, RESOURCES), *_time_findings(settings.time)]
    findings += [*_unknown_names(settings), *_missing_roles(settings), *_policy_findings(settings.evidence)]
    return findings


def _time_findings(time: TimeSplit) -> list[Finding]:
    findings = []
    start, until, plan_at, labels = (
        AsOf.parse(text) for text in (time.train_from, time.train_until, time.plan_at, time.labels_as_of)
    )
    if not start < until <= plan_at:
        message = f"train_from {start}, train_until {until}, plan_at {plan_at}: expected them in this order"
        findings.append(_finding("OP802", "opportune.toml", "time", message, "training must end before the list"))
    if labels > plan_at and not time.retrospective:
        message = f"is {labels}, later than plan_at {plan_at}: the models would learn from the future"
        step = "set labels_as_of to plan_at or earlier, or say in `retrospective` why this plan looks back"
        findings.append(_finding("OP803", "opportune.toml", "time.labels_as_of", message, step))
    return findings


def _unknown_names(settings: Settings) -> list[Finding]:
    evidence, limits = settings.evidence, [limit.name for limit in settings.limits]
    policies, offers = [policy.name for policy in evidence.policy], settings.catalogue.offer_ids
    given: list[tuple[str, str, str | None, Sequence[str]]] = []
    if settings.frontier:
        given.append(("limits.toml", "frontier.limit", settings.frontier.limit, limits))
    for i, versus in enumerate(evidence.compare):
        given.append(("evidence.toml", f"compare[{i}].policy", versus.policy, policies))
        given.append(("evidence.toml", f"compare[{i}].against", versus.against, policies))
    for policy in evidence.policy:
        given.append(("evidence.toml", f"policy '{policy.name}'.offer", policy.offer, offers))
        given.append(("evidence.toml", f"policy '{policy.name}'.rank_by", policy.rank_by, list(settings.features)))
    return [
        _finding("OP804", source, key, f"is {name!r}: expected one of {', '.join(known)}", "correct the name")
        for source, key, name, known in given
        if name is not None and name not in known
    ]


def _policy_findings(evidence: EvidenceSpec) -> list[Finding]:
    """Return what the report could not tell: names twice, no plan, a headline that is no declared difference."""
    source, findings = "evidence.toml", []
    names = [policy.name for policy in evidence.policy]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.append(_finding("OP809", source, f"policy '{name}'", "is declared more than once", "rename one"))
    plans = [policy.name for policy in evidence.policy if policy.kind == "plan"]
    if len(plans) != 1:
        message = f"has {len(plans)} policies of kind plan: expected one"
        findings.append(_finding("OP812", source, "policy", message, 'write one [[policy]] with kind = "plan"'))
    pairs = [(versus.policy, versus.against) for versus in evidence.compare]
    if tuple(evidence.headline) not in pairs:
        message = f"is {list(evidence.headline)}: expected a declared difference, policy and against"
        findings.append(_finding("OP813", source, "headline", message, "write it as a [[compare]] too"))
    return findings


def _missing_roles(settings: Settings) -> list[Finding]:
    """Return a finding for each quantity that the value of a loan needs and no model predicts."""
    expected = ", ".join(QUANTITIES)
    return [
        _finding("OP306", "models.toml", role, f"is missing: the value of a loan needs {expected}", f"write [{role}]")
        for role in QUANTITIES
        if role not in settings.models
    ]


def _no_project(directory: Path) -> Finding:
    message = "no opportune.toml here: expected a project folder"
    return _finding("OP800", str(directory), "", message, "name a project folder, or make one with `opportune new DIR`")


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)


def settings_part(settings: Settings, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the named parts as plain data, for the content key of a step: comments and layout do not count."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in names}
