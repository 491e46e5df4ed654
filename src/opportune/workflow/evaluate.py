"""Evaluate: open the outcomes of the planned list and judge the plan and its rivals on them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.decisioning import forecast, value_forecast
from opportune.domain import AsOf, BadInput, Estimate, Finding, Forecast, Value, errors
from opportune.economics import realised_value
from opportune.evaluation import (
    Estimator,
    Judged,
    LoggedDecisions,
    balance,
    check_logged,
    compare,
    estimate,
    support,
)
from opportune.models import measure_binary
from opportune.tables import Engine, write_json
from opportune.workflow.chosen import chosen
from opportune.workflow.evidence_spec import PolicySpec
from opportune.workflow.fairness import fairness
from opportune.workflow.frames import open_tables, opportunities_at, read_facts
from opportune.workflow.logged import History, history
from opportune.workflow.outcome_model import cross_fitted
from opportune.workflow.plan import read_rulebook
from opportune.workflow.policies import PolicyInputs, best_offers, build_policy
from opportune.workflow.realised import planned_against_realised
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json
from opportune.workflow.subsets import subset_contributions
from opportune.workflow.train import training_history
from opportune.workflow.trial import Trial

RAW = "contribution_per_customer"
CAPPED = "contribution_per_customer_capped"
MEASURES = (RAW, CAPPED)
ESTIMATORS: tuple[Estimator, ...] = ("ipw", "snipw", "dr")
BOOKED = ("interest", "amount_lent", "amount_months", "term_months", "arrears")


def evaluate(settings: Settings, out: Path) -> None:
    """Write ``evidence/evidence.json``."""
    trial = open_trial(settings, out)
    best = _best_offers(settings, trial)
    policies = _policies(trial, best)
    evidence = {
        "plan_at": str(settings.plan_at),
        "rows": len(trial.past),
        "clusters": len(np.unique(trial.logged.cluster)),
        "immature": trial.past.immature,
        "training": read_json(out / "models" / "index.json"),
        "assumption": settings.evidence.assumption,
        "not_shown": settings.evidence.not_shown,
        "retrospective": settings.time.retrospective,
        "policies": [_forecast_of(trial, spec, policies[spec.name]) for spec in settings.evidence.policy],
        "today": settings.evidence.today,
        "chosen_by": settings.evidence.chosen_by,
        "chosen": chosen(trial),
        "best_offer_per_band": {band: trial.logged.offer_ids[step] for band, step in best.items()},
        "estimates": _estimates(trial, policies),
        "support": {name: msgspec.to_builtins(support(trial.logged, policy)) for name, policy in policies.items()},
        "balance": msgspec.to_builtins(_balance(trial)),
        "planned_against_realised": planned_against_realised(trial, policies, _planned_uses(out)),
        "response": _response(trial),
        "subsets": subset_contributions(trial),
        "fairness": fairness(trial),
    }
    write_json(out / "evidence" / "evidence.json", evidence)


def open_trial(settings: Settings, out: Path) -> Trial:
    """Join the plan to what happened. BadInput when the log cannot carry an estimate."""
    engine = open_tables(out, settings.directory)
    batch = opportunities_at(engine, settings.plan_at)
    past = _planned_history(settings, engine)
    _check_known(past)
    facts = read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at)
    kept = np.searchsorted(batch.opportunity_id.astype(str), past.opportunity_id.astype(str))
    batch, facts = batch.take(kept), facts.take(kept)
    rulebook = read_rulebook(settings, out)
    predicted = forecast(batch, facts, rulebook)
    value = value_forecast(batch, predicted, rulebook)
    booked = realised(past, settings)
    logged = _logged(settings, past, booked.total())
    return Trial(
        settings=settings,
        engine=engine,
        rulebook=rulebook,
        batch=batch,
        facts=facts,
        past=past,
        logged=logged,
        value=value,
        uses=booked.uses,
        outcome_models=_outcome_models(settings, logged, predicted, value),
        planned=_planned(out, logged)[kept],
    )


def _check_known(past: History) -> None:
    """Raise BadInput (OP606) where it is not known who took up an offer: not known is not the same as no."""
    unknown = np.isnan(past.outcomes["took_up"])
    if unknown.any():
        message = f"is null in {int(unknown.sum())} decisions of the planned list: expected 0 or 1 in each"
        step = "leave immature decisions out in tables/outcomes.sql"
        raise BadInput(
            [Finding(code="OP606", source="tables/outcomes.sql", subject="took_up", message=message, next_step=step)]
        )


def realised(past: History, settings: Settings) -> Any:
    """Return the booked lines and uses of each logged decision."""
    booked = {name: past.outcomes[name] for name in BOOKED}
    return realised_value(past.outcomes["took_up"], booked, settings.assumptions, settings.identity.currency)


def _planned_history(settings: Settings, engine: Engine) -> History:
    """Return the decisions of the planned instant, with every outcome that is known by now."""
    just_after = AsOf(settings.plan_at.at + timedelta(microseconds=1))
    ever = AsOf(datetime.max.replace(tzinfo=UTC))
    return history(engine, settings.catalogue, settings.identity.cluster, settings.plan_at, just_after, ever)


def _logged(settings: Settings, past: History, contribution: np.ndarray) -> LoggedDecisions:
    cap = settings.evidence.cap
    offers = settings.catalogue.offer_ids
    logged = LoggedDecisions(
        decision_id=past.decision_id,
        customer_id=past.customer_id,
        slot=past.slot,
        offer_ids=offers,
        action=past.step,
        eligible=np.ones((len(past), len(offers)), dtype=bool),
        probability=past.probability,
        outcome={RAW: contribution, CAPPED: np.clip(contribution, -cap, cap)},
        cluster=past.cluster,
    )
    findings = check_logged(logged)
    if errors(findings):
        raise BadInput(findings)
    return logged


def _outcome_models(
    settings: Settings, logged: LoggedDecisions, predicted: Forecast, value: Value
) -> dict[str, np.ndarray]:
    regressors = [value.total(), predicted.quantities["response"]]
    spec = settings.evidence
    return {
        measure: cross_fitted(
            logged.outcome[measure],
            logged.action,
            regressors,
            logged.cluster,
            spec.folds,
            settings.identity.seed,
        )
        for measure in MEASURES
    }


def _planned(out: Path, logged: LoggedDecisions) -> np.ndarray:
    """Return the plan's choice per opportunity, in the order of their ids: an offer's index, -1 for none."""
    import pyarrow.parquet as pq

    offers = pq.read_table(out / "plan" / "plan.parquet", columns=["offer_id"])["offer_id"].to_pylist()
    index = {offer: k for k, offer in enumerate(logged.offer_ids)}
    return np.array([index.get(offer, -1) for offer in offers])


def _best_offers(settings: Settings, trial: Trial) -> dict[str, int]:
    past = training_history(settings, trial.engine)
    taught = past.take(past.step >= 0)
    return best_offers(taught.band, taught.step, taught.probability, realised(taught, settings).total())


def _policies(trial: Trial, best: dict[str, int]) -> dict[str, Judged]:
    inputs = PolicyInputs(
        logged=trial.logged,
        facts=trial.facts.values,
        planned=trial.planned,
        band=trial.past.band,
        best_offer=best,
        seed=trial.settings.identity.seed,
    )
    return {spec.name: build_policy(spec, inputs) for spec in trial.settings.evidence.policy}


def _forecast_of(trial: Trial, spec: PolicySpec, policy: Judged) -> dict[str, Any]:
    """Return a policy with what the plan's forecasts expect of it: a forecast, and no evidence."""
    probability = policy.probabilities(trial.logged.eligible)
    return {
        "name": spec.name,
        "says": spec.says,
        "forecast_value": float(np.sum(probability * trial.value.total())),
        "forecast_uses": {name: float(np.sum(probability * amounts)) for name, amounts in trial.value.uses.items()},
    }


def _estimates(trial: Trial, policies: dict[str, Judged]) -> list[dict[str, Any]]:
    """Return every policy and every declared difference, by each estimator, on both measures."""
    rows = []
    for measure in MEASURES:
        for name, policy in policies.items():
            rows += [_row(name, None, measure, _estimate(trial, (policy,), measure, how)) for how in ESTIMATORS]
        for versus in trial.settings.evidence.compare:
            pair = (policies[versus.policy], policies[versus.against])
            rows += [
                _row(versus.policy, versus.against, measure, _estimate(trial, pair, measure, how)) for how in ESTIMATORS
            ]
    return rows


def _estimate(trial: Trial, policies: tuple[Judged, ...], measure: str, estimator: Estimator) -> Estimate:
    judge = estimate if len(policies) == 1 else compare
    return judge(
        trial.logged,
        *policies,
        measure=measure,
        estimator=estimator,
        outcome_model=trial.outcome_models[measure],
        replicates=trial.settings.evidence.replicates,
        seed=trial.settings.identity.seed,
    )


def _row(policy: str, against: str | None, measure: str, found: Estimate) -> dict[str, Any]:
    return {"policy": policy, "against": against, "measure": measure, **msgspec.to_builtins(found)}


def _balance(trial: Trial) -> Any:
    numbers = {name: values for name, values in trial.facts.values.items() if values.dtype != object}
    return balance(trial.logged.action, trial.past.stratum, numbers)


def _response(trial: Trial) -> dict[str, Any]:
    """Return how the response model did on the planned list, at the prices that were logged."""
    model = trial.rulebook.models["response"]
    predicted, _ = model.predict(trial.facts.values, trial.past.terms)
    return measure_binary(trial.past.outcomes[model.spec.target], predicted)


def _planned_uses(out: Path) -> dict[str, float]:
    rows = read_json(out / "plan" / "certificate.json")["rows"]
    return {row["name"]: row["used"] for row in rows}
