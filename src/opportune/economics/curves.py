"""Curves: when loans of a segment default or prepay, and what is recovered afterwards."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding

SOURCE = "curves"
ROUNDING = 1e-9
"""What sums of probabilities may miss one by."""
SHOWN = 20
"""Findings of one kind that are told; more would say nothing new."""


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """Hazards and recoveries of S segments over T months of age and R months after charge-off.

    ``default`` (S, T): P(in month t the first payment is missed that is never caught up | open at its start); the
    balance at default is that at the start of the month. ``prepay`` (S, T): P(paid in full before the last payment, in
    month t | open at its start). They compete: default + prepay <= 1. ``recovery`` (S, R): share of the balance at
    default that comes in r = 0, 1, ... months after charge-off, net of the cost of collection. ``charge_off_lag``:
    months from the first missed payment to charge-off. Loss given default is 1 - recovery.sum(axis=1), undiscounted.
    """

    segments: tuple[str, ...]
    default: np.ndarray
    prepay: np.ndarray
    recovery: np.ndarray
    charge_off_lag: int

    @property
    def lgd(self) -> np.ndarray:
        """Share of the balance at default that is never recovered, undiscounted (S,)."""
        return np.asarray(1.0 - self.recovery.sum(axis=1))

    def of(self, codes: np.ndarray) -> "Curves":
        """Return the curves of each row, given its segment code (n,): the same noun with n segments, some repeated."""
        return Curves(
            segments=tuple(np.array(self.segments, dtype=object)[codes]),
            default=self.default[codes],
            prepay=self.prepay[codes],
            recovery=self.recovery[codes],
            charge_off_lag=self.charge_off_lag,
        )

    def codes(self, names: np.ndarray) -> np.ndarray:
        """Return the segment code (n,) of each segment name (n,). BadInput (OP433) for names without curves."""
        known, given = np.unique(np.asarray(names, dtype=str), return_inverse=True)
        place = {name: code for code, name in enumerate(self.segments)}
        unknown = [_unknown(str(name), self.segments) for name in known if name not in place]
        if unknown:
            raise BadInput(unknown)
        return np.array([place[name] for name in known], dtype=np.intp)[given]


def _unknown(name: str, segments: tuple[str, ...]) -> Finding:
    return Finding(
        code="OP433", source=SOURCE, subject=name,
        message=f"is no segment of the curves: expected one of {', '.join(segments)}",
        next_step="fit the curves on a book that has it, or map it to a segment that is like it",
    )  # fmt: skip


def check_curves(curves: Curves) -> list[Finding]:
    """Return findings about shapes (OP432), hazards and recoveries (OP430) and sums of hazards (OP431).

    Findings about shapes come alone: nothing else can be told then. Each other one names segment and month.
    """
    shapes = list(_shape_findings(curves))
    if shapes:
        return shapes
    findings = [*_outside("default", curves.default, curves), *_outside("prepay", curves.prepay, curves)]
    findings += _above_one("default + prepay", "OP431", curves.default + curves.prepay, curves.segments)
    findings += _outside("recovery", curves.recovery, curves)
    total = curves.recovery.sum(axis=1, keepdims=True)
    return findings + _above_one("recovery, summed", "OP430", total, curves.segments)


def check_drawn(drawn: Sequence[Curves], curves: Curves) -> list[Finding]:
    """Return findings (OP432) about draws whose shapes do not fit, or which have other segments or months than the
    ``curves`` that they are drawn around. Subjects name the draw, counted from 1.
    """
    told = [
        msgspec.structs.replace(finding, subject=f"{finding.subject} of draw {number}")
        for number, each in enumerate(drawn, 1)
        for finding in (*_shape_findings(each), *unlike_segments(each, curves), *_unlike_months(each, curves))
    ]
    return told[:SHOWN]


def unlike_segments(given: Curves, curves: Curves) -> Iterator[Finding]:
    """Yield a finding (OP432) unless ``given`` has the segments of ``curves`` in their order: loans tell places."""
    if given.segments != curves.segments:
        names = (", ".join(each.segments) for each in (given, curves))
        yield _shape("segments", "are {}: expected those of the curves in their order, {}".format(*names))


def _unlike_months(given: Curves, curves: Curves) -> Iterator[Finding]:
    if given.default.shape[-1:] != curves.default.shape[-1:]:
        months, expected = given.default.shape[-1:], curves.default.shape[-1]
        yield _shape("default", f"has {months[0] if months else 0} months: expected {expected}, those of the curves")


def _shape_findings(curves: Curves) -> Iterator[Finding]:
    rows, months = len(curves.segments), curves.default.shape[-1] if curves.default.ndim == 2 else "T"
    wanted = {"default": (rows, months), "prepay": (rows, months), "recovery": (rows, "R")}
    for name, shape in wanted.items():
        given = getattr(curves, name).shape
        fits = len(given) == 2 and all(isinstance(w, str) or g == w for g, w in zip(given, shape, strict=True))
        if not fits:
            yield _shape(name, f"has shape {given}: expected ({shape[0]}, {shape[1]}), a row per segment")
    if curves.charge_off_lag < 0:
        yield _shape("charge_off_lag", f"is {curves.charge_off_lag}: expected months, zero or more")
    if len(set(curves.segments)) < rows:
        yield _shape("segments", "hold a name twice: expected one row per segment")


def _shape(subject: str, message: str) -> Finding:
    return Finding(code="OP432", source=SOURCE, subject=subject, message=message, next_step="correct it")


def _outside(name: str, values: np.ndarray, curves: Curves) -> list[Finding]:
    """Return findings about values that are no shares: outside 0 to 1, or not a number."""
    wrong = ~((values >= 0.0) & (values <= 1.0 + ROUNDING))
    first = 0 if name == "recovery" else 1
    return [
        Finding(
            code="OP430", source=SOURCE, subject=f"{name} of {curves.segments[row]}, month {month + first}",
            message=f"is {values[row, month]:g}: expected a share from 0 to 1",
            next_step="write per cent as a fraction, and look for empty cells",
        )
        for row, month in np.argwhere(wrong)[:SHOWN]
    ]  # fmt: skip


def _above_one(name: str, code: str, sums: np.ndarray, segments: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(
            code=code, source=SOURCE, subject=f"{name} of {segments[row]}, month {month + 1}",
            message=f"is {sums[row, month]:g}: expected at most 1",
            next_step="a loan can end only once, and no more can be recovered than was owed: correct the larger share",
        )
        for row, month in np.argwhere(sums > 1.0 + ROUNDING)[:SHOWN]
    ]  # fmt: skip
