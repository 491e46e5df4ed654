"""Declarations of features: an aggregate over a table with look-back and arrival delay, or a context column."""

from typing import Literal, get_args

import msgspec

AggregateName = Literal["count", "sum", "mean", "min", "max", "latest", "days_since_latest"]
AGGREGATES: tuple[AggregateName, ...] = get_args(AggregateName)
NEEDS_COLUMN = frozenset({"sum", "mean", "min", "max", "latest"})


class Feature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One feature. Either ``context`` names a column of the opportunity, or ``table`` and ``aggregate`` say what to do.

    A row of ``table`` counts when it happened less than ``look_back_days`` before the opportunity and was known at
    it: ``delay_days`` after it happened, or at its ``arrived_at``, whichever is later. ``missing`` says in words
    what it means when nothing counts. There is no way to declare a feature that looks ahead.
    """

    missing: str
    context: str | None = None
    table: str | None = None
    aggregate: AggregateName | None = None
    column: str | None = None
    where: str | None = None
    look_back_days: int | None = None
    delay_days: int | None = None
