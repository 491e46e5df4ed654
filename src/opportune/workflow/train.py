"""Train: features for every opportunity, prices of the catalogue's steps, and a model per role."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from opportune.decisioning import hashed_files
from opportune.domain import AsOf, BadInput, Facts, Finding
from opportune.features import compute_features
from opportune.models import Learned, Model, ModelSpec, learn, model_card, save
from opportune.offers import price_catalogue
from opportune.tables import Engine, replace_directories, write_json, write_parquet
from opportune.workflow.declarations import check_declarations
from opportune.workflow.frames import open_tables, read_facts
from opportune.workflow.logged import History, Scope, history, made_between
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


LEAVES = ("features", "offers", "models", "model-cards")


def train(settings: Settings, out: Path) -> None:
    """Write ``features/``, ``offers/catalogue.json``, ``models/`` and ``model-cards/``: all of them, or none."""
    engine = open_tables(out, settings.directory)
    check_declarations(settings, engine)
    replace_directories(out, LEAVES, lambda beside: _build(settings, engine, beside))


def _build(settings: Settings, engine: Engine, out: Path) -> None:
    write_parquet(out / "features" / "features.parquet", compute_features(engine, settings.features))
    past = training_history(settings, engine)
    taught = past.take(past.step >= 0)
    facts = read_facts(out, list(settings.features), taught.opportunity_id, AsOf.parse(settings.time.train_until))
    priced = price_catalogue(settings.catalogue, taught.band, next(iter(taught.terms.values())))
    write_json(out / "offers" / "catalogue.json", priced)
    learned = {role: _learn(settings, role, spec, taught, facts) for role, spec in settings.models.items()}
    write_parquet(out / "features" / "out_of_fold.parquet", _out_of_fold(learned["response"], taught))
    _write_models(out, {role: each.model for role, each in learned.items()}, past)


def training_history(settings: Settings, engine: Engine) -> History:
    """Return the mature decisions of the training interval; those with step -1 teach nothing."""
    time = settings.time
    start, until, labels = (AsOf.parse(text) for text in (time.train_from, time.train_until, time.labels_as_of))
    scope = made_between(start, until)
    found = history(engine, settings, scope, labels)
    if len(found) == 0:
        raise BadInput([_nothing(scope, labels, found.immature)])
    return found


def _nothing(scope: Scope, observed_by: AsOf, made: int) -> Finding:
    message = f"of {made} {scope.says}, none has an outcome observed by {observed_by}: expected some"
    step = "widen the interval, set labels_as_of to when outcomes are known, or look at tables/outcomes.sql"
    return Finding(code="OP806", source="opportune.toml", subject="time", message=message, next_step=step)


def _learn(settings: Settings, role: str, spec: ModelSpec, taught: History, facts: Facts) -> Learned:
    rows = np.ones(len(taught), dtype=bool) if spec.given is None else taught.outcomes[spec.given] == 1
    return learn(
        spec,
        {name: facts.values[name][rows] for name in spec.features},
        {name: taught.terms[name][rows] for name in spec.terms},
        taught.outcomes[spec.target][rows],
        taught.cluster[rows],
        clusters=taught.cluster,
        seed=settings.identity.seed,
        role=role,
    )


def _out_of_fold(response: Learned, taught: History) -> "pa.Table":
    """Return what each training row answered beside its prediction by members that never saw its cluster."""
    import pyarrow as pa

    return pa.table(
        {
            "opportunity_id": pa.array(taught.opportunity_id, pa.string()),
            "cluster": pa.array(taught.cluster, pa.string()),
            "observed": taught.outcomes[response.model.spec.target],
            "predicted": response.out_of_fold,
        }
    )


def _write_models(out: Path, models: dict[str, Model], past: History) -> None:
    for role, model in models.items():
        save(model, out / "models" / role)
        write_json(out / "model-cards" / f"{role}.json", {"role": role, **model_card(model)})
    index = {
        "files": hashed_files(out / "models"),
        "taught_by": int(np.sum(past.step >= 0)),
        "outside_catalogue": int(np.sum((past.step < 0) & ~past.left_alone)),
        "left_alone": int(np.sum(past.left_alone)),
        "immature": past.immature,
    }
    write_json(out / "models" / "index.json", index)
