"""One kill at each failpoint of `kills.py`, over acts, in every run; `make thorough` runs the large campaign."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.kill("a backfill and a daemon die at each of their failpoints")
@pytest.mark.timeout(900)
def test_killed_runs_end_like_undisturbed_ones() -> None:
    command = [sys.executable, str(HERE / "kills.py"), "--each", "--acts", "--minutes", "14", "--seed", "5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=880)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["equal"], (told["backfill"]["differences"], told["daemon"]["differences"], told["left_behind"])
    assert told["missed"] == [], done.stderr[-3000:]
    for subject in ("backfill", "daemon"):
        assert told[subject]["finished"] == told[subject]["equal"] >= 1
