"""A finding: something doubtful in data or settings, said so that a stranger can mend it."""

import re
from typing import Literal

import msgspec

Severity = Literal["note", "warning", "error"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One doubt about one thing.

    ``source`` is a file or table, ``subject`` the key, column or row in it; ``message`` says what was given and what
    was expected; ``next_step`` says what to do. ``code`` is stable (``OP012``) and never reused. ``line`` and
    ``column`` (from 1) are where the subject stands in the source, where that is known.
    """

    code: str
    source: str
    subject: str
    message: str
    next_step: str = ""
    severity: Severity = "error"
    line: int | None = None
    column: int | None = None

    def text(self) -> str:
        """Return the finding as one line: ``source:line:column [code] subject message Next: step``."""
        where = self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"
        # With a line to look at, the last part of a key path is enough.
        subject = self.subject if self.line is None else re.sub(r"^.*\.(?=\w+$)", "", self.subject)
        step = f" Next: {self.next_step}" if self.next_step else ""
        return f"{where} [{self.code}] {subject}{' ' if subject else ''}{self.message}{step}"


def errors(findings: list[Finding]) -> list[Finding]:
    """Return those findings that forbid going on."""
    return [finding for finding in findings if finding.severity == "error"]
