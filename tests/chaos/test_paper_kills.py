"""Two kills of `paper_kills.py` in every run of the tests; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("the daemon dies twice while it trades on paper")
@pytest.mark.timeout(500)
def test_a_daemon_killed_on_paper_goes_on_with_whole_books() -> None:
    script = Path(__file__).parent / "paper_kills.py"
    command = [sys.executable, str(script), "--kills", "2", "--seed", "11", "--seconds", "420", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=480)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["whole"], told
    assert told["kills"] == 2
    assert told["plans"].get("done", 0) > 0
