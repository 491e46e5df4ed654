"""The planned list: its customers, what is known of them, and whom each plan chose. Outcomes stay closed."""

from pathlib import Path

import msgspec
import numpy as np

from opportune.decisioning import Rulebook, attributes_of
from opportune.domain import NO_OFFER_ID, Facts, Opportunities, Places
from opportune.tables import Engine
from opportune.workflow.frames import context_columns, open_tables, opportunities_at, positions, read_facts
from opportune.workflow.holdout import draw_holdout
from opportune.workflow.places import places_within, read_places
from opportune.workflow.plan import read_rulebook
from opportune.workflow.settings import Settings


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One row per listed opportunity, in one order throughout.

    ``planned`` holds the choice per row, the index of an offer or -1: under None that of the plan, under a limit's
    name that of the best plan without it. ``places`` are the limits with the values that the list has, not the
    forecast that was planned with it.
    """

    settings: Settings
    engine: Engine
    rulebook: Rulebook
    batch: Opportunities
    facts: Facts
    planned: dict[str | None, np.ndarray]
    places: tuple[Places, ...]

    def __len__(self) -> int:
        return len(self.batch)

    def take(self, rows: np.ndarray) -> "Listed":
        """Return the given rows (indices)."""
        planned = {name: choice[rows] for name, choice in self.planned.items()}
        return msgspec.structs.replace(self, batch=self.batch.take(rows), facts=self.facts.take(rows), planned=planned)

    def band(self) -> np.ndarray:
        """Return the price band of each row (n,)."""
        return self.batch.context[self.rulebook.catalogue.catalogue.price.band]

    def cluster(self) -> np.ndarray:
        """Return what each row is resampled with (n,), as text."""
        name, batch = self.settings.identity.cluster, self.batch
        values = batch.context[name] if name in batch.context else getattr(batch, name)
        return np.broadcast_to(np.asarray(values), len(batch)).astype(str)  # the list has one instant and one stage

    def first_of_each(self, rows: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows of a mask that are their customer's first in it: its sum is customers."""
        there = np.flatnonzero(rows)[::-1]
        first = np.zeros(len(self), dtype=bool)
        first[list(dict(zip(self.batch.customer_id[there], there, strict=True)).values())] = True
        return first

    def planned_price(self, rows: np.ndarray) -> np.ndarray:
        """Return the planned price of the rows of a mask that the plan reaches."""
        reached = rows & (self.planned[None] >= 0)
        prices = next(iter(self.rulebook.catalogue.terms(self.band()[reached]).values()))
        return np.asarray(prices[np.arange(len(prices)), self.planned[None][reached]])


def read_listed(settings: Settings, out: Path) -> Listed:
    """Return the list that was planned in ``out``. BadInput (OP819) when its artefacts are of another list."""
    engine = open_tables(out, settings.directory)
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    rulebook = read_rulebook(settings, out)
    return Listed(
        settings=settings,
        engine=engine,
        rulebook=rulebook,
        batch=batch,
        facts=read_facts(out, list(settings.features), batch.opportunity_id, settings.plan_at),
        planned=_planned(out, batch, rulebook.catalogue.catalogue.offer_ids),
        places=places_within(read_places(out), attributes_of(batch)),
    )


def without_holdout(listed: Listed, out: Path) -> Listed:
    """Return the list with those whom the plan held out at the offer that they would have had, in every plan.

    Where a list was sent as planned, who was held out is who was left alone. A policy that leaves the same ones alone
    follows the draw that its outcomes depend on, and no weight could judge it.
    """
    held_out = draw_holdout(listed.settings, listed.batch)
    if not held_out.any():
        return listed
    would = _would_be_offered(out)
    offers = listed.rulebook.catalogue.catalogue.offer_ids
    step = _steps([would.get(each, NO_OFFER_ID) for each in listed.batch.opportunity_id], offers)
    planned = {name: np.where(held_out, step, choice) for name, choice in listed.planned.items()}
    return msgspec.structs.replace(listed, planned=planned)


def _would_be_offered(out: Path) -> dict[str, str]:
    """Return the offer of each opportunity that the plan gives one, before its holdout was drawn."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = out / "plan" / "probabilities.parquet"
    rows = pq.read_table(path, filters=(pc.field("probability") > 0) & (pc.field("offer_id") != NO_OFFER_ID))
    return dict(zip(rows["opportunity_id"].to_pylist(), rows["offer_id"].to_pylist(), strict=True))


def _planned(out: Path, batch: Opportunities, offers: tuple[str, ...]) -> dict[str | None, np.ndarray]:
    import pyarrow.parquet as pq

    columns: dict[str | None, np.ndarray] = {}
    for file in ("plan.parquet", "relaxed.parquet"):
        table = pq.read_table(out / "plan" / file)
        rows = positions(table["opportunity_id"].to_numpy(), batch.opportunity_id, f"plan/{file}")
        names = {None: "offer_id"} if file == "plan.parquet" else {each: each for each in table.column_names[1:]}
        columns |= {name: _steps(table[column].to_pylist(), offers)[rows] for name, column in names.items()}
    return columns


def _steps(chosen: list[str], offers: tuple[str, ...]) -> np.ndarray:
    """Return the index of each offer, -1 for none."""
    index = {offer: k for k, offer in enumerate(offers)}
    return np.array([index.get(offer, -1) for offer in chosen], dtype=np.int64)
