"""Logged decisions whose offer was one number, such as a price, and what of them cannot be used."""

from collections.abc import Iterator

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding

DEGREE = 4
"""Of the polynomial over the whole range: it says how noisy outcomes are, and how much they bend if nobody does."""


class LoggedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions whose offer was one number: ``term`` (n,) as logged, its ``density`` (n,) under the logging policy per
    unit of the term, ``outcome`` (n,) and ``cluster`` (n,). ``between`` is the range from which terms were drawn.
    """

    term: np.ndarray
    density: np.ndarray
    outcome: np.ndarray
    cluster: np.ndarray
    between: tuple[float, float]


class TermModel(msgspec.Struct, frozen=True):
    """Cross-fitted predictions (n,) of the outcome at the policy's term and at the logged term, for dr."""

    at_target: np.ndarray
    at_logged: np.ndarray


def refuse_terms(logged: LoggedTerms, target: np.ndarray, model: TermModel | None) -> None:
    """Raise BadInput (OP606, OP624, OP627) where terms, outcomes or predictions cannot be used.

    ``target`` (n,) is the policy's term, NaN where it makes no offer. ValueError when the range is none.
    """
    if target.shape != logged.term.shape:
        raise ValueError(f"target has shape {target.shape}: expected {logged.term.shape}, one for each decision")
    low, high = logged.between
    if not low < high:
        raise ValueError(f"between is {low} to {high}: expected the least and the greatest term that could be drawn")
    predicted = np.zeros(len(target)) if model is None else np.where(np.isnan(target), 0.0, model.at_target)
    missed = np.zeros(len(target)) if model is None else model.at_logged
    tests = (
        ("OP624", "density", ~(logged.density > 0) | ~np.isfinite(logged.density), "is not above zero",
         "give the logging density of the logged term"),
        ("OP624", "term", ~((logged.term >= low) & (logged.term <= high)), f"lies outside {low:g} to {high:g}",
         "correct `between`"),
        ("OP624", "target", (target < low) | (target > high), f"lies outside {low:g} to {high:g}, where nothing was "
         "logged", "keep the policy inside the range"),
        ("OP606", "outcome", ~np.isfinite(logged.outcome), "is not known", "complete or wait"),
        ("OP627", "model", ~np.isfinite(predicted) | ~np.isfinite(missed), "is no finite number",
         "predict the outcome at each policy's term and at each logged one"),
    )  # fmt: skip
    findings = [
        Finding(code=code, source="terms", subject=subject, message=f"{says} in {int(rows.sum())} rows", next_step=step)
        for code, subject, rows, says, step in tests
        if rows.any()
    ]
    findings += _of_all(logged, target)
    if findings:
        raise BadInput(findings)


def _of_all(logged: LoggedTerms, target: np.ndarray) -> Iterator[Finding]:
    """Yield findings (OP624) that no single row is about."""
    distinct = len(np.unique(logged.term))
    if distinct <= DEGREE:
        says = f"has {distinct} different values: expected more than {DEGREE}"
        step = "judge them as offers: `estimate`"
        yield Finding(code="OP624", source="terms", subject="term", message=says, next_step=step)
    if np.isnan(target).all():
        says, step = "names no term: expected one for somebody", "a policy that offers nothing is worth 0 by definition"
        yield Finding(code="OP624", source="terms", subject="target", message=says, next_step=step)
