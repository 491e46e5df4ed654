"""A project folder as its TOML files are read: each file as it stands, with the changes of a what-if on top."""

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from opportune.domain import BadInput, Finding
from opportune.tables import read_toml

MAY_LACK = {
    "limits.toml": ("objective", "exploration", "frontier", "horizon"),
    "models.toml": ("defaults",),
    "opportune.toml": ("protected",),
}
"""The tables that a file may do without; a change may be about one of them all the same."""


class Change(msgspec.Struct, frozen=True):
    """One value of one file, changed for a what-if: ``limits.mailings.at_most=8000`` in parts."""

    text: str
    path: tuple[str, ...]
    value: Any

    @property
    def source(self) -> str:
        """The file that the change is about."""
        return f"{self.path[0]}.toml"


def read_change(text: str) -> Change:
    """Return the change that ``FILE.NAME.KEY=VALUE`` describes; the value is TOML, or text when it is not."""
    path, given, value = text.partition("=")
    parts = tuple(part.strip() for part in path.split("."))
    if not given or len(parts) < 2 or not all(parts):
        message = f"is {text!r}: expected FILE.NAME.KEY=VALUE"
        name = parts[0] if len(parts) == 1 and parts[0] else "NAME"
        step = f"for a limit, write it as limits.{name}.at_most={value.strip() or '8000'}"
        raise BadInput([_finding(text, message, step)])
    return Change(text, parts, _value(value.strip()))


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


class Folder(msgspec.Struct, frozen=True):
    """The files of a project under the changes of a what-if."""

    directory: Path
    changes: tuple[Change, ...] = ()

    def read(self, source: str, findings: list[Finding]) -> dict[str, Any] | None:
        """Return the content of a TOML file, changed; None and a finding when it cannot be read."""
        content = read_toml(self.directory / source, findings)
        for change in self.changes:
            if content is not None and change.source == source:
                findings.extend(_apply(change, content))
        return content

    def unknown(self, sources: Iterable[str]) -> list[Finding]:
        """Return a finding for each change of a file that the project does not have."""
        known = [source.removesuffix(".toml") for source in sources]
        return [
            _finding(change.text, _unknown(change.path[0], known, "the files"), "correct it")
            for change in self.changes
            if change.path[0] not in known
        ]

    def twice(self) -> list[Finding]:
        """Return a finding for each value that several changes are about: which of them is meant is not guessed."""
        by_path: dict[tuple[str, ...], list[str]] = {}
        for change in self.changes:
            path = change.path[:-1] if change.path[-1] == "value" else change.path  # of an assumption, as in _apply
            by_path.setdefault(path, []).append(change.text.partition("=")[2].strip())
        return [
            _finding(
                ".".join(path), f"is given {len(given)} times ({', '.join(given)}): expected one value", "keep one"
            )
            for path, given in by_path.items()
            if len(given) > 1
        ]


def _apply(change: Change, content: dict[str, Any]) -> list[Finding]:
    """Set the value in ``content``; a finding when a name on the way to it does not exist."""
    node: Any = content
    _add_table(change, content)
    for part in change.path[1:-1]:
        children = _children(node)
        if part not in children:
            known = dict.fromkeys([*children, *(MAY_LACK.get(change.source, ()) if node is content else ())])
            return [_finding(change.text, _unknown(part, list(known), change.source), "correct it")]
        node = children[part]
    last = change.path[-1]
    held = _children(node).get(last)
    if isinstance(held, dict) and "value" in held:  # an assumption: its value is meant
        held["value"] = change.value
    else:
        node[last] = change.value
    return []


def _add_table(change: Change, content: dict[str, Any]) -> None:
    """Add the table that a change is about, where the file does without one that it may lack."""
    first, *rest = change.path[1:]
    if rest and first in MAY_LACK.get(change.source, ()) and first not in _children(content):
        content.setdefault(first, {})


def _children(node: Any) -> dict[str, Any]:
    """Return the tables below a table: by key, and those of its lists by name."""
    if not isinstance(node, dict):
        return {}
    named = {each["name"]: each for held in node.values() if isinstance(held, list) for each in held if _has_name(each)}
    return {**named, **{key: held for key, held in node.items() if isinstance(held, dict)}}


def _has_name(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _unknown(part: str, known: list[str], where: str) -> str:
    near = get_close_matches(part, known, 1, 0.7)
    hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(known) or 'none'}."
    return f"names {part!r}, which is not in {where}. {hint}"


def _finding(text: str, message: str, step: str) -> Finding:
    return Finding(code="OP823", source="--set", subject=text.partition("=")[0], message=message, next_step=step)
