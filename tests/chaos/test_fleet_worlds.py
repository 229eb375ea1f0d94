"""A few worlds by two workers, one of them killed, in every run of the tests; `fleet_worlds.py` takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("a worker dies while its worlds are half made")
@pytest.mark.timeout(600)
def test_worlds_of_two_workers_are_those_of_one_process_though_one_was_killed(tmp_path: Path) -> None:
    script = Path(__file__).parent / "fleet_worlds.py"
    command = [sys.executable, str(script), str(tmp_path / "fleet"), "--seeds", "1-12", "--kills", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580)
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["exit"], found["rows"], found["differ"], found["left"]) == (0, 12, [], 0), found
