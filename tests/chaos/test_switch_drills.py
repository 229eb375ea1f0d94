"""Two drills of `switch_drills.py` in every run of the tests, one without PostgreSQL; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from full_disk import small_disk
from read_only import read_only


@pytest.mark.kill("a desk is emptied twice over wall time, once after its server died")
@pytest.mark.timeout(300)
def test_the_switch_leaves_nothing_open_with_and_without_a_database() -> None:
    told = drilled("--drills", "2")
    assert (told["drills"], told["with_server_gone"]) == (2, 1), told


@pytest.mark.kill("a desk hangs over open positions while its disk is full")
@pytest.mark.timeout(300)
def test_the_switch_leaves_nothing_open_over_a_hung_desk_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "allowed"):
        pass
    told = drilled("--drills", "2", "--hung", "--fault", "disk")
    assert (told["drills"], told["fault"]) == (2, "disk"), told


@pytest.mark.kill("a desk hangs over open positions while its home turns read-only")
@pytest.mark.timeout(300)
def test_the_switch_leaves_nothing_open_over_a_hung_desk_in_a_read_only_home(tmp_path: Path) -> None:
    with read_only(tmp_path):
        pass
    told = drilled("--drills", "2", "--hung", "--fault", "read-only")
    assert (told["drills"], told["fault"]) == (2, "read-only"), told


def drilled(*words: str) -> dict[str, Any]:
    """Return what the script says of its drills, which held."""
    script = Path(__file__).parent / "switch_drills.py"
    done = subprocess.run([sys.executable, str(script), *words, "--json"], capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["whole"], told
    return told
