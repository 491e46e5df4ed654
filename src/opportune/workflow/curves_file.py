"""Curves as a file: one JSON object that a person can read and a diff can show."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import Curves, check_curves
from opportune.economics.curves import check_drawn
from opportune.tables import write_json

Rows = tuple[tuple[float | None, ...], ...]
"""A cell that is null is no share: it costs its segment, as one outside 0 to 1 does."""


class DrawnCurves(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One draw of the curves from what is known of them."""

    default: Rows
    prepay: Rows
    recovery: Rows


class CurvesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds: ``by`` names the columns whose values, joined with ``/``, are a segment. ``draws``: the same
    curves again, drawn from their posterior, so that a value has an interval.
    """

    by: tuple[str, ...]
    segments: tuple[str, ...]
    default: Rows
    prepay: Rows
    recovery: Rows
    charge_off_lag: int
    draws: tuple[DrawnCurves, ...] = ()


class CurvesRead(msgspec.Struct, frozen=True, kw_only=True):
    """Usable curves with their draws and the columns ``by``; ``findings`` tell which segments were left out and why."""

    curves: Curves
    by: tuple[str, ...]
    draws: tuple[Curves, ...]
    findings: tuple[Finding, ...]


def write_curves(path: Path, curves: Curves, by: tuple[str, ...], draws: Iterable[Curves] = ()) -> None:
    """Write curves, the columns that tell their segments, and draws of them if there are any."""
    drawn = [_arrays(each) for each in draws]
    content = {"by": by, "segments": curves.segments, **_arrays(curves), "charge_off_lag": curves.charge_off_lag}
    write_json(path, {**content, "draws": drawn} if drawn else content)


def _arrays(curves: Curves) -> dict[str, Any]:
    return {name: getattr(curves, name).tolist() for name in ("default", "prepay", "recovery")}


def read_curves(path: Path) -> CurvesRead:
    """Return the curves of a file. A segment whose curves cannot be is left out and told; BadInput if none is left, or
    a draw has other segments or months than the curves (OP432).
    """
    try:
        held = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), CurvesFile)
    except FileNotFoundError as error:
        raise BadInput([_unread(path, "is missing: expected curves", "write them with `write_curves`")]) from error
    except (UnicodeDecodeError, json.JSONDecodeError, msgspec.ValidationError) as error:
        raise BadInput([_unread(path, f"holds no curves: {error}", "write them with `write_curves`")]) from error
    curves, draws = _curves(held, held), [_curves(held, each) for each in held.draws]
    shapes = [each for each in check_curves(curves) if each.code == "OP432"] or check_drawn(draws, curves)
    if shapes:
        raise BadInput(_named(path, shapes))
    findings = _named(path, [each for some in (curves, *draws) for each in check_curves(some)])
    wrong = _wrong_segments((curves, *draws))
    if wrong.all():
        raise BadInput(findings)
    good = np.flatnonzero(~wrong)
    return CurvesRead(
        curves=curves.of(good), by=held.by, draws=tuple(each.of(good) for each in draws), findings=tuple(findings)
    )


def _curves(held: CurvesFile, each: CurvesFile | DrawnCurves) -> Curves:
    return Curves(
        segments=held.segments, default=_rows(each.default), prepay=_rows(each.prepay), recovery=_rows(each.recovery),
        charge_off_lag=held.charge_off_lag,
    )  # fmt: skip


def _named(path: Path, findings: list[Finding]) -> list[Finding]:
    return [msgspec.structs.replace(finding, source=path.name) for finding in findings]


def _wrong_segments(held: Sequence[Curves]) -> np.ndarray:
    """Return which segments (S,) have curves that cannot be, in any of the draws."""
    count = len(held[0].segments)
    return np.array([any(check_curves(each.of(np.array([i]))) for each in held) for i in range(count)], dtype=bool)


def _rows(values: Rows) -> np.ndarray:
    """Return rows as a matrix; rows of unequal length as one that no check of shapes lets pass."""
    lengths = {len(row) for row in values}
    return np.array(values, dtype=np.float64) if len(lengths) == 1 else np.zeros(0)


def _unread(path: Path, message: str, step: str) -> Finding:
    return Finding(code="OP457", source=path.name, subject="", message=message, next_step=step)
