"""One kill at each failpoint of `messages.py` in every run of the tests; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.kill("sender, Herald, receiver and migrations die at each of their failpoints")
@pytest.mark.timeout(600)
def test_kills_lose_nothing_and_apply_nothing_twice() -> None:
    command = [
        sys.executable,
        str(HERE / "messages.py"),
        "--each",
        "--kills",
        "2",
        "--messages",
        "100",
        "--minutes",
        "3",
    ]
    done = subprocess.run([*command, "--seed", "3", "--json"], capture_output=True, text=True, timeout=580)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["whole"], told
    assert told["missed"] == [], done.stderr[-3000:]
    assert told["kills"] >= 12, done.stderr[-3000:]
    assert told["sig_to_dm"] == told["dm_to_sig"] >= 100


@pytest.mark.process("eight writers commit at once, in processes of their own")
@pytest.mark.timeout(600)
def test_rows_that_commit_out_of_order_are_not_skipped_and_are_no_gaps() -> None:
    command = [sys.executable, str(HERE / "writers.py"), "--messages", "2000", "--writers", "8", "--together", "5"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=580)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["skipped"], told["doubled"], told["false_gaps"]) == (0, 0, 0), told
