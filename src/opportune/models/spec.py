"""What models.toml declares: a role, its target, its learners, and the signs that must hold."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

import msgspec

from opportune.domain import Finding

Kind = Literal["binary", "amount"]
Calibration = Literal["logistic", "isotonic", "ratio", "none"]

LEARNERS: dict[Kind, tuple[str, ...]] = {
    "binary": ("logistic", "boosting"),
    "amount": ("gamma", "tweedie", "boosting"),
}
CALIBRATIONS: dict[Kind, tuple[Calibration, ...]] = {
    "binary": ("logistic", "isotonic", "none"),
    "amount": ("ratio", "none"),
}
SOURCE = "models.toml"


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One role. ``binary`` predicts P(target = 1); ``amount`` predicts E[target | given = 1], zero or more.

    ``learners`` are each fitted ``bags`` times and averaged; ``bags`` is a multiple of ``folds``, because every
    member leaves out one fold of clusters and the predictions on left-out rows calibrate the average. ``monotone``
    maps a feature or term to +1 or -1, the sign in which the prediction may move.
    """

    kind: Kind
    target: str
    learners: tuple[str, ...]
    features: tuple[str, ...]
    terms: tuple[str, ...]
    calibration: Calibration
    bags: int
    folds: int
    given: str | None = None
    monotone: dict[str, Literal[-1, 1]] = {}

    def __post_init__(self) -> None:
        if self.folds < 2 or self.bags < self.folds or self.bags % self.folds:
            raise ValueError(
                f"bags is {self.bags} and folds {self.folds}: expected bags a multiple of folds, folds 2 or more"
            )
        if (self.kind == "amount") != (self.given is not None):
            raise ValueError("expected `given` for kind amount (whose amounts exist) and for no other kind")


def check_models(
    specs: Mapping[str, ModelSpec],
    features: Sequence[str],
    terms: Sequence[str],
    outcomes: Sequence[str],
    protected: Sequence[str],
) -> list[Finding]:
    """Return findings about names that do not exist, look ahead or are protected, and choices that do not fit."""
    findings: list[Finding] = []
    for role, spec in specs.items():
        findings.extend(_choice_findings(role, spec))
        findings.extend(_feature_findings(role, spec, features, outcomes, protected))
        findings.extend(_name_findings(f"{role}.terms", spec.terms, terms, "term of the catalogue"))
        targets = [spec.target] if spec.given is None else [spec.target, spec.given]
        findings.extend(_name_findings(f"{role}.target", targets, outcomes, "column of outcomes"))
        findings.extend(_name_findings(f"{role}.monotone", list(spec.monotone), [*spec.features, *spec.terms], "input"))
    return findings


def _choice_findings(role: str, spec: ModelSpec) -> Iterator[Finding]:
    for learner in spec.learners:
        if learner not in LEARNERS[spec.kind]:
            expected = ", ".join(LEARNERS[spec.kind])
            yield _finding(
                "OP301", f"{role}.learners", f"name {learner!r}, which does not learn {spec.kind}: expected {expected}"
            )
    if not spec.learners:
        yield _finding("OP301", f"{role}.learners", f"is empty: expected any of {', '.join(LEARNERS[spec.kind])}")
    if spec.calibration not in CALIBRATIONS[spec.kind]:
        expected = ", ".join(CALIBRATIONS[spec.kind])
        yield _finding(
            "OP302",
            f"{role}.calibration",
            f"is {spec.calibration!r}, which does not fit {spec.kind}: expected {expected}",
        )


def _feature_findings(
    role: str, spec: ModelSpec, features: Sequence[str], outcomes: Sequence[str], protected: Sequence[str]
) -> Iterator[Finding]:
    for name in spec.features:
        if name in protected:
            yield _finding("OP304", f"{role}.features", f"name {name!r}, a protected column: expected it in no model")
        elif name in outcomes:
            yield _finding("OP303", f"{role}.features", f"name {name!r}, an outcome: the model would see the future")
    known = [name for name in spec.features if name not in protected and name not in outcomes]
    yield from _name_findings(f"{role}.features", known, features, "feature")


def _name_findings(subject: str, given: Sequence[str], known: Sequence[str], what: str) -> Iterator[Finding]:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.7)
            hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known) or 'none'}."
            yield _finding("OP305", subject, f"name {name!r}, which is no {what}. {hint}")


def _finding(code: str, subject: str, message: str) -> Finding:
    return Finding(code=code, source=SOURCE, subject=subject, message=message, next_step="correct models.toml")
