"""A few acts of `fleet_kills.py` in every run of the tests; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("a worker, a broker, a server or a daemon of a fleet dies under runs")
@pytest.mark.timeout(300)
def test_a_fleet_that_is_struck_loses_and_doubles_nothing() -> None:
    script = Path(__file__).parent / "fleet_kills.py"
    command = [sys.executable, str(script), "--kills", "1", "--others", "1", "--stop-s", "3", "--seed", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["lost"], found["doubled"], found["stuck"]) == (0, 0, 0), found
    assert found["units"] >= 1
