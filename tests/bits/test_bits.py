"""Two ways far apart give the same bits on a short stretch, and compile each kernel of it once.

`python tests/bits/sweep.py` runs all ways on all of it, and fills the far way's cache with `lotus warm`: all kernels.
"""

from pathlib import Path

import pytest
from sweep import FAR, TWICE, USUAL, WAYS, differences, hashes, in_cache, twice

LINES = 12_000


@pytest.mark.compile("fills a kernel cache from nothing, without optimisation and for an old CPU")
@pytest.mark.timeout(900)
def test_an_old_cpu_compiles_each_kernel_once_and_computes_the_same_bits(tmp_path: Path) -> None:
    usual, far = hashes(USUAL, LINES, None), hashes(FAR, LINES, tmp_path)
    # frames, annotations and events of the tape (live as in batch) and of odd events, and the live state
    assert len(set(usual.values())) == 7
    assert differences(usual, far) == []
    made = in_cache(tmp_path)
    assert len(made) > 200, "the kernels from a line to an event"
    assert twice(made) <= set(TWICE)
    assert hashes(FAR, LINES, tmp_path) == far
    assert in_cache(tmp_path) == made, "another process finds them all"


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
