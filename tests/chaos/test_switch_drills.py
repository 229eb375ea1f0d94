"""Two drills of `switch_drills.py` in every run of the tests, one without PostgreSQL; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("a desk is emptied twice over wall time, once after its server died")
@pytest.mark.timeout(300)
def test_the_switch_leaves_nothing_open_with_and_without_a_database() -> None:
    script = Path(__file__).parent / "switch_drills.py"
    command = [sys.executable, str(script), "--drills", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["whole"], told
    assert (told["drills"], told["with_server_gone"]) == (2, 1), told
