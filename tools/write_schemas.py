"""Write the JSON Schemas that the package ships, from the records that read the same files.

    python tools/write_schemas.py

Project files: an editor completes and underlines them through the ``#:schema`` line at their top. Outputs: what
``--json`` prints. Run it after a record changed, and read the difference; a test compares.
"""

from pathlib import Path
from typing import Any

import msgspec

from opportune.cli.outputs import OUTPUTS
from opportune.domain import Limit
from opportune.economics import FIGURES, Assumption, Scenario
from opportune.features import Feature
from opportune.models import ModelSpec
from opportune.offers import Band, Eligibility, PriceAxis, RulePack
from opportune.tables import canonical_json, write_bytes
from opportune.workflow.evidence_spec import EvidenceSpec
from opportune.workflow.given_rows import GivenRows
from opportune.workflow.read_instalment import NAMES, InstalmentHead
from opportune.workflow.read_settings import CatalogueHead
from opportune.workflow.settings import Exploration, Frontier, Horizon, Identity, Objective, Protected, TimeSplit
from opportune.workflow.source_spec import Source

SCHEMAS = Path(__file__).parents[1] / "src/opportune/schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by its file name."""
    files = {f"{name}.schema.json": schema(kind) for name, kind in project_files().items()}
    files["models.schema.json"] = models_schema()
    files["economics.schema.json"] = economics_schema()
    outputs = {f"{name}-output.schema.json": schema(kind) for name, kind in OUTPUTS.items()}
    return {**files, **outputs}


def project_files() -> dict[str, Any]:
    """Return the type of each TOML file of a project."""
    return {
        "opportune": whole("Opportune", Identity, time=TimeSplit, protected=(Protected, None)),
        "features": dict[str, Feature],
        "sources": dict[str, Source],
        "offers": whole("Offers", CatalogueHead, price=PriceAxis, band=tuple[Band, ...],
                        eligibility=(tuple[Eligibility, ...], ())),
        "limits": whole("Limits", None, objective=(Objective, None), limit=(tuple[Limit, ...], ()),
                        exploration=(Exploration, None), frontier=(Frontier, None), horizon=(Horizon, None)),
        "evidence": EvidenceSpec,
        "rules": RulePack,
        "tests": GivenRows,
    }  # fmt: skip


def whole(name: str, head: type[msgspec.Struct] | None, **parts: Any) -> type[msgspec.Struct]:
    """Return the record of a file: the scalars of ``head`` at its top, then tables; a pair is (type, default)."""
    fields: list[Any] = [] if head is None else [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(head)
    ]  # fmt: skip
    fields += [_field(part, kind) for part, kind in parts.items()]
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _field(name: str, kind: Any) -> tuple[Any, ...]:
    if not isinstance(kind, tuple):
        return (name, kind)
    held, default = kind
    return (name, held | None if default is None else held, default)


def models_schema() -> dict[str, Any]:
    """Return the schema of models.toml: ``[defaults]`` gives any field, so that no role must give it."""
    made = schema(dict[str, ModelSpec])
    made["$defs"]["ModelSpec"]["required"] = []
    return made


def economics_schema() -> dict[str, Any]:
    """Return the schema of economics.toml: of flat-rate loans, or of instalment loans where it says so in ``kind``."""
    scenario = (tuple[Scenario, ...], ())
    flat = whole("FlatRate", None, **dict.fromkeys(FIGURES, Assumption), scenario=scenario)
    instalment = whole("Instalment", InstalmentHead, **dict.fromkeys(NAMES, Assumption), scenario=scenario)
    (first, second), parts = msgspec.json.schema_components([flat, instalment], ref_template="#/$defs/{name}")
    return {"$schema": DRAFT, "$defs": parts, "anyOf": [first, second]}


def schema(kind: Any) -> dict[str, Any]:
    """Return the schema of a type, with an editor's ``$schema`` key at its top."""
    return {"$schema": DRAFT, **msgspec.json.schema(kind)}


def main() -> None:
    """Write every schema file, and remove those that no record makes any more."""
    made = schemas()
    for path in SCHEMAS.glob("*.json"):
        if path.name not in made:
            path.unlink()
    for name, content in made.items():
        write_bytes(SCHEMAS / name, canonical_json(content))


if __name__ == "__main__":
    main()
