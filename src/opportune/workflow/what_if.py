"""A what-if: the same project with a few settings changed, planned in a folder of its own beside the real plan."""

import re
from pathlib import Path

from opportune.tables import link_tree, sha256_bytes
from opportune.workflow.pipeline import STEPS
from opportune.workflow.steps import STATE

FOLDER = "what-ifs"
LONGEST = 100


def what_if_folder(out: Path, labels: tuple[str, ...]) -> Path:
    """Return the out folder of a what-if below ``out``, with all that was made so far, so that steps can be reused.

    What a what-if made before is replaced: it starts from the real artefacts every time.
    """
    target = out / FOLDER / _name("+".join(labels))
    for leaf in [STATE, *(leaf for step in STEPS for leaf in step.leaves)]:
        if (out / leaf).exists():
            link_tree(out / leaf, target / leaf)
    return target


def _name(label: str) -> str:
    """Return a folder's name for a label: what no file system minds, and a hash where it would be too long."""
    name = re.sub(r"[^A-Za-z0-9._=+-]+", "-", label)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 13]}-{sha256_bytes(label.encode())[:12]}"
