"""The errors that Opportune raises: one root, few children, each with the exit status of the command line."""

from collections.abc import Sequence

from opportune.domain.finding import Finding


class OpportuneError(Exception):
    """The root of every error raised on purpose. Exit status 3: something inside went wrong."""

    exit_status = 3


class BadInput(OpportuneError):
    """The input cannot be used as given. Carries every finding, not only the first. Exit status 2."""

    exit_status = 2

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(finding.text() for finding in self.findings))


class Interrupted(OpportuneError):
    """The work was interrupted, and what there was so far is left and labelled so. Exit status 130."""

    exit_status = 130

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(finding.text() for finding in self.findings))


class BrokenPromise(OpportuneError):
    """A limit or a gate cannot be kept by what was asked. Exit status 1."""

    exit_status = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(finding.text() for finding in self.findings))
