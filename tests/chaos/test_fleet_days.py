"""Two machines read a day block by block in every run of the tests; the script takes any number of both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.process("lotus up and two machines' workers, each from its own copy of the code")
@pytest.mark.timeout(300)
def test_two_machines_commit_what_one_process_does(tmp_path: Path) -> None:
    script = Path(__file__).parent / "fleet_days.py"
    command = [sys.executable, str(script), str(tmp_path / "fleet"), "--days", "1", "--coins", "2", "--workers", "2"]
    done = subprocess.run([*command, "--block-symbols", "1"], capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr[-3000:]
    alone, found = map(json.loads, done.stdout.splitlines()[-2:])
    assert alone["commits"] == 5
    assert found["equal"], found
    assert found["runs"] == {"SUCCESS": 4}  # the day split, its two blocks, and joined
