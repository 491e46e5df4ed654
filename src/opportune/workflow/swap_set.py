"""The swap set of the evidence: who changes from today's policy to the plan, and what the outcomes say of them."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.evaluation import Judged
from opportune.evaluation.swap_set import swap_set
from opportune.tables import write_json
from opportune.workflow.listed import read_listed
from opportune.workflow.outcome_model import cross_fitted
from opportune.workflow.policies import PolicyInputs, best_offers, build_policy
from opportune.workflow.settings import Settings
from opportune.workflow.train import training_history
from opportune.workflow.trial import RAW, Trial, judged_decisions, open_trial, realised

USES = ("amount_lent", "expected_loss")
"""Booked uses that tell the risk of a swap: money lent, and arrears."""


def write_swap_set(settings: Settings, out: Path) -> None:
    """Write ``evidence/swap_set.json``: cells with value and risk, or why there are none."""
    write_json(out / "evidence" / "swap_set.json", _told(settings, out))


def _told(settings: Settings, out: Path) -> dict[str, Any]:
    planned = next(spec.name for spec in settings.evidence.policy if spec.is_plan)
    head = {"older": settings.evidence.today, "newer": planned, "assumption": settings.evidence.assumption}
    if settings.evidence.today is None:
        return {**head, "why_not": "evidence.toml names no policy as `today`", "cells": []}
    listed = read_listed(settings, out)
    past = judged_decisions(listed)
    if not len(past):
        return {**head, "why_not": "no decision about the list has an observed outcome", "cells": []}
    trial = open_trial(listed, past)
    if trial.completion is not None:
        return {**head, "why_not": "some outcomes are not known yet, and a mean that completes them has no segment",
                "cells": []}  # fmt: skip
    older, newer = (_policy(trial, name) for name in (settings.evidence.today, planned))
    contacts = older.offered(trial.logged)
    if np.any((contacts > 0) & (contacts < 1)):
        return {**head, "why_not": f"'{settings.evidence.today}' contacts customers at random", "cells": []}
    return {**head, "why_not": None, "cells": _cells(trial, older, newer)}


def _cells(trial: Trial, older: Judged, newer: Judged) -> list[Any]:
    measures = {RAW: trial.logged.outcome[RAW], **{name: trial.uses[name] for name in USES}}
    models = {RAW: trial.outcome_models[RAW], **{name: _model_of_use(trial, name) for name in USES}}
    found = swap_set(trial.logged, older, newer, measures=measures, outcome_models=models, segment=trial.past.band)
    return [msgspec.to_builtins(cell) for cell in found]


def _model_of_use(trial: Trial, name: str) -> np.ndarray:
    """Return cross-fitted predictions (n, K) of a booked use, from its forecast."""
    spec, identity = trial.settings.evidence, trial.settings.identity
    return cross_fitted(
        trial.uses[name], trial.logged.action, [trial.value.uses[name]], trial.logged.cluster, spec.folds, identity.seed
    )


def _policy(trial: Trial, name: str) -> Judged:
    spec = next(each for each in trial.settings.evidence.policy if each.name == name)
    best = _best_offers(trial) if spec.kind == "best_offer_per_band" else {}
    inputs = PolicyInputs(
        logged=trial.logged, facts=trial.listed.facts.values, planned=trial.listed.planned, band=trial.past.band,
        best_offer=best, seed=trial.settings.identity.seed,
    )  # fmt: skip
    return build_policy(spec, inputs)


def _best_offers(trial: Trial) -> dict[str, int]:
    past = training_history(trial.settings, trial.listed.engine)
    taught = past.take(past.step >= 0)
    return best_offers(taught.band, taught.step, taught.probability, realised(taught, trial.settings).total())
