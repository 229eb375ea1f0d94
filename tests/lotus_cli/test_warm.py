"""`lotus warm` from an empty cache: all is compiled, each kernel once; a fresh process compiles nothing."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from lotus.errors import LotusError
from lotus_cli.output import Progress
from lotus_cli.warm import run_jobs
from lotus_cli.warm_jobs import Job

LOTUS = [sys.executable, "-c", "from lotus_cli.main import main; main()"]
TWICE = {  # kernels compiled for more than one kind of arguments, and why
    "wire_text.put": "copies its own rows, which may be written, and texts that are constants, which may not",
    "boxes.box_moments": "reads sums of a family by rows and those of a night by columns, too large to copy",
    "boxes.gather": "of box_moments",
    "boxes.weighted_days": "of the same sums",
}


def in_cache(folder: Path) -> dict[str, str]:
    """Return what each file holds: its path, and the signature by which it is found."""
    return {str(path): pickle.loads(path.read_bytes())[0] for path in folder.rglob("*.nbc")}


def warmed(folder: Path) -> tuple[dict[str, object], list[str]]:
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(folder)}
    run = subprocess.run([*LOTUS, "warm", "--json"], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout), run.stderr.splitlines()


@pytest.mark.compile("fills two kernel caches from nothing")
@pytest.mark.timeout(600)
def test_each_kernel_is_compiled_once_and_never_again(tmp_path: Path) -> None:
    found, told = warmed(tmp_path)
    assert (found["parity"], found["compiled"]) == (True, 0)
    assert len(told) == 6
    made = in_cache(tmp_path)
    assert len(made) > 200
    assert not [name for name, signature in made.items() if "Literal[" in signature]
    kernels = Counter(Path(name).name.split("-")[0] for name in made)
    assert {name for name, times in kernels.items() if times > 1} == set(TWICE)
    assert warmed(tmp_path)[0]["compiled"] == 0
    assert in_cache(tmp_path) == made


@pytest.mark.kill("a job is killed while it compiles")
@pytest.mark.timeout(300)
def test_a_killed_job_leaves_a_cache_that_works(tmp_path: Path) -> None:
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "lotus_cli.warm_jobs", "simulation"]
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


def test_a_job_that_fails_is_told_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_cli.warm_jobs.JOBS", {"nothing": Job(print)})  # which the process does not know
    with pytest.raises(LotusError, match="compiling the kernels of nothing ended with 1, saying: KeyError: 'nothing'"):
        run_jobs(1, Progress(quiet=True))
