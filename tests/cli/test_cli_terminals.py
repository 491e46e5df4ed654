"""Pipes, narrow and dumb terminals, closed input, Ctrl-C, completion: nothing asks, nothing colours, nothing hangs."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import msgspec
import pytest

from opportune.cli.app import status_of

COMMAND = [sys.executable, "-m", "opportune.cli"]
SCHEMAS = Path(__file__).parents[2] / "src/opportune/schemas"


def on_a_terminal(arguments, columns, **variables):
    """Run a command on a pseudo-terminal of so many columns; return its exit status and what it wrote."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **variables}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    return process.wait(), said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_sixty_columns_hold_every_line_and_no_escape_is_written(variables, small_run):
    status, said = on_a_terminal(["run", str(small_run.settings.directory)], 60, **variables)
    assert status == 0
    assert "\x1b" not in said or variables == {}
    tables = said[said.index("Plan:") : said.index("release")]
    assert max(len(line) for line in tables.splitlines() if not line.startswith(("Plan:", "Evidence:"))) <= 60


def test_a_closed_input_is_never_asked(small_run):
    arguments = [*COMMAND, "plan", str(small_run.settings.directory)]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing changed: every step is reused." in done.stdout
    assert "\x1b" not in done.stdout


def test_ctrl_c_ends_with_130_and_leaves_the_last_good_state(small):
    process = subprocess.Popen(
        [*COMMAND, "run", str(small)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (small / "out/.steps/check.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert [path for path in (small / "out").rglob(".*") if path.is_file() and path.name != ".steps"] == []


def test_a_reader_who_leaves_early_is_no_fault(small_run):
    line = f"{sys.executable} -m opportune.cli plan {small_run.settings.directory} --json | head -c 20"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered_for_each_shell(shell):
    environment = {**os.environ, "_OPPORTUNE_COMPLETE": f"source_{shell}"}
    done = subprocess.run([*COMMAND], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0
    assert "opportune" in done.stdout


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plan", ["plan", "{small}", "--customer", "c20001"]),
        ("check", ["check", "{small}"]),
        ("uses", ["uses", "score", "{small}"]),
        ("train", ["train", "{small}"]),
        ("run", ["run", "{small}"]),
        ("apr", ["apr", "--advance", "1978-01-10:5000", "--payment", "1978-02-10:230:24xmonth"]),
        ("failure", ["apr", "--advance", "1978-01-10:5000", "--payment", "1978-02-10:230:24xmoon"]),
        ("release", ["release", "{small}"]),
        ("report", ["report", "{small}"]),
        ("diff", ["diff", "{small}/out", "{small}/out"]),
        ("failure", ["plan", "{small}", "--set", "limits.x.at_most=1"]),
        ("failure", ["plna"]),
        ("failure", ["check", "nowhere"]),
    ],
)
def test_json_is_one_object_and_valid_against_its_schema(name, arguments, small_run, tmp_path, capsys):
    directory = str(tmp_path / "project")  # a copy: a diff leaves a page
    shutil.copytree(small_run.settings.directory, directory)
    status = status_of([*(each.replace("{small}", directory) for each in arguments), "--json"])
    said = capsys.readouterr()
    told = json.loads(said.out)
    jsonschema.validate(told, json.loads((SCHEMAS / f"{name}-output.schema.json").read_text()))
    assert (status, said.err) == (told["status"] if name == "failure" else 0, "")


def test_what_was_not_learned_from_and_what_is_tried_is_said(capsys):
    from opportune.cli.printing import print_explored, print_plan, print_untaught
    from opportune.domain import Certificate, Explored, RowReport

    proof = Certificate(
        status="optimal", value=1.0, bound=1.0, gap=0.0, gap_asked=1e-4, opportunities=9, offered=1, repaired=0,
        data_hash="", seed=1, explored=Explored(floor=0.02, budget=200.0, cost=123.0, offers=1500, opportunities=1370),
        rows=(RowReport(name="a", used=0.0, limit=3.0, price=0.0, slack=3.0, about=0),),
    )  # fmt: skip
    print_explored(proof, "ZAR")
    print_explored(msgspec.structs.replace(proof, explored=Explored(
        floor=0.02, budget=1.0, cost=0.0, offers=0, opportunities=0,
    )), "ZAR")  # fmt: skip
    print_plan(proof)
    print_untaught({"immature": 2906, "taught_by": 1094, "outside_catalogue": 0, "left_alone": 0})
    print_untaught({"immature": 1, "taught_by": 1094, "outside_catalogue": 0, "left_alone": 0})
    said = capsys.readouterr().out
    assert "1,370 opportunities get one of 1,500 near offers in place of the chosen one" in said
    assert "probability 0.02 each; that costs 123 of 200 ZAR" in said
    assert "nothing is tried" in said
    assert "gap 0.0e+00 (1.0e-04 is enough)" in said
    assert said.count("Not learned from") == 1
    assert "2,906 of 4,000 decisions" in said
