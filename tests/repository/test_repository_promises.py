"""Promises about the repository itself: light imports, no machine's address, licences, error pages."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from opportune.cli.explain import explanations

ROOT = Path(__file__).parents[2]
HEAVY = (
    "duckdb", "pyarrow", "xgboost", "sklearn", "pandas", "glum", "scipy", "highspy", "altair", "vl_convert", "sqlglot",
    "torch", "polars", "numba",
)  # fmt: skip
FORBIDDEN_LICENCES = re.compile(r"\b(A?GPL|BSL|Business Source|SSPL)\b|GNU (Affero )?General Public", re.IGNORECASE)


def loaded_by(code):
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import opportune",
        "import opportune.cli.app",
        "import opportune.domain, opportune.tables",
        "import opportune.decisioning",
        "import opportune.evaluation",
        "import opportune.project",
        "import opportune.domain, opportune.numerics, opportune.offers, opportune.economics",
        "import contextlib, io, opportune.cli.app as a\nwith contextlib.redirect_stdout(io.StringIO()): a.status_of(['--help'])",
    ],
)
def test_importing_loads_no_heavy_library(code):
    assert not loaded_by(code) & set(HEAVY)


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_no_committed_file_names_a_machine_or_a_package_index():
    parts = [
        r"/ro" + r"ot/",
        r"/wo" + r"rk/",
        r"index" + r"-url",
        r"find" + r"-links +[/hf]",
        r"pythonhosted\.o" + r"rg",
    ]
    pattern = re.compile("|".join(parts))
    texts = [
        path for path in tracked() if path.suffix in {".py", ".md", ".toml", ".txt", ".in", ".sql", ".yml", ".j2", ""}
    ]
    assert texts
    found = [str(path.relative_to(ROOT)) for path in texts if pattern.search(path.read_text(errors="replace"))]
    assert [name for name in found if name != "Makefile"] == []


def closure(name, seen):
    if name.lower() in seen:
        return
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    seen[name.lower()] = distribution
    for text in distribution.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            closure(requirement.name, seen)


def test_no_run_time_dependency_has_a_forbidden_licence():
    seen = {}
    closure("opportune", seen)
    assert len(seen) > 15
    for name, distribution in seen.items():
        info = distribution.metadata
        classifiers = " ".join(c for c in info.get_all("Classifier") or [] if c.startswith("License"))
        licence = f"{info.get('License-Expression') or ''} {(info.get('License') or '')[:200]} {classifiers}"
        assert not FORBIDDEN_LICENCES.search(licence), f"{name}: {licence}"


def test_every_error_code_is_explained():
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    raised = set(re.findall(r"\bOP\d{3}\b", source)) - {"OP999"}
    assert set(explanations()) == raised


@pytest.mark.parametrize("code", explanations())
def test_an_explanation_has_a_title_and_a_paragraph(code):
    title, text = explanations()[code]
    assert title == title.strip()
    assert 10 <= len(text.split()) <= 160


def test_every_dependency_has_its_line_in_the_docs():
    page = (ROOT / "docs/explanation/dependencies.md").read_text()
    declared = [Requirement(text).name for text in metadata.requires("opportune") or [] if "extra" not in text]
    assert declared
    assert [name for name in declared if f"| {name} |" not in page and name != "xgboost"] == []


def test_every_room_is_named_in_the_layers_file():
    rooms = {path.name for path in (ROOT / "src/opportune").iterdir() if (path / "__init__.py").exists()}
    layers = (ROOT / ".importlinter").read_text()
    assert [room for room in rooms if not re.search(rf"\b{room}\b", layers)] == []


def test_no_pickle_in_the_package():
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert not re.search(r"^\s*(import|from) (pickle|joblib|cloudpickle)", source, re.MULTILINE)
