"""Models as files: canonical JSON and XGBoost's own format. Nothing is executed when one is loaded."""

from pathlib import Path
from typing import Any

import msgspec

from opportune.models.calibration import Calibrator
from opportune.models.encoding import Encoding
from opportune.models.linear import LinearMember
from opportune.models.model import Model
from opportune.models.spec import ModelSpec
from opportune.tables import write_bytes, write_json


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON part of a stored model; boosters lie beside it, numbered."""

    role: str
    spec: ModelSpec
    encoding: Encoding
    linear: tuple[LinearMember, ...]
    boosters: int
    calibrator: Calibrator
    card: dict[str, Any]


def save(model: Model, directory: Path) -> None:
    """Write ``model.json`` and ``booster-NN.ubj`` into a folder. The same model gives the same bytes."""
    if model.boosters:
        from opportune.models._xgboost import to_bytes

        for number, booster in enumerate(model.boosters):
            write_bytes(directory / _name(number), to_bytes(booster))
    fields = {name: getattr(model, name) for name in ("role", "spec", "encoding", "linear", "calibrator", "card")}
    write_json(directory / "model.json", _Stored(boosters=len(model.boosters), **fields))


def load(directory: Path) -> Model:
    """Return the model of a folder written by ``save``."""
    stored = msgspec.json.decode((directory / "model.json").read_bytes(), type=_Stored)
    return Model(
        role=stored.role,
        spec=stored.spec,
        encoding=stored.encoding,
        linear=stored.linear,
        boosters=tuple(_read_boosters(directory, stored.boosters)),
        calibrator=stored.calibrator,
        card=stored.card,
    )


def _read_boosters(directory: Path, count: int) -> list[Any]:
    if not count:
        return []
    from opportune.models._xgboost import from_bytes

    return [from_bytes((directory / _name(number)).read_bytes()) for number in range(count)]


def _name(number: int) -> str:
    return f"booster-{number:02d}.ubj"
