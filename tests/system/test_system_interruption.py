"""Real processes, interrupted or killed at work: the last good state stays, and nothing is half written."""

import json
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.system


def started(directory):
    return subprocess.Popen(
        [sys.executable, "-m", "opportune.cli", "run", str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_stopped_in_the_middle_can_be_taken_up_again(how, status, small):
    process = started(small)
    wait_for(small / "out" / ".steps" / "check.json", process)
    process.send_signal(how)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == status
    assert "Traceback" not in said
    assert not (small / "out" / "summary.json").exists()
    again = started(small)
    assert again.communicate(timeout=120)[1] == b""
    assert again.returncode == 0
    assert json.loads((small / "out" / "summary.json").read_text())["release"]
    timings = json.loads((small / "out" / "timings.json").read_text())
    assert timings["steps"][0]["reused"]


def test_a_broken_change_leaves_the_last_good_output(small):
    first = started(small)
    first.communicate(timeout=120)
    assert first.returncode == 0
    before = {path: path.read_bytes() for path in (small / "out").rglob("*") if path.is_file()}
    (small / "limits.toml").write_text("[[limit]]\n")
    process = started(small)
    process.communicate(timeout=60)
    assert process.returncode == 2
    assert before == {path: path.read_bytes() for path in before}
