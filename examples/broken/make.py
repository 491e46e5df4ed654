"""Make a broken project: a new project with the changes that a case file describes.

    python examples/broken/make.py misspelt-key /tmp/p && opportune check /tmp/p

``python examples/broken/make.py --answers`` writes what `opportune run` says into every case file and into README.md.
Do it after a message was changed on purpose, and read the difference.
"""

import contextlib
import io
import sys
import tempfile
import tomllib
from pathlib import Path

from opportune.cli.app import status_of
from opportune.workflow.scaffold import scaffold

HERE = Path(__file__).parent


def cases() -> dict[str, dict]:
    """Return every case by its name."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.toml"))}


def make(case: dict, directory: Path) -> None:
    """Make the broken project of a case."""
    scaffold(directory)
    for change in case["change"]:
        apply(change, directory / change["file"])


def apply(change: dict, path: Path) -> None:
    """Change one file: replace a text in it, append to it, write it, or delete it."""
    path.parent.mkdir(exist_ok=True)
    if change.get("delete"):
        path.unlink()
    elif "bytes" in change:
        path.write_bytes(bytes.fromhex(change["bytes"]))
    elif "write" in change:
        path.write_text(change["write"], encoding="utf-8")
    elif "append" in change:
        path.write_text(path.read_text(encoding="utf-8") + change["append"], encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
        if change["replace"] not in text:
            raise SystemExit(f"{path.name} does not hold {change['replace']!r}: the case is out of date")
        path.write_text(text.replace(change["replace"], change["with"]), encoding="utf-8")


def answer(case: dict) -> tuple[int, str]:
    """Return the exit status of `opportune run` on the broken project, and what it says."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "project"
        make(case, directory)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = status_of(["run", str(directory)])
        return status, said.getvalue().replace(f"{folder}/", "")


def write_answers() -> None:
    """Write status and answer into every case file, and the table of README.md."""
    lines = [INTRODUCTION]
    for name, case in cases().items():
        status, said = answer(case)
        rewrite(HERE / f"{name}.toml", status, said)
        lines.append(f"## {name}\n\n{case['says']} Exit status {status}.\n\n```text\n{said}```\n")
    (HERE / "README.md").write_text("\n".join(lines), encoding="utf-8")


def rewrite(path: Path, status: int, said: str) -> None:
    """Replace the case's status and answer; its changes stay as they are."""
    text = path.read_text(encoding="utf-8")
    says, changes = text.split("\n", 1)[0], text[text.index("[[change]]") :]
    path.write_text(f"{says}\nstatus = {status}\nanswer = '''\n{said}'''\n\n{changes}", encoding="utf-8")


INTRODUCTION = """# Broken projects

Each file here breaks a new project in one way: it says what is changed, and what `opportune run` answers. See one with

```console
python examples/broken/make.py misspelt-key /tmp/p
opportune check /tmp/p
```

The tests make every one of them and compare the answer to the letter. This page is written by
`python examples/broken/make.py --answers`.
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--answers"]:
        write_answers()
    else:
        make(cases()[sys.argv[1]], Path(sys.argv[2]))
