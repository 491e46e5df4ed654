"""A release: everything a decision needs, sealed by content hash."""

import msgspec

RELEASE_FORMAT = 2


class ReleaseManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a release: ``files`` maps a relative path to its SHA-256; ``prices`` are those of limits.

    ``hash`` is the SHA-256 of the canonical JSON of all other fields, so a changed byte anywhere changes it.
    """

    format: int
    project: str
    currency: str
    as_of: str
    prices: dict[str, float]
    files: dict[str, str]
    hash: str = ""
