"""Curves as a file: one JSON object that a person can read and a diff can show."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import Curves, check_curves
from opportune.tables import write_json


class CurvesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds: ``by`` names the columns whose values, joined with ``/``, are a segment."""

    by: tuple[str, ...]
    segments: tuple[str, ...]
    default: tuple[tuple[float, ...], ...]
    prepay: tuple[tuple[float, ...], ...]
    recovery: tuple[tuple[float, ...], ...]
    charge_off_lag: int


def write_curves(path: Path, curves: Curves, by: tuple[str, ...]) -> None:
    """Write curves and the columns that tell their segments."""
    arrays: dict[str, Any] = {name: getattr(curves, name).tolist() for name in ("default", "prepay", "recovery")}
    write_json(path, {"by": by, "segments": curves.segments, **arrays, "charge_off_lag": curves.charge_off_lag})


def read_curves(path: Path) -> tuple[Curves, tuple[str, ...]]:
    """Return the curves of a file and the columns that tell their segments. BadInput when they cannot be used."""
    try:
        held = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), CurvesFile)
    except FileNotFoundError as error:
        raise BadInput([_unread(path, "is missing: expected curves", "write them with `write_curves`")]) from error
    except (UnicodeDecodeError, json.JSONDecodeError, msgspec.ValidationError) as error:
        raise BadInput([_unread(path, f"holds no curves: {error}", "write them with `write_curves`")]) from error
    curves = Curves(
        segments=held.segments,
        default=_rows(held.default),
        prepay=_rows(held.prepay),
        recovery=_rows(held.recovery),
        charge_off_lag=held.charge_off_lag,
    )
    findings = check_curves(curves)
    if findings:
        raise BadInput([msgspec.structs.replace(finding, source=path.name) for finding in findings])
    return curves, held.by


def _rows(values: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """Return rows as a matrix; rows of unequal length as one that no check of shapes lets pass."""
    lengths = {len(row) for row in values}
    return np.array(values, dtype=np.float64) if len(lengths) == 1 else np.zeros(0)


def _unread(path: Path, message: str, step: str) -> Finding:
    return Finding(code="OP457", source=path.name, subject="", message=message, next_step=step)
