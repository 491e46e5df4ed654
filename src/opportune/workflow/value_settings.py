"""The assumptions of `opportune value`: one TOML file, every problem a finding with its key."""

from pathlib import Path
from typing import Any

from opportune.domain import BadInput, Finding
from opportune.economics import Assumption, LifetimeAssumptions, Scenario, check_lifetime_assumptions
from opportune.economics.lifetime_assumptions import UNITS
from opportune.tables import convert, read_toml


def read_lifetime_assumptions(path: Path, scenario: str | None = None) -> LifetimeAssumptions:
    """Return the assumptions of a TOML file, in a scenario if one is named. BadInput with every finding."""
    from opportune.tables import located

    findings: list[Finding] = []
    raw = read_toml(path, findings)
    found = None if raw is None else _converted(raw, path.name, findings)
    if found is None or findings:
        raise BadInput(located(findings, path.parent))
    return found if scenario is None else found.under(scenario)


def _converted(raw: dict[str, Any], source: str, findings: list[Finding]) -> LifetimeAssumptions | None:
    figures: dict[str, Any] = {
        name: convert(raw.pop(name), Assumption, source, name, findings) for name in UNITS if name in raw
    }
    entries = raw.pop("scenario", [])
    scenarios = [convert(entry, Scenario, source, f"scenario[{i}]", findings) for i, entry in enumerate(entries)]
    if any(each is None for each in (*figures.values(), *scenarios)):
        return None
    plain = {name: {"value": each.value, "unit": each.unit, "source": each.source} for name, each in figures.items()}
    found = convert({**raw, **plain}, LifetimeAssumptions, source, "", findings)
    if found is None:
        return None
    import msgspec

    whole: LifetimeAssumptions = msgspec.structs.replace(found, **figures, scenario=tuple(scenarios))
    findings.extend(check_lifetime_assumptions(whole))
    return whole
