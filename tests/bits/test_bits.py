"""Two ways far apart give the same bits on a short stretch; `python tests/bits/sweep.py` runs all ways on all of it.

The far way's cache is filled by `lotus warm`, so that one filling from nothing shows both: equal bits, and that every
kernel is compiled, each once, and none again.
"""

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sweep import NO_VECTOR_LIBM, USUAL, WAYS, Way, differences, hashes

from lotus.jit_cache import SUFFIX, read_sealed
from lotus_cli.upkeep.warm_jobs import KERNELS

LINES = 12_000
FAR = Way(1, "generic", NO_VECTOR_LIBM)
LOTUS = [sys.executable, "-c", "from lotus_cli.main import main; main()"]
TWICE = {  # kernels compiled for more than one kind of arguments, and why
    "wire_text.put": "copies its own rows, which may be written, and texts that are constants, which may not",
    "boxes.box_moments": "reads sums of a family by rows and those of a night by columns, too large to copy",
    "boxes.gather": "of box_moments",
    "boxes.weighted_days": "of the same sums",
    "forward._take_usual": "reads the totals of a night by columns, those of a rule by rows",
}


def in_cache(folder: Path) -> dict[str, str]:
    """Return what each file holds: its path, and the kinds of arguments that its code takes."""
    bodies = {str(path): read_sealed(path) for path in folder.rglob(f"*{SUFFIX}")}
    return {name: str(pickle.loads(body)[1].argtypes) for name, body in bodies.items() if body is not None}


def warmed(folder: Path) -> tuple[dict[str, object], list[str]]:
    """Run `lotus warm` the far way; return what it said, and its lines of progress."""
    environment = os.environ | FAR.environment(folder)
    run = subprocess.run([*LOTUS, "warm", "--json"], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout), run.stderr.splitlines()


def compiled_again(job: str, folder: Path) -> int:
    """Run a job of `lotus warm` the far way; return how many kernels it compiled.

    The last run of `lotus warm` has found all others, in another process than those that compiled them.
    """
    command = [sys.executable, "-P", "-m", "lotus_cli.upkeep.warm_jobs", job]
    environment = os.environ | FAR.environment(folder)
    return int(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


@pytest.mark.compile("fills a kernel cache from nothing, without optimisation and for an old CPU")
@pytest.mark.timeout(900)
def test_an_old_cpu_compiles_each_kernel_once_and_computes_the_same_bits(tmp_path: Path) -> None:
    found, told = warmed(tmp_path)
    assert (found["parity"], found["left_by_jobs"]) == (True, 0)
    assert int(str(found["frames"])) > 0
    assert int(str(found["windows"])) > 0
    assert told == []
    made = in_cache(tmp_path)
    assert len(made) == pytest.approx(KERNELS, rel=0.1), "the estimate of what is left counts on it"
    assert not [name for name, signature in made.items() if "Literal[" in signature]
    kernels = Counter(".".join(Path(name).name.split(".")[-4:-2]) for name in made)
    assert {name for name, times in kernels.items() if times > 1} == set(TWICE)
    usual, far = hashes(USUAL, LINES, None), hashes(FAR, LINES, tmp_path)
    # frames, annotations and events of the tape (live as in batch) and of odd events, and the live state
    assert len(set(usual.values())) == 7
    assert differences(usual, far) == []
    assert compiled_again("windows", tmp_path) == 0
    assert in_cache(tmp_path) == made


def test_every_way_has_a_cache_of_its_own_and_sets_what_it_says() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert FAR in WAYS
    made = FAR.environment(Path("caches"))
    assert made["NUMBA_OPT"] == "1"
    assert made["NUMBA_CPU_NAME"] == "generic"
    assert made["NUMBA_CPU_FEATURES"] == ""
    assert "-AVX2" in made["GLIBC_TUNABLES"]
    assert made["LOTUS_KERNEL_CACHE"] == str(Path("caches") / FAR.name)


def test_a_difference_is_named() -> None:
    assert differences({"frames": "a", "state": "b"}, {"frames": "a", "state": "c"}) == ["state"]
