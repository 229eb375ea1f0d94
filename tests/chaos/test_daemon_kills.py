"""One kill of `daemon_kills.py` in every run of the tests (real processes all through); the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("the daemon dies over open orders")
@pytest.mark.timeout(400)
def test_a_killed_daemon_finds_its_orders_positions_and_fills_again() -> None:
    script = Path(__file__).parent / "daemon_kills.py"
    command = [sys.executable, str(script), "--kills", "1", "--minutes", "3", "--seed", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["with_open_orders"] == 1, told
    wrong = ("duplicate_orders", "unknown_orders", "unknown_fills", "open_orders", "positions")
    assert not any(told[name] for name in wrong), told
    assert told["longest_bare_s"] <= 5.0
