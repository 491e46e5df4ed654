"""Train: features for every opportunity, prices of the catalogue's steps, and a model per role."""

from pathlib import Path

import numpy as np

from opportune.decisioning import hashed_files
from opportune.domain import AsOf, BadInput, Facts, Finding, errors
from opportune.features import check_features, compute_features
from opportune.models import Model, ModelSpec, check_models, learn, model_card, save
from opportune.offers import check_eligibility, price_catalogue
from opportune.tables import Engine, replace_directory, write_json, write_parquet
from opportune.workflow.frames import open_tables, read_facts
from opportune.workflow.logged import History, history
from opportune.workflow.settings import Settings

OUTCOMES = ("took_up", "interest", "amount_lent", "amount_months", "term_months", "arrears")
"""What the value of a booked loan needs of the table outcomes."""


def train(settings: Settings, out: Path) -> None:
    """Write ``features/``, ``offers/catalogue.json``, ``models/`` and ``model-cards/``."""
    engine = open_tables(out, settings.directory)
    check_declarations(settings, engine)
    write_parquet(out / "features" / "features.parquet", compute_features(engine, settings.features))
    past = training_history(settings, engine)
    taught = past.take(past.step >= 0)
    facts = read_facts(out, list(settings.features), taught.opportunity_id, AsOf.parse(settings.time.train_until))
    priced = price_catalogue(settings.catalogue, taught.band, next(iter(taught.terms.values())))
    write_json(out / "offers" / "catalogue.json", priced)
    models = {role: _learn(settings, role, spec, taught, facts) for role, spec in settings.models.items()}
    _write_models(out, models, past)


def check_declarations(settings: Settings, engine: Engine) -> None:
    """Check features, eligibility and models against the columns that exist. BadInput with every error."""
    columns = {table: engine.columns(table) for table in engine.tables()}
    outcomes = [name for name in columns.get("outcomes", []) if name not in {"decision_id", "observed_until"}]
    terms = [settings.catalogue.price.term]
    findings = [
        *_read_columns(settings, columns),
        *check_features(settings.features, columns, settings.protected),
        *check_eligibility(settings.eligibility, list(settings.features), settings.protected),
        *check_models(settings.models, list(settings.features), terms, outcomes, settings.protected),
    ]
    if errors(findings):
        raise BadInput(findings)


def _read_columns(settings: Settings, columns: dict[str, list[str]]) -> list[Finding]:
    """Return a finding for each column that the settings name and the tables do not have."""
    wanted = [
        ("opportunities", settings.identity.cluster, "`cluster` in opportune.toml"),
        ("opportunities", settings.catalogue.price.band, "`price.band` in offers.toml"),
        ("decisions", settings.catalogue.price.term, "`price.term` in offers.toml"),
        ("decisions", "stratum", "the probabilities of logged offers"),
        *(("outcomes", name, "the value of a loan") for name in OUTCOMES),
    ]
    return [
        Finding(
            code="OP816",
            source=f"tables/{table}.sql",
            subject=name,
            message=f"is not a column: expected it for {reason}; there are {', '.join(columns.get(table, []))}",
            next_step=f"add it to tables/{table}.sql, or correct the name",
        )
        for table, name, reason in wanted
        if name not in columns.get(table, [])
    ]


def training_history(settings: Settings, engine: Engine) -> History:
    """Return the mature decisions of the training interval; those outside the catalogue (step -1) teach nothing."""
    time = settings.time
    start, until, labels = (AsOf.parse(text) for text in (time.train_from, time.train_until, time.labels_as_of))
    return history(engine, settings.catalogue, settings.identity.cluster, start, until, labels)


def _learn(settings: Settings, role: str, spec: ModelSpec, taught: History, facts: Facts) -> Model:
    rows = np.ones(len(taught), dtype=bool) if spec.given is None else taught.outcomes[spec.given] == 1
    return learn(
        spec,
        {name: facts.values[name][rows] for name in spec.features},
        {name: taught.terms[name][rows] for name in spec.terms},
        taught.outcomes[spec.target][rows],
        taught.cluster[rows],
        seed=settings.identity.seed,
        role=role,
    )


def _write_models(out: Path, models: dict[str, Model], past: History) -> None:
    def build(directory: Path) -> None:
        for role, model in models.items():
            save(model, directory / role)

    replace_directory(out / "models", build)
    for role, model in models.items():
        write_json(out / "model-cards" / f"{role}.json", {"role": role, **model_card(model)})
    index = {
        "files": hashed_files(out / "models"),
        "taught_by": int(np.sum(past.step >= 0)),
        "outside_catalogue": int(np.sum(past.step < 0)),
        "immature": past.immature,
    }
    write_json(out / "models" / "index.json", index)
