"""Where each key of a TOML text stands: the only module that imports tree_sitter."""

from collections.abc import Iterator

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Position = tuple[int, int]
"""Line and column, both from 1; columns count characters."""

_TABLES = ("table", "table_array_element")


def key_positions(text: str) -> dict[str, Position]:
    """Return the position of each key by its path, such as ``time.plan_at`` or ``limit[0].at_most``.

    An entry of a list of tables that has a ``name`` also answers to it: ``limit 'letters'.at_most``.
    """
    root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
    lines = text.encode().split(b"\n")
    found: dict[str, Position] = {}
    for path, node in _keys(root):
        row, byte = node.start_point
        found.setdefault(path, (row + 1, len(lines[row][:byte].decode()) + 1))
    return found


def _keys(root: Node) -> Iterator[tuple[str, Node]]:
    counted: dict[str, int] = {}
    current: dict[str, tuple[str, ...]] = {}
    for child in root.named_children:
        if child.type == "pair":
            yield from _pair(child, ("",))
        elif child.type in _TABLES:
            parts = _names(child.named_children[0])
            if child.type == "table_array_element":
                yield parts[-1], child
                current[parts[-1]] = _entry(child, parts[-1], counted)
                prefixes = current[parts[-1]]
            else:
                prefixes = _below(parts, current)
            for prefix in prefixes:
                yield prefix, child
            for pair in child.named_children[1:]:
                if pair.type == "pair":
                    yield from _pair(pair, prefixes)


def _entry(node: Node, name: str, counted: dict[str, int]) -> tuple[str, ...]:
    """Return the paths of one entry of a list of tables: by number, and by name where it has one."""
    index = counted.get(name, 0)
    counted[name] = index + 1
    own = [_text(pair.named_children[1]) for pair in node.named_children[1:] if _is_name(pair)]
    return (f"{name}[{index}]", *(f"{name} '{each}'" for each in own))


def _is_name(pair: Node) -> bool:
    return pair.type == "pair" and _names(pair.named_children[0]) == ["name"]


def _below(parts: list[str], current: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the paths of a table: below the last entry of a list when its first name is one."""
    heads = current.get(parts[0], (parts[0],)) if len(parts) > 1 else (parts[0],)
    return tuple(".".join([head, *parts[1:]]) for head in heads)


def _pair(pair: Node, prefixes: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    key, value = pair.named_children[0], pair.named_children[1]
    paths = tuple(".".join([*([prefix] if prefix else []), *_names(key)]) for prefix in prefixes)
    for path in paths:
        yield path, key
    if value.type == "inline_table":
        for inner in value.named_children:
            if inner.type == "pair":
                yield from _pair(inner, paths)


def _names(key: Node) -> list[str]:
    return [_text(part) for part in key.named_children] if key.type == "dotted_key" else [_text(key)]


def _text(node: Node) -> str:
    return (node.text or b"").decode().strip("\"'")
