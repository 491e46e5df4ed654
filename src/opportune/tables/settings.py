"""TOML files to records, entry by entry: every problem becomes a finding with its file and key."""

import re
import tomllib
import typing
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from opportune.domain import Finding

T = TypeVar("T", bound=msgspec.Struct)

_WORDS = {
    "Expected": "expected",
    "str": "text",
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def read_toml(path: Path, findings: list[Finding]) -> dict[str, Any] | None:
    """Return the content of a TOML file; None and a finding when it is missing, not UTF-8 or not TOML."""
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a mark of its encoding
        return tomllib.loads(text)
    except FileNotFoundError:
        findings.append(_finding("OP001", path.name, "", "is missing: expected it in the project folder", "write it"))
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 at byte {error.start}: expected UTF-8 text"
        findings.append(_finding("OP002", path.name, "", message, "save the file as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        findings.append(_not_toml(path.name, text, str(error)))
    return None


def _not_toml(source: str, text: str, error: str) -> Finding:
    """Return the finding of a syntax error in a text. tomllib tells its place in words only."""
    place = re.search(r" \(at line (\d+), column (\d+)\)", error)
    line, column = (int(place[1]), int(place[2])) if place else (None, None)
    message = f"is not TOML: {re.sub(r' [(]at [^)]*[)]$', '', error)}"
    comma = line is not None and re.match(r"[\w ]+=\s*-?\d+,\d", text.split("\n")[line - 1])
    step = "write numbers with a point and no comma, such as 0.07 or 1000" if comma else "correct the line"
    finding = _finding("OP003", source, "", message, step)
    return msgspec.structs.replace(finding, line=line, column=column)


def convert(entry: Any, kind: type[T], source: str, key: str, findings: list[Finding]) -> T | None:
    """Return ``entry`` as a record of ``kind``; None and a finding per problem when it is not one.

    msgspec stops at the first problem, so every field is converted by itself.
    """
    if not isinstance(entry, dict):
        message = f"is {_shown(entry)}: expected a table"
        findings.append(_finding("OP011", source, key, message, f"write [{key}] with its fields"))
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    before = len(findings)
    findings.extend(_unknown(name, fields, source, key) for name in entry if name not in fields)
    findings.extend(
        _missing(name, source, key) for name, field in fields.items() if field.required and name not in entry
    )
    hints = typing.get_type_hints(kind)
    values = {
        name: _field(entry[name], hints[name], source, f"{key}.{name}", findings) for name in fields if name in entry
    }
    return _built(kind, values, source, key, findings) if len(findings) == before else None


def _built(kind: type[T], values: dict[str, Any], source: str, key: str, findings: list[Finding]) -> T | None:
    try:
        return kind(**values)
    except ValueError as error:  # raised by __post_init__, in words for the reader: often a field, then what is wrong
        field, _, rest = str(error).partition(" ")
        path, message = (f"{key}.{field}".lstrip("."), rest) if field in values else (key, str(error))
        findings.append(_finding("OP014", source, path, message, "correct the value"))
        return None


def _field(value: Any, hint: Any, source: str, key: str, findings: list[Finding]) -> Any:
    if typing.get_origin(hint) is dict and isinstance(value, dict):
        of_each = typing.get_args(hint)[1]
        return {name: _field(each, of_each, source, f"{key}.{name}", findings) for name, each in value.items()}
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        message = f"is {_shown(value)}: {_options(hint) or _plain(str(error))}"
        findings.append(_finding("OP013", source, key.lstrip("."), message, "correct the value"))
        return None


def _options(hint: Any) -> str:
    """Return the allowed values of a choice, from the type that enforces them; nothing for other types."""
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    return f"expected one of {', '.join(map(repr, choices))}" if choices else ""


def _plain(message: str) -> str:
    """Return msgspec's message in plain words: types by the names that a reader of TOML knows."""
    words = re.sub(r" \| null|null \| ", "", message.replace("`", ""))
    return re.sub(r"\b(Expected|str|float|int|bool|array|object)\b", lambda found: _WORDS[found.group()], words)


def _unknown(name: str, fields: dict[str, Any], source: str, key: str) -> Finding:
    near = get_close_matches(name, fields, 1, 0.7)
    hint = f" Did you mean {near[0]}?" if near else f" Expected one of {', '.join(fields)}."
    message = f"is not a field of {_place(key, source)}.{hint}"
    return _finding("OP012", source, f"{key}.{name}".lstrip("."), message, "correct or remove it")


def _missing(name: str, source: str, key: str) -> Finding:
    message = f"is missing: expected it in {_place(key, source)}"
    return _finding("OP010", source, f"{key}.{name}".lstrip("."), message, f"write {name} = ...")


def _place(key: str, source: str) -> str:
    """Return what a key path names, for a sentence: ``limit 'letters'``, ``[time]`` or the file itself."""
    return source if not key else key if "'" in key else f"[{key}]"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
