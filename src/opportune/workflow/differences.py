"""What differs between two settings, in words: the path of each value, what it was and what it is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield ``limits.mailings.at_most: 14626 -> 8000`` for each value that differs; entries of lists go by name."""
    if before == after:
        return
    old, new = _children(before), _children(after)
    if old is None or new is None:
        yield f"{path}: changed" if _is_hash(after) else f"{path}: {_shown(before)} -> {_shown(after)}"
        return
    for name in [*old, *(name for name in new if name not in old)]:
        inner = f"{path}.{name}" if path else name
        if name not in new:
            yield f"{inner}: removed{_called(old[name])}"
        elif name not in old:
            yield f"{inner}: added{_called(new[name])}"
        else:
            yield from differences(old[name], new[name], inner)


def _children(value: Any) -> Mapping[str, Any] | None:
    """Return the parts of a table, or of a list of named tables; None for a value that is told whole."""
    if isinstance(value, Mapping):
        return value
    listed = isinstance(value, list | tuple) and len(value) > 0
    if listed and all(isinstance(each, Mapping) and "name" in each for each in value):
        return {str(each["name"]): each for each in value}
    return None


def _called(value: Any) -> str:
    return f" ({value['name']})" if isinstance(value, Mapping) and "name" in value else ""


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
