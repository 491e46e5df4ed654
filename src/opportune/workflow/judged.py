"""The declared policies over a trial, with what they are built from: one way for the estimates and for the swap set."""

from collections.abc import Sequence

from opportune.evaluation import Judged
from opportune.workflow.evidence_spec import PolicySpec
from opportune.workflow.policies import PolicyInputs, best_offers, build_policy
from opportune.workflow.train import training_history
from opportune.workflow.trial import Trial, realised


def judged_policies(trial: Trial, specs: Sequence[PolicySpec], best: dict[str, int]) -> dict[str, Judged]:
    """Return each declared policy by its name; ``best`` is that of ``best_offers_taught`` for the same policies."""
    inputs = PolicyInputs(
        logged=trial.logged,
        facts=trial.listed.facts.values,
        planned=trial.listed.planned,
        band=trial.past.band,
        best_offer=best,
        seed=trial.settings.identity.seed,
    )
    return {spec.name: build_policy(spec, inputs) for spec in specs}


def best_offers_taught(trial: Trial, specs: Sequence[PolicySpec]) -> dict[str, int]:
    """Return the offer that did best in the training decisions of each band; none where no policy asks for it."""
    if all(spec.kind != "best_offer_per_band" for spec in specs):
        return {}
    past = training_history(trial.settings, trial.listed.engine)
    taught = past.take(past.step >= 0)
    booked = realised(taught, trial.settings).total()
    return best_offers(taught.band, taught.step, taught.probability, booked)
