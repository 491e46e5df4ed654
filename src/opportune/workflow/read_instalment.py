"""economics.toml of instalment offers (``kind = "instalment"``): figures, terms and the file of curves, checked."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec

from opportune.domain import BadInput, Finding
from opportune.economics import (
    AS_ASSUMED,
    Assumption,
    CurveTable,
    InstalmentAssumptions,
    LifetimeAssumptions,
    Scenario,
    check_instalment,
)
from opportune.economics.instalment_offers import OFFER_UNITS, PriceIs
from opportune.economics.lifetime_assumptions import UNITS, CapitalIs
from opportune.tables import convert
from opportune.workflow.curves_file import read_curves

SOURCE = "economics.toml"
NAMES = (*UNITS, *OFFER_UNITS)


class InstalmentHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scalars at the top of economics.toml, and the terms that every offer has."""

    kind: Literal["instalment"]
    capital_is: CapitalIs
    curves: str
    price_is: PriceIs
    terms: dict[str, float]


def read_instalment(
    raw: dict[str, Any], directory: Path, currency: str, scenario: Scenario | None, findings: list[Finding]
) -> InstalmentAssumptions | None:
    """Return the economics of the content of economics.toml without its scenarios; None when findings forbid it."""
    figures = _figures(raw, findings)
    head = convert(
        {name: each for name, each in raw.items() if not isinstance(each, dict) or name == "terms"},
        InstalmentHead, SOURCE, "", findings,
    )  # fmt: skip
    curves = None if head is None else _curves(directory / head.curves, findings)
    if head is None or curves is None or len(figures) < len(NAMES):
        return None
    plain = {"currency": currency, "capital_is": head.capital_is, "terms": head.terms}
    loans = convert({**plain, **_plain(figures, UNITS)}, LifetimeAssumptions, SOURCE, "", findings)
    if loans is None:
        return None
    made: InstalmentAssumptions | None = convert(
        {"loans": msgspec.to_builtins(loans), "curves": msgspec.to_builtins(curves),
         "price_is": head.price_is, **_plain(figures, OFFER_UNITS)},
        InstalmentAssumptions, SOURCE, "", findings,
    )  # fmt: skip
    if made is None:
        return None
    made = msgspec.structs.replace(made, scenario=scenario or AS_ASSUMED)
    findings.extend(check_instalment(made))
    return made


def _figures(raw: dict[str, Any], findings: list[Finding]) -> dict[str, Assumption]:
    """Return the figures by name; findings for those that are missing, unknown or cannot be."""
    given = {name: each for name, each in raw.items() if isinstance(each, dict) and name != "terms"}
    made = {name: convert(each, Assumption, SOURCE, name, findings) for name, each in given.items() if name in NAMES}
    for name in (name for name in NAMES if name not in given):
        findings.append(_finding(name, "is missing: the value of an offer needs it", f"write [{name}]"))
    for name in (name for name in given if name not in NAMES):
        near = get_close_matches(name, NAMES, 1, 0.7)
        hint = f"Did you mean {near[0]}?" if near else f"Expected {', '.join(NAMES)}."
        findings.append(_finding(name, f"is not an assumption. {hint}", "correct or remove it"))
    return {name: each for name, each in made.items() if each is not None}


def _plain(figures: Mapping[str, Assumption], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(figures[name]) for name in names}


def _curves(path: Path, findings: list[Finding]) -> CurveTable | None:
    """Return the curves of a file as plain numbers; all of its segments must be usable, because offers need them."""
    try:
        read = read_curves(path)
    except BadInput as error:
        findings.extend(error.findings)
        return None
    findings.extend(read.findings)
    arrays = {name: getattr(read.curves, name).tolist() for name in ("default", "prepay", "recovery")}
    return msgspec.convert(
        {"by": read.by, "segments": read.curves.segments, **arrays, "charge_off_lag": read.curves.charge_off_lag},
        CurveTable,
    )


def _finding(name: str, message: str, step: str) -> Finding:
    return Finding(code="OP401", source=SOURCE, subject=name, message=message, next_step=step)
