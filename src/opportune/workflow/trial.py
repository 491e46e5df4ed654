"""The trial: the planned list with its outcomes opened, what every part of the evidence reads."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from opportune.decisioning import forecast, value_forecast
from opportune.domain import BadInput, Finding, Forecast, Value, errors
from opportune.economics import booked_columns, value_of_booked
from opportune.evaluation import Completion, LoggedDecisions, check_logged
from opportune.workflow.completion import declared_completion
from opportune.workflow.left_alone import assumed, beside, uses_of_offers, with_nobody
from opportune.workflow.listed import Listed, read_listed, without_holdout
from opportune.workflow.logged import History, everyone, made_about
from opportune.workflow.outcome_model import cross_fitted, cross_fitted_unasked
from opportune.workflow.settings import Settings

RAW = "contribution_per_customer"
CAPPED = "contribution_per_customer_capped"
MEASURES = (RAW, CAPPED)
TOO_THIN = frozenset({"OP609"})
"""What a log lacks that still grows: these findings say that it cannot be judged yet, not that it is wrong."""


class TooThin(BadInput):
    """So few outcomes of the list are known that nothing can be judged by them yet."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One row per judged decision, in one order throughout; K offers of the catalogue.

    ``listed`` has the row of the list that each decision is about; ``priced`` (n,) says whether the catalogue has
    offers for its band; ``value`` is what the forecasts expect of every offer (n, K), zero where it has none; ``uses``
    maps a resource to its booked amount per row, zero where nothing was offered; ``outcome_models`` maps a measure to
    cross-fitted predictions of every offer in ``logged``.
    ``completion`` tells what rows come to whose outcome is not yet known (NaN), and is None where there is none.
    """

    listed: Listed
    past: History
    logged: LoggedDecisions
    priced: np.ndarray
    value: Value
    uses: dict[str, np.ndarray]
    outcome_models: dict[str, np.ndarray]
    completion: Completion | None

    @property
    def settings(self) -> Settings:
        """The settings of the project."""
        return self.listed.settings


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A planned list and the decisions about it, with the trial that they make.

    ``trial`` is None where none, or too few, have a known outcome; ``why_not`` then says what is too few.
    """

    listed: Listed
    past: History
    trial: Trial | None
    why_not: tuple[Finding, ...]

    @property
    def assumption(self) -> str:
        """What a customer who is not contacted counts as."""
        return assumed(self.listed.settings.evidence.assumption, int(np.sum(self.past.left_alone)))


def open_list(settings: Settings, out: Path) -> Opened:
    """Return the planned list of an output folder, opened. BadInput when the log is wrong, not when it is too thin."""
    listed = read_listed(settings, out)
    past = judged_decisions(listed)
    try:
        trial = open_trial(_beside_nobody(listed, past, out), past) if len(past) else None
    except TooThin as error:
        return Opened(listed=listed, past=past, trial=None, why_not=tuple(error.findings))
    return Opened(listed=listed, past=past, trial=trial, why_not=())


def _beside_nobody(listed: Listed, past: History, out: Path) -> Listed:
    """Return the list as it is judged: where somebody was left alone, without the plan's holdout and beside nobody."""
    if not past.left_alone.any():
        return listed
    settings = msgspec.structs.replace(listed.settings, evidence=with_nobody(listed.settings.evidence))
    return msgspec.structs.replace(without_holdout(listed, out), settings=settings)


def judged_decisions(listed: Listed) -> History:
    """Return the decisions about the list, whenever made; it may hold none.

    Those whose outcome is not yet known are among them only where the project says what they come to.
    """
    settings = listed.settings
    found = everyone(listed.engine, settings, made_about(settings.plan_at), None)
    return found if settings.evidence.immature and found.known.any() else found.take(found.known)


def open_trial(listed: Listed, past: History) -> Trial:
    """Join the list to what happened. BadInput when the log cannot carry an estimate, TooThin when it cannot yet."""
    _check_known(past)
    row_of = {each: row for row, each in enumerate(listed.batch.opportunity_id)}
    listed = listed.take(np.array([row_of[each] for each in past.opportunity_id], dtype=np.int64))
    predicted = forecast(listed.batch, listed.facts, listed.rulebook)
    priced = listed.rulebook.catalogue.catalogue.in_catalogue(listed.band())
    value = _where_priced(value_forecast(listed.batch, predicted, listed.rulebook), priced)
    booked = realised(past, listed.settings)
    _check_amounts(past, booked.total(), booked_columns(listed.settings.assumptions))
    logged = _logged(listed.settings, past, booked.total())
    return Trial(
        listed=listed,
        past=past,
        logged=logged,
        priced=priced,
        value=value,
        uses={name: np.where(past.known, amounts, np.nan) for name, amounts in booked.uses.items()},
        outcome_models=_outcome_models(listed.settings, past, logged, priced, predicted, value),
        completion=_completion(listed, past),
    )


def _completion(listed: Listed, past: History) -> Completion | None:
    declared = listed.settings.evidence.immature
    if declared is None or past.known.all():
        return None
    return declared_completion(listed.engine, declared, past.decision_id)


def _where_priced(value: Value, priced: np.ndarray) -> Value:
    """Return the value with zero for rows outside the catalogue: nobody can offer them what has no price."""
    zeroed = {
        part: {name: np.where(priced[:, None], amounts, 0.0) for name, amounts in getattr(value, part).items()}
        for part in ("lines", "uses")
    }
    return msgspec.structs.replace(value, **zeroed)


def _check_known(past: History) -> None:
    """Raise BadInput (OP606) where it is not known who took up an offer: not known is not the same as no."""
    unknown = past.known & np.isnan(past.outcomes["took_up"])
    if unknown.any():
        message = f"is null in {int(unknown.sum())} decisions of the planned list: expected 0 or 1 in each"
        step = "leave the rows out of tables/outcomes.sql: such decisions are counted as not yet observed"
        raise BadInput(
            [Finding(code="OP606", source="tables/outcomes.sql", subject="took_up", message=message, next_step=step)]
        )


def _check_amounts(past: History, worth: np.ndarray, columns: Sequence[str]) -> None:
    """Raise BadInput (OP606) where a known loan has no worth (n,), about the columns that lack its amounts."""
    step = (
        "give the amounts; while they are still to come, leave the rows out of tables/outcomes.sql and say under "
        "[immature] in evidence.toml what such decisions come to: without it the rest is biased"
    )
    findings = []
    for name in columns:
        lacking = past.decision_id[past.known & np.isnan(worth) & np.isnan(past.outcomes[name])]
        if len(lacking):
            message = (
                f"is null in {len(lacking)} decisions of the planned list that were taken up "
                f"({', '.join(lacking[:3])}): expected a number"
            )
            findings.append(
                Finding(code="OP606", source="tables/outcomes.sql", subject=name, message=message, next_step=step)
            )
    if findings:
        raise BadInput(findings)


def realised(past: History, settings: Settings) -> Value:
    """Return the booked lines and uses of each logged decision; of one that offered nothing, what came unasked."""
    wanted = booked_columns(settings.assumptions)
    missing = [name for name in wanted if name not in past.outcomes]
    if missing:
        raise BadInput([_not_booked(name, past) for name in missing])
    booked = {name: past.outcomes[name] for name in wanted}
    contacted = np.where(past.left_alone, 0.0, 1.0)
    value = value_of_booked(
        past.outcomes["took_up"], booked, settings.assumptions, settings.identity.currency, contacted
    )
    return uses_of_offers(value, past.left_alone)


def _not_booked(name: str, past: History) -> Finding:
    message = f"is missing: the value of a booked loan needs it, beside {', '.join(past.outcomes)}"
    step = "select it in tables/outcomes.sql, null where it is not known"
    return Finding(code="OP476", source="tables/outcomes.sql", subject=name, message=message, next_step=step)


def _logged(settings: Settings, past: History, contribution: np.ndarray) -> LoggedDecisions:
    cap = settings.evidence.cap
    outcome = {RAW: contribution, CAPPED: np.clip(contribution, -cap, cap)}
    logged = past.as_logged(settings.catalogue.offer_ids, outcome)
    filled = {name: np.where(past.known, values, 0.0) for name, values in logged.outcome.items()}
    findings = errors(check_logged(msgspec.structs.replace(logged, outcome=filled)))
    if findings:
        raise (TooThin if {each.code for each in findings} <= TOO_THIN else BadInput)(findings)
    return logged


def _outcome_models(
    settings: Settings, past: History, logged: LoggedDecisions, priced: np.ndarray, predicted: Forecast, value: Value
) -> dict[str, np.ndarray]:
    regressors = [value.total(), predicted.quantities["response"]]
    folds, seed = settings.evidence.folds, settings.identity.seed
    models = {}
    for measure in MEASURES:
        outcome = logged.outcome[measure]
        of_offers = cross_fitted(outcome, past.step, regressors, logged.cluster, priced, folds, seed)
        of_nobody = cross_fitted_unasked(outcome, past.left_alone, regressors, logged.cluster, priced, folds, seed)
        models[measure] = beside(of_offers, logged, of_nobody)
    return models
