"""Release: gates first, then everything a decision needs is sealed by content hash."""

from pathlib import Path

from opportune.decisioning import seal
from opportune.domain import BrokenPromise, Finding
from opportune.tables import write_bytes, write_json
from opportune.workflow.places import read_places
from opportune.workflow.plan import read_rulebook
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json

PLAN_FILES = ("plan.parquet", "certificate.json")
LIMIT_STEP = "mend limits.toml and run `opportune plan` again"
GAP_STEP = (
    "on a short list no whole choices may come closer: if this is good enough for you, write `gap` above it under "
    "[objective] of limits.toml and run `opportune plan` again"
)


def gates(out: Path) -> list[Finding]:
    """Return what forbids a release: a hard limit that the integer plan breaks, or a gap larger than asked."""
    certificate = read_json(out / "plan" / "certificate.json")
    broken = [
        _gate("OP810", row["name"], f"uses {row['used']:g}: expected within {row['limit']:g}", LIMIT_STEP)
        for row in certificate["rows"]
        if row["slack"] < 0 and not row["soft"] and certificate["status"] == "infeasible"
    ]
    if certificate["gap"] > certificate["gap_asked"]:
        asked = f"the proven gap is {certificate['gap']:.2g}: expected at most {certificate['gap_asked']:.2g}"
        broken.append(_gate("OP811", "certificate", asked, GAP_STEP))
    return broken


def release(settings: Settings, out: Path) -> str:
    """Seal ``releases/<hash>/`` and return the hash. BrokenPromise when a gate fails."""
    failed = gates(out)
    if failed:
        raise BrokenPromise(failed)
    manifest = seal(
        out / "releases",
        read_rulebook(settings, out),
        read_places(out),
        settings.features,
        read_json(out / "plan" / "certificate.json")["prices"],
        project=settings.identity.name,
        as_of=str(settings.plan_at),
    )
    keep_plan(out, manifest.hash)
    write_json(out / "releases" / "latest.json", {"hash": manifest.hash})
    return manifest.hash


def keep_plan(out: Path, release: str) -> None:
    """Keep the plan that a release was sealed with, so that the next plan can say what it changes."""
    for name in PLAN_FILES:
        write_bytes(out / "releases" / "plans" / release / name, (out / "plan" / name).read_bytes())


def _gate(code: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source="plan/certificate.json", subject=subject, message=message, next_step=step)
