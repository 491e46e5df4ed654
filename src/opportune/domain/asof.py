"""The instant up to which facts are known."""

from datetime import UTC, datetime, timedelta

import msgspec


class AsOf(msgspec.Struct, frozen=True, order=True):
    """A UTC instant. A fact is known at it when it both happened and arrived at or before it."""

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or self.at.utcoffset() != timedelta(0):
            raise ValueError(f"as_of {self.at.isoformat()}: expected an instant in UTC, such as 2003-10-01T00:00:00Z")

    @classmethod
    def parse(cls, text: str) -> "AsOf":
        """Read an ISO 8601 date or instant; a date means its first moment in UTC, an offset is converted."""
        at = datetime.fromisoformat(text)
        return cls(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))

    def knows(self, event_time: datetime, arrived_at: datetime) -> bool:
        """Whether a fact of ``event_time`` that arrived at ``arrived_at`` is known at this instant."""
        return event_time <= self.at and arrived_at <= self.at

    def __str__(self) -> str:
        return self.at.replace(tzinfo=None).isoformat() + "Z"
