"""A model card: what was learned, from how much, and how well it did on rows that it had not seen."""

from typing import Any

import msgspec

from opportune.models.model import Model


def model_card(model: Model) -> dict[str, Any]:
    """Return the card as plain data."""
    spec = model.spec
    return {
        "kind": spec.kind,
        "target": spec.target,
        "given": spec.given,
        "learners": list(spec.learners),
        "features": list(spec.features),
        "terms": list(spec.terms),
        "monotone": dict(spec.monotone),
        "members": len(model.linear) + len(model.boosters),
        "calibration": {
            name: value for name, value in msgspec.to_builtins(model.calibrator).items() if name not in ("x", "y")
        },
        **model.card,
    }
