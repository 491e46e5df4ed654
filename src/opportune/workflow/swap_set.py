"""The swap set of the evidence: who changes from today's policy to the plan, and what the outcomes say of them."""

from typing import Any

import msgspec
import numpy as np

from opportune.evaluation import Judged
from opportune.evaluation.swap_set import swap_set
from opportune.workflow.judged import best_offers_taught, judged_policies
from opportune.workflow.left_alone import beside
from opportune.workflow.outcome_model import cross_fitted
from opportune.workflow.trial import RAW, Opened, Trial

USES = ("amount_lent", "expected_loss")
"""Booked uses that tell the risk of a swap: money lent, and arrears."""


def swaps(opened: Opened) -> dict[str, Any]:
    """Return the swap set: cells with value and risk, or why there are none."""
    evidence = opened.listed.settings.evidence
    planned = next(spec.name for spec in evidence.policy if spec.is_plan)
    why_not, cells = _told(opened, evidence.today, planned)
    head = {"older": evidence.today, "newer": planned, "assumption": opened.assumption}
    return {**head, "why_not": why_not, "cells": cells}


def _told(opened: Opened, today: str | None, planned: str) -> tuple[str | None, list[Any]]:
    """Return why there are no cells, or None and the cells."""
    if today is None:
        return "evidence.toml names no policy as `today`", []
    trial = opened.trial
    if trial is None:
        return next((why.text() for why in opened.why_not), "no decision about the list has an observed outcome"), []
    specs = [spec for spec in trial.settings.evidence.policy if spec.name in (today, planned)]
    policies = judged_policies(trial, specs, best_offers_taught(trial, specs))
    older, newer = policies[today], policies[planned]
    contacts = older.offered(trial.logged)
    if np.any((contacts > 0) & (contacts < 1)):
        return f"'{today}' contacts customers at random", []
    return None, _cells(trial, older, newer)


def _cells(trial: Trial, older: Judged, newer: Judged) -> list[Any]:
    measures = {RAW: trial.logged.outcome[RAW], **{name: trial.uses[name] for name in USES}}
    models = {RAW: trial.outcome_models[RAW], **{name: _model_of_use(trial, name) for name in USES}}
    found = swap_set(
        trial.logged, older, newer, measures=measures, outcome_models=models, segment=_segment(trial),
        of_offers=USES, completion=trial.completion,
    )  # fmt: skip
    return [msgspec.to_builtins(cell) for cell in found]


def _segment(trial: Trial) -> np.ndarray:
    """Return the price band of each row (n,) as text, for those without one too."""
    return np.array(["no band" if band is None else str(band) for band in trial.past.band], dtype=object)


def _model_of_use(trial: Trial, name: str) -> np.ndarray:
    """Return cross-fitted predictions of a booked use under every offer of the log, from its forecast."""
    spec, identity = trial.settings.evidence, trial.settings.identity
    of_offers = cross_fitted(
        trial.uses[name], trial.past.step, [trial.value.uses[name]], trial.logged.cluster, trial.priced,
        spec.folds, identity.seed,
    )  # fmt: skip
    return beside(of_offers, trial.logged)
