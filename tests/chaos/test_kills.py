"""A small campaign of `kills.py` in every run of the tests; `make chaos` runs the large one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_runs_end_like_undisturbed_ones() -> None:
    command = [sys.executable, str(HERE / "kills.py"), "--kills", "4", "--minutes", "3", "--seed", "5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=880)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["equal"], (told["backfill"]["differences"], told["daemon"]["differences"], told["left_behind"])
    for subject in ("backfill", "daemon"):
        assert told[subject]["kills"] >= 1, done.stderr[-3000:]
        assert told[subject]["finished"] == told[subject]["equal"] >= 1
