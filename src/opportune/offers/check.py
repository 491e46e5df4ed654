"""Checks of a catalogue and of eligibility: complete steps, rising cuts, known facts, nothing protected."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from opportune.domain import NO_OFFER_ID, Finding
from opportune.offers.catalogue import Band, Catalogue
from opportune.offers.eligibility import Eligibility

SOURCE = "offers.toml"


def check_catalogue(catalogue: Catalogue) -> list[Finding]:
    """Return findings about bands and steps."""
    findings = [finding for band in catalogue.bands for finding in _band_findings(band, len(catalogue.offer_ids))]
    if len(set(catalogue.offer_ids)) < len(catalogue.offer_ids):
        findings.append(_finding("OP201", "price.steps", f"repeats an id: {', '.join(catalogue.offer_ids)}"))
    if NO_OFFER_ID in catalogue.offer_ids:
        message = f"names {NO_OFFER_ID}, which stands for no offer beside every catalogue: expected other ids"
        findings.append(_finding("OP201", "price.steps", message))
    names = [band.name for band in catalogue.bands]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.append(_finding("OP809", f"band '{name}'", "is declared more than once: expected one set of cuts"))
    return findings


def _band_findings(band: Band, steps: int) -> Iterator[Finding]:
    if len(band.cuts) != steps - 1:
        yield _finding(
            "OP202",
            f"band '{band.name}'.cuts",
            f"holds {len(band.cuts)}: expected {steps - 1}, one less than the steps",
        )
    if list(band.cuts) != sorted(set(band.cuts)) or (band.cuts and band.cuts[0] <= 0):
        yield _finding(
            "OP203", f"band '{band.name}'.cuts", f"is {list(band.cuts)}: expected positive, rising discounts"
        )


def check_eligibility(
    rules: Sequence[Eligibility],
    facts: Sequence[str],
    protected: Sequence[str],
    source: str = SOURCE,
    key: str = "eligibility",
) -> list[Finding]:
    """Return findings about rules (``key`` in ``source``) on facts that do not exist or are protected."""
    findings = []
    for rule in rules:
        if rule.fact in protected:
            message = f"is {rule.fact!r}, a protected column: expected it in no condition"
            findings.append(_finding("OP205", f"{key} '{rule.name}'.fact", message, source))
        elif rule.fact not in facts:
            near = get_close_matches(rule.fact, facts, 1, 0.7)
            hint = f" Did you mean {near[0]}?" if near else ""
            message = f"is {rule.fact!r}, which is no feature.{hint}"
            findings.append(_finding("OP204", f"{key} '{rule.name}'.fact", message, source))
    return findings


def _finding(code: str, subject: str, message: str, source: str = SOURCE) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=f"correct {source}")
