"""A finding: something doubtful in data or settings, said so that a stranger can mend it."""

from typing import Literal

import msgspec

Severity = Literal["note", "warning", "error"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One doubt about one thing.

    ``source`` is a file or table, ``subject`` the key, column or row in it; ``message`` says what was given and what
    was expected; ``next_step`` says what to do. ``code`` is stable (``OP012``) and never reused.
    """

    code: str
    source: str
    subject: str
    message: str
    next_step: str = ""
    severity: Severity = "error"

    def line(self) -> str:
        """Return the finding as one line: ``source: subject [code] message Next: step``."""
        where = f"{self.source}: {self.subject}" if self.subject else self.source
        step = f" Next: {self.next_step}" if self.next_step else ""
        return f"{where} [{self.code}] {self.message}{step}"


def errors(findings: list[Finding]) -> list[Finding]:
    """Return those findings that forbid going on."""
    return [finding for finding in findings if finding.severity == "error"]
