"""Schemas are made from the records that read the same files, and the files that we ship keep them."""

import json
import sys
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from opportune.tables import canonical_json

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "src/opportune/schemas"
PROJECTS = (ROOT / "examples/reengagement", ROOT / "src/opportune/workflow/template")
FILES = [path for project in PROJECTS for path in sorted(project.glob("*.toml")) + sorted(project.glob("tests/*.toml"))]
sys.path.insert(0, str(ROOT / "tools"))
from write_schemas import schemas  # noqa: E402


def test_the_schemas_are_those_of_the_records():
    """Regenerate with `python tools/write_schemas.py` after a record changed on purpose."""
    made = {name: canonical_json(content) for name, content in schemas().items()}
    assert {path.name: path.read_bytes() for path in SCHEMAS.glob("*.json")} == made


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_a_file_that_we_ship_keeps_its_schema_and_names_it(path):
    text = path.read_text(encoding="utf-8")
    name = "tests" if path.parent.name == "tests" else path.stem
    first = text.splitlines()[0]
    assert first.startswith("#:schema ")
    assert first.endswith(f"/{name}.schema.json")
    if "examples" in path.parts:
        assert (path.parent / first.removeprefix("#:schema ")).resolve() == SCHEMAS / f"{name}.schema.json"
    content = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    jsonschema.validate(content, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def test_a_misspelt_key_is_underlined():
    wrong = {"limit": [{"name": "a", "uses": "contacts", "at_mots": 3}]}
    with pytest.raises(jsonschema.ValidationError, match="at_mots"):
        jsonschema.validate(wrong, json.loads((SCHEMAS / "limits.schema.json").read_text()))
