"""Five kills of `put_kills.py` in every run of the tests; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("writers die in the middle of puts to an object store")
@pytest.mark.timeout(200)
def test_no_killed_writer_leaves_a_truncated_object() -> None:
    script = Path(__file__).parent / "put_kills.py"
    command = [sys.executable, str(script), "--kills", "5", "--seed", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["truncated"] == 0, found
    assert found["inside_a_put"] >= 1, found
    assert found["objects"] >= 2, found
