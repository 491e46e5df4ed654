"""Files that are whole or absent: written beside their place and renamed; the same content gives the same bytes."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa


def canonical_json(content: Any) -> bytes:
    """Return UTF-8 JSON with sorted keys, two spaces of indent and a final newline; structs become objects.

    NaN and infinity are refused with a ValueError: JSON has no word for them.
    """
    plain = msgspec.to_builtins(content, str_keys=True)
    text = json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def write_json(path: Path, content: Any) -> None:
    """Write canonical JSON to ``path``, atomically."""
    write_bytes(path, canonical_json(content))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to ``path``, atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to ``path``, atomically: a reader sees the old file or the new one."""
    _beside(path, lambda beside: _write_synced(beside, content))


def write_parquet(path: Path, table: "pa.Table") -> None:
    """Write a table to ``path``, atomically and with the same bytes for the same table."""
    import pyarrow.parquet as pq

    _beside(path, lambda beside: pq.write_table(table, beside, compression="zstd", version="2.6"))


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    beside = Path(name)
    try:
        write(beside)
        beside.chmod(0o644)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def replace_directory(target: Path, build: Callable[[Path], None]) -> None:
    """Build a folder beside ``target`` and rename it into place; if ``build`` raises, ``target`` stays as it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        beside.chmod(0o755)
        build(beside)
        _swap(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def replace_directories(parent: Path, names: Sequence[str], build: Callable[[Path], None]) -> None:
    """Build the named folders in one beside them and rename each into ``parent``; if ``build`` raises, all stay."""
    parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=parent, prefix=".new."))
    try:
        build(beside)
        for name in names:
            _swap(beside / name, parent / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _swap(beside: Path, target: Path) -> None:
    """Put ``beside`` in the place of ``target``. No folder can be renamed over a full one: the old one steps aside."""
    if not target.exists():
        beside.rename(target)
        return
    old = beside.with_name(beside.name + ".old")
    target.rename(old)
    beside.rename(target)
    shutil.rmtree(old)


def listed(folder: Path, ending: str) -> list[Path]:
    """Return the files of a folder by their ending, sorted; none where there is no folder.

    A folder that may not be read is an OSError: what cannot be seen is never taken for absent, as `glob` would do.
    """
    return sorted(path for path in folder.iterdir() if path.suffix == ending) if folder.is_dir() else []


def link_tree(source: Path, target: Path) -> None:
    """Make ``target`` a copy of a file or folder without copying bytes where the disk allows: files are linked.

    Safe because nothing is ever written in place: a new version of a file is renamed over the link.
    """
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
