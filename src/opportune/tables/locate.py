"""Findings about a key of a TOML file, with the line on which it stands."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from opportune.domain import Finding

FIRST = (1, 1)
"""Where a key belongs that has no table of its own."""


def located(findings: Sequence[Finding], directory: Path) -> list[Finding]:
    """Return the findings, each once; those about a TOML file of ``directory`` now carry line and column.

    A key that is not there (it is missing) gets the position of the table that should hold it; one that ``[defaults]``
    gives to every role gets its position there.
    """
    sources = {finding.source for finding in findings if finding.source.endswith(".toml") and finding.line is None}
    positions = {source: _positions(directory / source) for source in sources}
    placed = [_placed(finding, positions.get(finding.source, {})) for finding in findings]
    return list({finding.text(): finding for finding in placed}.values())


def _positions(path: Path) -> dict[str, tuple[int, int]]:
    from opportune.tables._toml import key_positions

    try:
        return key_positions(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return {}


def _placed(finding: Finding, positions: dict[str, tuple[int, int]]) -> Finding:
    subject = finding.subject
    by_default = "defaults." + subject.rpartition(".")[2]
    if subject not in positions and by_default in positions:
        subject = by_default
    while subject and subject not in positions:
        subject = subject.rpartition(".")[0]
    if not finding.subject or not positions:
        return finding
    line, column = positions[subject] if subject else FIRST
    return msgspec.structs.replace(finding, line=line, column=column)
