"""What `lotus warm` does when one of its jobs is killed or fails; what it compiles is tested beside the bits."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def in_cache(folder: Path) -> dict[str, str]:
    """Return the hash of what each file holds."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.nbc")}


@pytest.mark.kill("a job is killed while it compiles")
@pytest.mark.timeout(300)
def test_a_killed_job_leaves_a_cache_that_works(tmp_path: Path) -> None:
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "lotus_cli.upkeep.warm_jobs", "simulation"]
    for files in (3, 12):
        job = subprocess.Popen(command, env=environment)
        while len(list(tmp_path.rglob("*.nbc"))) < files and job.poll() is None:
            time.sleep(0.01)
        job.send_signal(signal.SIGKILL)
        assert job.wait() == -signal.SIGKILL
    before = in_cache(tmp_path)
    subprocess.run(command, check=True, env=environment)
    made = in_cache(tmp_path)
    assert before.items() < made.items()
    subprocess.run(command, check=True, env=environment)
    assert in_cache(tmp_path) == made
