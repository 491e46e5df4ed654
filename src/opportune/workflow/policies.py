"""The policies that evidence.toml declares, as probabilities over the planned list."""

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.evaluation import AsLogged, Judged, LoggedDecisions, fixed_choice
from opportune.numerics import keyed_uniform
from opportune.workflow.evidence_spec import PolicySpec


class PolicyInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What policies are built from, in the order of the logged decisions (n rows)."""

    logged: LoggedDecisions
    facts: dict[str, np.ndarray]
    planned: dict[str | None, np.ndarray]
    """The choice per row of the plan (None) and of the best plan without a limit: index of an offer, -1 for none."""
    band: np.ndarray
    best_offer: dict[str, int]
    """The offer that did best in the training decisions of each band; a customer of another band is offered nothing."""
    seed: int


def build_policy(spec: PolicySpec, inputs: PolicyInputs) -> Judged:
    """Return the declared policy."""
    planned = inputs.planned[spec.without]
    match spec.kind:
        case "as_logged":
            return AsLogged(spec.name, _contacted(spec, inputs), inputs.logged.given_an_offer())
        case "offer_to_all":
            return _fixed(spec, inputs, np.full(len(planned), inputs.logged.offer_ids.index(str(spec.offer))))
        case "offer_to_planned":
            step = inputs.logged.offer_ids.index(str(spec.offer))
            return _fixed(spec, inputs, np.where(planned >= 0, step, -1))
        case "best_offer_per_band":
            return _fixed(spec, inputs, np.array([inputs.best_offer.get(band, -1) for band in inputs.band]))
        case "plan":
            return _fixed(spec, inputs, planned)
        case "nobody":
            return _fixed(spec, inputs, np.full(len(planned), -1))


def _fixed(spec: PolicySpec, inputs: PolicyInputs, choice: np.ndarray) -> Judged:
    """Return the policy of one choice per row (n,), -1 for none: an offer like the others where the log holds it."""
    logged = inputs.logged
    none = -1 if logged.no_offer is None else logged.no_offer
    return fixed_choice(spec.name, np.where(choice >= 0, choice, none), len(logged.offer_ids))


def _contacted(spec: PolicySpec, inputs: PolicyInputs) -> np.ndarray:
    """Return each customer's probability of contact (n,)."""
    if spec.planned:
        return (inputs.planned[spec.without] >= 0).astype(np.float64)
    if spec.rank_by is None:
        return np.full(len(inputs.logged), spec.share)
    return _smallest(inputs.facts[spec.rank_by], spec, inputs)


def _smallest(values: np.ndarray, spec: PolicySpec, inputs: PolicyInputs) -> np.ndarray:
    """Contact the share with the smallest values. Ties are broken by keyed draw; missing values come last."""
    if values.dtype == object:
        message = f"ranks by {spec.rank_by!r}, which is text: expected a number"
        subject, step = f"policy '{spec.name}'.rank_by", "name another feature"
        raise BadInput(
            [Finding(code="OP814", source="evidence.toml", subject=subject, message=message, next_step=step)]
        )
    draw = keyed_uniform(inputs.seed, f"ties of {spec.name}", inputs.logged.customer_id)
    order = np.lexsort((draw, values))
    chosen = np.zeros(len(values))
    chosen[order[: int(spec.share * len(values))]] = 1.0
    return chosen


def best_offers(band: np.ndarray, step: np.ndarray, probability: np.ndarray, outcome: np.ndarray) -> dict[str, int]:
    """Return per band the offer with the largest self-normalised mean outcome in logged decisions.

    ``probability`` (n, K) is that of the logging policy in the row's stratum, so waves with other shares of the
    offers are weighed alike. BadInput (OP602) where that of a logged offer is zero: nothing can weigh it.
    """
    _refuse_unweighed(probability[np.arange(len(step)), step])
    best = {}
    for name in np.unique(band).tolist():
        rows = [np.flatnonzero((band == name) & (step == k)) for k in range(probability.shape[1])]
        means = [_weighted_mean(outcome[r], probability[r, k]) for k, r in enumerate(rows)]
        best[name] = int(np.argmax(means))
    return best


def _refuse_unweighed(made: np.ndarray) -> None:
    unweighed = int(np.sum(~(made > 0)))
    if unweighed:
        message = (
            f"gives no probability above zero for the offer of {unweighed} of {len(made)} decisions that teach: "
            "expected one for each, to tell the best offer of each band"
        )
        step = "give the probabilities of those decisions too, or judge no policy of kind best_offer_per_band"
        source, subject = "tables/probabilities.sql", "probability"
        raise BadInput([Finding(code="OP602", source=source, subject=subject, message=message, next_step=step)])


def _weighted_mean(outcome: np.ndarray, probability: np.ndarray) -> float:
    return float(np.average(outcome, weights=1.0 / probability)) if len(outcome) else -np.inf
