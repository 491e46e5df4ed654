"""Each broken project of examples/broken is answered to the letter, in at most twelve lines, with nothing half written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opportune.cli.app import status_of
from opportune.tables import files

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples" / "broken"))
from make import apply, cases  # noqa: E402

CASES = cases()
AS_PROCESSES = ("misspelt-key", "limit-that-cannot-hold", "outcome-before-its-decision")


def broken(case, small):
    for change in CASES[case]["change"]:
        apply(change, small / change["file"])


def answered(said, small):
    return said.replace(f"{small.parent}/", "")


@pytest.mark.parametrize("case", CASES)
def test_a_broken_project_is_answered_to_the_letter(case, small, capsys):
    broken(case, small)
    status = status_of(["run", str(small)])
    said = capsys.readouterr().err
    assert (status, answered(said, small)) == (CASES[case]["status"], CASES[case]["answer"])
    assert len(said.splitlines()) <= 12
    assert said.count("Next: ") == len(said.splitlines())
    assert not (small / "out" / "summary.json").exists()
    assert not (small / "data" / "written.csv").exists()


def test_there_are_thirty_and_the_page_shows_them_all():
    page = (ROOT / "examples" / "broken" / "README.md").read_text(encoding="utf-8")
    assert len(CASES) >= 30
    assert [name for name, case in CASES.items() if f"## {name}\n" not in page or case["answer"] not in page] == []


@pytest.mark.parametrize("case", AS_PROCESSES)
def test_real_processes_answer_the_same(case, small):
    broken(case, small)
    command = [sys.executable, "-m", "opportune.cli", "run", str(small)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, answered(done.stderr, small)) == (CASES[case]["status"], CASES[case]["answer"])


@pytest.mark.parametrize("folder", ["rules", "tests", "tables"])
def test_a_folder_that_may_not_be_read_is_never_taken_for_absent(folder, small, monkeypatch, capsys):
    """Simulated: whoever runs the tests may be root, whom no mode stops."""
    (small / folder).mkdir(exist_ok=True)
    listing = Path.iterdir

    def refuse(path):
        if path == small / folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert status_of(["check", str(small)]) == 2
    said = capsys.readouterr().err
    assert "[OP821] Permission denied" in said
    assert f"/{folder} " in said


def test_a_disk_without_space_leaves_nothing_half_written(small, monkeypatch, capsys):
    """Simulated at the one place where files are synchronised before they are renamed."""

    def refuse(path, content):
        path.write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(files, "_write_synced", refuse)
    assert status_of(["run", str(small)]) == 2
    said = capsys.readouterr().err
    assert "[OP821] No space left on device" in said
    assert [path for path in (small / "out").rglob("*") if path.name.startswith(".") and path.is_file()] == []
    monkeypatch.undo()
    assert status_of(["run", str(small)]) == 0
