"""Evaluate: open the outcomes of the planned list and judge the plan and its rivals on them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.domain import Finding
from opportune.evaluation import Judged, balance, support
from opportune.models import measure_binary
from opportune.workflow.chosen import chosen
from opportune.workflow.estimates import estimates_of, worst_of
from opportune.workflow.evidence_spec import PolicySpec
from opportune.workflow.fairness import fairness
from opportune.workflow.holdout import draw_holdout
from opportune.workflow.horizon_told import planned_uses
from opportune.workflow.judged import best_offers_taught, judged_policies
from opportune.workflow.listed import Listed
from opportune.workflow.realised import Whole, only_planned, planned_against_realised
from opportune.workflow.steps import read_json
from opportune.workflow.subsets import empty_subsets, subset_contributions
from opportune.workflow.trial import Opened, Trial
from opportune.workflow.verdicts import verdicts


def evaluate(opened: Opened, out: Path) -> dict[str, Any]:
    """Return the evidence; of a list whose outcomes are none or too few, what is planned and why nothing is known."""
    listed, past, used = opened.listed, opened.past, planned_uses(out)
    told = {**_told(listed), "assumption": opened.assumption}
    if opened.trial is None:
        outcomes = _nothing_yet(listed, used, opened.why_not)
    else:
        outcomes = _judged(opened.trial, used, told, _whole(opened))
    known = {
        "rows": len(past),
        "immature": past.immature,
        "completed": int(np.sum(~past.known)),
        "left_alone": int(np.sum(past.left_alone)),
        "undecided": len(listed) - _decided(listed),
    }
    training = read_json(out / "models" / "index.json")
    return {**told, "training": training, **known, **outcomes}


def _decided(listed: Listed) -> int:
    """Return how many of the listed opportunities some decision is about."""
    rows = listed.engine.query("SELECT DISTINCT opportunity_id FROM decisions")
    return len(set(rows["opportunity_id"].to_pylist()) & set(listed.batch.opportunity_id))


def _told(listed: Listed) -> dict[str, Any]:
    """Return what can be said of the list and the project before any outcome is known."""
    settings = listed.settings
    return {
        "plan_at": str(settings.plan_at),
        "probabilities": "given" if "probabilities" in listed.engine.tables() else "shares within strata",
        "completed_by": None if settings.evidence.immature is None else settings.evidence.immature.says,
        "retrospective": settings.time.retrospective,
        "today": settings.evidence.today,
        "plan": next(spec.name for spec in settings.evidence.policy if spec.is_plan),
        "opportunities": len(listed),
        "customers": _customers(listed, np.ones(len(listed), dtype=bool)),
        "reached": _customers(listed, listed.planned[None] >= 0),
        "chosen_by": settings.evidence.chosen_by,
        "chosen": chosen(listed),
        "fairness": fairness(listed),
    }


def _customers(listed: Listed, rows: np.ndarray) -> int:
    return int(np.sum(listed.first_of_each(rows)))


def _nothing_yet(listed: Listed, used: dict[str, float], why: Sequence[Finding]) -> dict[str, Any]:
    """Return the evidence of a list whose outcomes are still to come, or are too few (``why``)."""
    return {
        "clusters": 0,
        "policies": [{"name": spec.name, "says": spec.says} for spec in listed.settings.evidence.policy],
        "best_offer_per_band": {},
        "estimates": [],
        "tail": [],
        "verdicts": [],
        "support": {},
        "balance": None,
        "planned_against_realised": only_planned(listed.places, used),
        "response": None,
        "subsets": [],
        "findings": msgspec.to_builtins(why),
    }


def _whole(opened: Opened) -> Whole:
    """Return the list that limits are about. It is judged without its holdout where somebody was left alone."""
    listed, left_alone = opened.listed, bool(opened.past.left_alone.any())
    held_out = int(np.sum(draw_holdout(listed.settings, listed.batch))) if left_alone else 0
    return Whole(listed=len(listed), held_out=held_out)


def _judged(trial: Trial, used: dict[str, float], told: dict[str, Any], whole: Whole) -> dict[str, Any]:
    """Return what the opened outcomes say of every policy; ``told`` counts the list's opportunities and customers."""
    specs = trial.settings.evidence.policy
    best = best_offers_taught(trial, specs)
    policies = judged_policies(trial, specs, best)
    estimates, left_out = estimates_of(trial, policies, told["opportunities"] / told["customers"])
    subsets = subset_contributions(trial)
    tail, no_tail = worst_of(trial, policies)
    limits, no_use = planned_against_realised(trial, policies, used, whole)
    return {
        "clusters": len(np.unique(trial.logged.cluster)),
        "policies": [_forecast_of(trial, spec, policies[spec.name]) for spec in specs],
        "best_offer_per_band": {band: trial.logged.offer_ids[step] for band, step in best.items()},
        "estimates": estimates,
        "tail": tail,
        "verdicts": verdicts(estimates, trial.settings.evidence.headline),
        "support": {name: msgspec.to_builtins(support(trial.logged, policy)) for name, policy in policies.items()},
        "balance": msgspec.to_builtins(_balance(trial)),
        "planned_against_realised": limits,
        "response": _response(trial),
        "subsets": subsets,
        "findings": msgspec.to_builtins([*left_out, *no_tail, *no_use, *empty_subsets(trial, subsets)]),
    }


def _forecast_of(trial: Trial, spec: PolicySpec, policy: Judged) -> dict[str, Any]:
    """Return a policy with what the plan's forecasts expect of it: a forecast, and no evidence."""
    probability = policy.probabilities(trial.logged.eligible)[:, : trial.value.total().shape[1]]
    return {
        "name": spec.name,
        "says": spec.says,
        "forecast_value": float(np.sum(probability * trial.value.total())),
        "forecast_uses": {name: float(np.sum(probability * amounts)) for name, amounts in trial.value.uses.items()},
    }


def _balance(trial: Trial) -> Any:
    numbers = {name: values for name, values in trial.listed.facts.values.items() if values.dtype != object}
    return balance(trial.logged.action, trial.past.stratum, numbers)


def _response(trial: Trial) -> dict[str, Any] | None:
    """Return how the response model did on the offers about the planned list, at the prices that were logged.

    None while nobody, or everybody, has answered: no ranking and no calibration can be measured.
    """
    model, asked = trial.listed.rulebook.models["response"], trial.past.known & ~trial.past.left_alone
    past, facts = trial.past.take(asked), trial.listed.facts.take(np.flatnonzero(asked))
    answered = past.outcomes[model.spec.target]
    if len(np.unique(answered)) < 2:
        return None
    predicted, _ = model.predict(facts.values, past.terms)
    return measure_binary(answered, predicted)
