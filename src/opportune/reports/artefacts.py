"""What a report is told: the content of a run's artefacts, nothing computed anew."""

from typing import Any

import msgspec


class Artefacts(msgspec.Struct, frozen=True, kw_only=True):
    """Artefacts of one run as plain data, with the project's own words."""

    name: str
    question: str
    currency: str
    contribution: str
    """What contribution is made of, in words."""
    assumptions: dict[str, dict[str, Any]]
    """The assumptions of economics.toml by name: value, unit, source, and its range where it has one."""
    certificate: dict[str, Any]
    frontier: dict[str, Any]
    frontier_uses: tuple[str, str | None] | None
    """The resource that the varied limit sums, and the one it is per; None where it is not about the whole list."""
    examples: list[dict[str, Any]]
    holdout: dict[str, Any]
    horizon: dict[str, Any] | None
    """The list and the forecast that was planned with it, by part; None of a plan of the list alone."""
    limit_costs: list[dict[str, Any]]
    clusters: str
    """What is resampled together, in words: clusters (branch)."""
    evidence: dict[str, Any]
    swap_set: dict[str, Any]
    """Who changes from today's policy to the plan, or why that is not told."""
    model_cards: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    gates: list[str]

    def estimates(self, measure: str, method: str, differences: bool) -> list[dict[str, Any]]:
        """Return the estimates of one measure by one method: of policies, or of their differences."""
        return [
            row
            for row in self.evidence["estimates"]
            if row["measure"] == measure and row["method"] == method and (row["against"] is not None) == differences
        ]

    @property
    def judged(self) -> bool:
        """Whether outcomes of the list are known: without them there is a plan and no evidence."""
        return bool(self.evidence["estimates"])

    def says(self, policy: str) -> str:
        """Return what a policy does, in words."""
        return str(next(each["says"] for each in self.evidence["policies"] if each["name"] == policy))
