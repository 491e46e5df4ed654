"""``summary.json``: the few figures that scripts read, in the shape that never changes.

The plan has one key more, ``ahead``, where it looks ahead: its figures are then of list and forecast together.
"""

from pathlib import Path
from typing import Any

from opportune.tables import write_json
from opportune.workflow.steps import read_json

PLAN_KEYS = ("status", "value", "bound", "gap")
ROW_KEYS = ("name", "used", "limit", "price", "slack")
EVIDENCE_KEYS = ("policy", "against", "measure", "value", "low", "high", "n", "effective_n", "method")


def write_summary(out: Path, release: str | None) -> dict[str, Any]:
    """Write ``summary.json`` from the artefacts of ``out`` and return it. ``release`` is None when it was refused."""
    certificate = read_json(out / "plan" / "certificate.json")
    evidence = read_json(out / "evidence" / "evidence.json")
    summary = {
        "plan": {
            **{key: certificate[key] for key in PLAN_KEYS},
            **({"ahead": certificate["ahead"]} if certificate["ahead"] else {}),
            "rows": [{key: row[key] for key in ROW_KEYS} for row in certificate["rows"]],
        },
        "evidence": [{key: row[key] for key in EVIDENCE_KEYS} for row in evidence["estimates"]],
        "release": release,
    }
    write_json(out / "summary.json", summary)
    return summary
