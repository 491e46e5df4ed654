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


LONG = """
import sys
import numpy as np
from opportune.allocation import allocate, solver
from opportune.domain import Candidates, Limit

count, offers = 2_000_000, 6
draw = np.random.default_rng(1)
ids = np.arange(count).astype(str).astype(object)
lent = draw.gamma(2.0, 50.0, (count, offers))
candidates = Candidates(
    opportunity_id=ids, customer_id=ids, slot=ids, offer_ids=tuple("abcdef"), eligible=np.ones((count, offers), bool),
    value=draw.normal(3.0, 6.0, (count, offers)),
    uses={"lent": lent, "loss": lent * draw.beta(1.0, 12.0, (count, offers)), "contacts": np.ones((count, offers))},
    currency="USD",
)
limits = [
    Limit(name="lent", uses="lent", at_most=20.0 * count), Limit(name="contacts", uses="contacts", at_most=0.3 * count),
    Limit(name="rate", uses="loss", per="lent", at_most=0.06),
]
allocate(candidates.rows(slice(0, 2_000)), limits)  # compiles, or loads, the loops
prices = solver.smoothed_prices
solver.smoothed_prices = lambda *given: (print("ready", flush=True), prices(*given))[1]
proof = allocate(candidates, limits).certificate
print(proof.status, min(row.slack for row in proof.rows) >= 0.0, proof.gap, flush=True)
"""


def test_an_interrupted_solve_leaves_a_valid_plan_that_says_so():
    process = subprocess.Popen([sys.executable, "-c", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors.decode()
    status, held, gap = said.decode().split()
    assert (status, held) == ("interrupted", "True")
    assert float(gap) < 0.2
