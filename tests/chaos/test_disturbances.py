"""One round of each act of `disturbances.py` in every run of the tests; the script takes any number and longer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ACTS = ("stop_daemon", "stop_server", "kill_server", "backup")


@pytest.mark.kill(
    "a daemon and its server are stopped for some seconds while they trade, the server killed, a backup taken"
)
@pytest.mark.timeout(400)
def test_a_daemon_that_is_disturbed_goes_on_and_loses_nothing() -> None:
    script = Path(__file__).parent / "disturbances.py"
    command = [sys.executable, str(script), "--rounds", str(len(ACTS)), "--stop-s", "6", "--minutes", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["whole"], told
    assert [told[act] for act in ACTS] == [1] * 4, told
