"""Two live shards in short, in every run of the tests: tests/chaos/shard_kills.py and tests/chaos/shard_twins.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("both owners of two live shards are killed or stopped past their lease")
@pytest.mark.timeout(400)
def test_shards_lose_no_row_to_a_former_owner_and_score_as_one_daemon() -> None:
    scripts = {"shard_kills.py": ["--kills", "2"], "shard_twins.py": ["--seconds", "20"]}
    running = [
        subprocess.Popen([sys.executable, str(Path(__file__).parent / name), *words, "--json"], stdout=subprocess.PIPE)
        for name, words in scripts.items()
    ]
    kills, twins = (json.loads(one.communicate(timeout=380)[0].splitlines()[-1]) for one in running)
    assert kills["whole"], kills
    assert (kills["take_overs"], kills["stale_rows"]) == (2, 0)
    assert kills["writers"] >= 4
    assert twins["different"] == 0, twins
    assert twins["rows"] > 0
    assert all(not one["different"] for one in twins["parity"].values())
