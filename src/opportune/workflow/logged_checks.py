"""What the log holds: outcomes that are numbers, yes or no that is 0 or 1, and one answer to which offer was made."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from opportune.domain import NO_OFFER_ID, Finding
from opportune.economics import booked_columns
from opportune.features import feature_column
from opportune.workflow.frames import texts
from opportune.workflow.left_alone import offered_nothing
from opportune.workflow.logged import TOOK_UP, outcome_columns
from opportune.workflow.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from opportune.tables import Engine

LENT = "amount_lent"
SAME = 1e-6
"""Two statements of one probability may differ by this much: they were rounded."""
AS_LOGGED = (0.8, 5.0)
"""Standard prices are so many times the usual logged one where both are in one unit; discounts make it above one."""


def check_numbers_logged(settings: Settings, engine: "Engine") -> Iterator[Finding]:
    """Yield a finding for each outcome, the price and the count of tries where its column holds no numbers."""
    read = (
        ("outcomes", outcome_columns(settings)),
        ("decisions", [settings.catalogue.price.term]),
        ("opportunities", [settings.exploration.tried]),
    )
    for table, names in read:
        kinds = engine.query(f'SELECT * FROM "{table}" LIMIT 0').schema if table in engine.tables() else []
        for field in kinds:
            if field.name in names and not _is_number(field.type):
                wanted = "0 or 1" if field.name in _yes_or_no(settings) else "numbers"
                message = f"is of type {field.type}: expected {wanted}"
                yield _finding("OP833", table, field.name, message, f"convert it in tables/{table}.sql")


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def _yes_or_no(settings: Settings) -> list[str]:
    """Return the outcomes that are a yes or a no: what a binary model learns, and what others are given."""
    specs = settings.models.values()
    named = {spec.target for spec in specs if spec.kind == "binary"} | {spec.given for spec in specs if spec.given}
    return sorted({TOOK_UP, *(name for name in named if name is not None)})


def check_log(settings: Settings, engine: "Engine") -> Iterator[Finding]:
    """Yield findings about the rows of the log; every column that it needs must be there and hold numbers."""
    for name in _yes_or_no(settings):
        others = engine.query(f'SELECT DISTINCT "{name}" AS v FROM outcomes WHERE "{name}" NOT IN (0, 1) ORDER BY v')
        if others.num_rows:
            shown = ", ".join(f"{each:g}" for each in others["v"].to_pylist()[:3])
            step = "write 1 for yes and 0 for no; null where it is not known"
            yield _finding("OP833", "outcomes", name, f"holds {shown}: expected 0 or 1", step)
    yield from _lent_to_nobody(settings, engine)
    yield from _other_unit(settings, engine)
    given = {"offer_id", "probability"} & set(engine.columns("decisions"))
    if given:
        yield from _offers_made(settings, engine, given)


def _lent_to_nobody(settings: Settings, engine: "Engine") -> Iterator[Finding]:
    """Yield a finding where nothing was taken up and money was lent: the loan would count as none."""
    if LENT not in set(booked_columns(settings.assumptions)) & set(engine.columns("outcomes")):
        return
    rows = engine.query(f'SELECT decision_id FROM outcomes WHERE "{TOOK_UP}" = 0 AND "{LENT}" > 0 ORDER BY decision_id')
    if rows.num_rows:
        some = ", ".join(map(str, rows["decision_id"].to_pylist()[:3]))
        message = f"is above 0 in {rows.num_rows} decisions that took nothing up ({some}): expected null or 0"
        step = f"write {TOOK_UP} = 1 for a loan that was taken, or no amount for one that was not"
        yield _finding("OP848", "outcomes", LENT, message, step)


def _other_unit(settings: Settings, engine: "Engine") -> Iterator[Finding]:
    """Yield a finding where the logged prices of a band are about a hundredth, or 100 times, the catalogue's."""
    price = settings.catalogue.price
    usual = engine.query(f"""
        SELECT o."{price.band}"::VARCHAR AS band, median(d."{price.term}")::DOUBLE AS price
        FROM decisions AS d JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id GROUP BY ALL""")
    logged = dict(zip(usual["band"].to_pylist(), usual["price"].to_pylist(), strict=True))
    bands = [band for band in settings.catalogue.bands if logged.get(band.name) is not None]
    least, most = AS_LOGGED
    for factor, do in ((100.0, "multiply it by 100"), (0.01, "divide it by 100")):
        other = [band for band in bands if least <= band.standard / factor / (logged[band.name] or np.inf) <= most]
        if other:
            first = other[0]
            message = (f"is usually {logged[first.name]:g} in band '{first.name}', whose standard price in offers.toml "
                       f"is {first.standard:g}, a factor of about 100: expected both in one unit. Is one a fraction "
                       "and the other in per cent?")  # fmt: skip
            step = f"{do} in tables/decisions.sql, or write standard and cuts of offers.toml in its unit"
            yield _finding("OP842", "decisions", price.term, message, step)


def _offers_made(settings: Settings, engine: "Engine", given: set[str]) -> Iterator[Finding]:
    price = settings.catalogue.price
    columns = ", ".join(f"d.{name}" if name in given else f"NULL AS {name}" for name in ("offer_id", "probability"))
    rows = engine.query(f"""
        SELECT d.decision_id, o."{price.band}" AS band, d."{price.term}" AS price, {columns}
        FROM decisions AS d JOIN opportunities AS o ON o.opportunity_id = d.opportunity_id ORDER BY d.decision_id""")
    offers = (*settings.catalogue.offer_ids, NO_OFFER_ID)
    nothing = offered_nothing(texts(rows, "offer_id")) & np.asarray(rows["price"].is_null())
    made = settings.catalogue.step_of(texts(rows, "band"), feature_column(rows, "price"))
    step = np.where(nothing, offers.index(NO_OFFER_ID), made)
    if "offer_id" in given:
        yield from _other_offers(offers, rows, step)
    if "probability" in given and rows["probability"].null_count < rows.num_rows:
        yield from _probabilities(offers, engine, rows, step)


def _other_offers(offers: tuple[str, ...], rows: "pa.Table", step: np.ndarray) -> Iterator[Finding]:
    """Yield a finding where an offer is named that is not that of the price; ``NO_OFFER`` has none."""
    index = {offer: k for k, offer in enumerate(offers)}
    named = rows["offer_id"].to_pylist()
    other = [row for row, offer in enumerate(named) if offer is not None and index.get(offer, -1) != step[row]]
    if other:
        first, names = other[0], (*offers, "none of the catalogue")
        message = (
            f"is not the offer of the price in {len(other)} decisions: {rows['decision_id'][first]} names "
            f"{named[first]!r} and its price is that of {names[step[first]]!r}"
        )
        step_next = (
            f"correct the price (null with {NO_OFFER_ID}), name the steps of offers.toml, or leave the offer null: the "
            "price says it"
        )
        yield _finding("OP835", "decisions", "offer_id", message, step_next)


def _probabilities(offers: tuple[str, ...], engine: "Engine", rows: "pa.Table", step: np.ndarray) -> Iterator[Finding]:
    """Yield a finding where the probability of the logged offer stands alone, or differs from the table's."""
    if "probabilities" not in engine.tables():
        message = "is given, and estimates need that of every offer that could have been made: expected both, or none"
        do = "write tables/probabilities.sql, or leave the column out and name the stratum"
        yield _finding("OP834", "decisions", "probability", message, do)
        return
    known = engine.query("SELECT decision_id, offer_id, probability FROM probabilities")
    of = {(d, o): p for d, o, p in zip(*(each.to_pylist() for each in known.columns), strict=True)}
    ids = rows["decision_id"].to_pylist()
    pairs = enumerate(rows["probability"].to_pylist())
    other = [
        k for k, p in pairs if p is not None and step[k] >= 0 and abs(of.get((ids[k], offers[step[k]]), 0) - p) > SAME
    ]
    if other:
        message = (
            f"differs from probabilities.sql in {len(other)} decisions, such as {ids[other[0]]}: expected the same"
        )
        yield _finding("OP835", "decisions", "probability", message, "correct one of the two, or leave the column out")


def _finding(code: str, table: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=f"tables/{table}.sql", subject=subject, message=message, next_step=step)
